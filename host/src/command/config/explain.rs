//! `poolgate config explain`: the decision about a request, and why.

use super::{
    file::{builder, read},
    request::Request,
    rules::Rule,
};
use crate::command::{
    arguments::ExplainArguments,
    explain,
    output::{self, CommandError, Outcome, Palette},
    shown,
};
use poolgate::{Admission, Decision, Explanation, Gate, HeaderChange, Rejection, Verified};
use serde_json::{Value, json};
use std::{
    fmt::Write,
    time::{SystemTime, UNIX_EPOCH},
};

/// All that is printed.
struct Explained<'c> {
    request: Request,
    configuration: &'c Value,
    rules: Vec<Rule<'c>>,
    /// Why no rule is chosen, and what the configuration says about it.
    no_rule: Option<(String, Option<String>)>,
    decision: Decision,
    token: Option<Explanation>,
    now: u64,
}

pub async fn run(arguments: &ExplainArguments) -> Result<Outcome, CommandError> {
    let json = read(&arguments.config)?;
    let gate = builder(json.clone(), arguments.allow_http_loopback).build().await?;
    for warning in gate.warnings() {
        output::notify(&shown::line(&format!("warning: {warning}")));
    }
    // The gate has accepted it, so it is JSON.
    let configuration: Value = serde_json::from_str(&json).unwrap_or_default();
    let request = Request::new(arguments, &configuration)?;
    let explained = explained(&gate, &configuration, request).await?;
    let outcome = match &explained.decision {
        Decision::Admit(_) | Decision::Respond(_) => Outcome::Allowed,
        Decision::Reject(rejection) if rejection.status == 503 => Outcome::Unavailable,
        Decision::Reject(_) => Outcome::Denied,
    };
    output::conclude(outcome, arguments.json, || explained.json(), |palette| explained.text(palette))
}

async fn explained<'c>(gate: &Gate, configuration: &'c Value, request: Request) -> Result<Explained<'c>, CommandError> {
    // The line for the log is returned once, so this comes before the decision.
    let (rules, no_rule) = match gate.chosen_rules(&request.head).await {
        Ok(numbers) => (numbers.into_iter().map(|number| Rule::of(configuration, number)).collect(), None),
        Err(reason) => (Vec::new(), Some(reason)),
    };
    let decision = gate.decide(&request.head).await;
    let token = match &request.token {
        Some(token) => {
            Some(gate.verifier().explain(token).await.map_err(|denial| CommandError::Usage(denial.to_string()))?)
        }
        None => None,
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    Ok(Explained { request, configuration, rules, no_rule, decision, token, now })
}

impl Explained<'_> {
    fn policies(&self) -> Vec<&Value> {
        let mut policies: Vec<&Value> = Vec::new();
        for policy in self.rules.iter().flat_map(|rule| rule.policies(self.configuration)) {
            if !policies.contains(&policy) {
                policies.push(policy);
            }
        }
        policies
    }

    fn json(&self) -> Value {
        let rules = self.rules.iter().map(|rule| json!({"number": rule.number, "route": rule.route}));
        let mut object = json!({
            "method": self.request.method,
            "url": self.request.target,
            "host": self.request.host,
            "rules": rules.collect::<Vec<_>>(),
            "policies": self.policies(),
        });
        let (name, members) = match &self.decision {
            Decision::Admit(admission) => ("admitted", admitted_json(admission)),
            Decision::Reject(rejection) => ("rejected", rejected_json(rejection)),
            Decision::Respond(response) => ("responded", json!({"status": response.status, "body": response.body})),
        };
        if let (Some(object), Value::Object(members)) = (object.as_object_mut(), members) {
            object.insert("decision".to_owned(), name.into());
            object.extend(members);
            if let Some((_, Some(detail))) = &self.no_rule {
                object.insert("detail".to_owned(), detail.as_str().into());
            }
            if let Some(token) = &self.token {
                object.insert("token".to_owned(), explain::json(token, self.now));
            }
        }
        object
    }

    fn text(&self, palette: Palette) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: &str| {
            // Writing to a text can't fail.
            let _ = writeln!(text, "{} {}", palette.bold(&format!("{name:<9}")), shown::line(value));
        };
        let host = self.request.host.as_deref().map(|host| format!(" of {host}")).unwrap_or_default();
        line("request", &format!("{} {}{host}", self.request.method, self.request.target));
        match &self.no_rule {
            Some((reason, detail)) => line("rule", &format!("none: {reason}{}", detail_of(detail.as_deref()))),
            None => self.rules.iter().for_each(|rule| line("rule", &rule.text())),
        }
        self.policies().into_iter().for_each(|policy| line("policy", &shown::json(policy, false)));
        match &self.decision {
            Decision::Admit(admission) => {
                line("decision", &palette.success(&format!("admitted, {}", how(admission))));
                for change in &admission.changes {
                    match change {
                        HeaderChange::Remove(name) => line("remove", name),
                        HeaderChange::Set(name, value) => line("set", &format!("{name}: {value}")),
                    }
                }
            }
            Decision::Reject(rejection) => {
                let decision = format!("rejected, {} {}", rejection.status, rejection.reason);
                line("decision", &palette.failure(&decision));
                rejection.headers.iter().for_each(|(name, value)| line("header", &format!("{name}: {value}")));
            }
            Decision::Respond(response) => line("decision", &format!("responded, {}", response.status)),
        }
        let explained = self.token.as_ref().map(|token| explain::text(token, self.now, palette));
        text + &explained.unwrap_or_default()
    }
}

fn detail_of(detail: Option<&str>) -> String {
    detail.map(|detail| format!(" ({detail})")).unwrap_or_default()
}

fn how(admission: &Admission) -> String {
    match (&admission.reported, &admission.verified) {
        (Some(reason), _) => format!("although the rule would reject it: {reason} (report_only)"),
        (None, Some(Verified { subject, .. })) => {
            format!("with the token of {}", subject.as_deref().unwrap_or("no subject"))
        }
        (None, None) => "without a token".to_owned(),
    }
}

fn admitted_json(admission: &Admission) -> Value {
    let changes = admission.changes.iter().map(|change| match change {
        HeaderChange::Remove(name) => json!({"remove": name}),
        HeaderChange::Set(name, value) => json!({"set": name, "value": value}),
    });
    json!({
        "reported": admission.reported,
        "subject": admission.verified.as_ref().and_then(|verified| verified.subject.as_deref()),
        "changes": changes.collect::<Vec<_>>(),
    })
}

fn rejected_json(rejection: &Rejection) -> Value {
    let headers: serde_json::Map<String, Value> =
        rejection.headers.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    json!({"status": rejection.status, "reason": rejection.reason, "headers": headers, "body": rejection.body})
}
