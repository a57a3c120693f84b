//! `judge CASES`: verifies the corpus with the core, with serde_json's feature `arbitrary_precision` enabled, and prints the verdicts on
//! standard output. The test `tests/arbitrary_precision.rs` builds it as a package outside the workspace. In the workspace, cargo would enable
//! the feature for all packages.

use poolgate_core::{
    Algorithm, CacheLimits, ClaimRule, ClaimSelector, ClaimTest, ClaimValue, ClientClaim, ClientRule, Config,
    ConfirmationRule, GuestRule, IssuerRule, IssuerTemplate, KeyOrigin, KeyPolicy, Limits, LoadBalancers, Membership,
    Pool, ResourceRule, Step, SubjectRule, TokenUseRule, Verifier,
};
use serde_json::{Value, json};
use std::{env, fs};

fn main() {
    let exact = "0.1000000000000000000000000000000001";
    let read: Value = serde_json::from_str(exact).expect("a number");
    assert_eq!(read.to_string(), exact, "the feature is off");
    let file = env::args_os().nth(1).expect("the cases");
    let cases: Value = serde_json::from_str(&fs::read_to_string(file).expect("a file")).expect("JSON");
    let verdicts: Vec<Value> = cases.as_array().expect("a list").iter().map(verdict).collect();
    println!("{}", Value::from(verdicts));
}

fn verdict(case: &Value) -> Value {
    let number = |value: &Value| -> u64 { text(value).expect("a text").parse().expect("a number") };
    let now = number(&case["now"]);
    let mut verifier = Verifier::new(config(&case["config"])).expect("a good configuration");
    for seed in case["seeds"].as_array().expect("a list") {
        let (issuer, jwks) = (text(&seed["issuer"]).expect("an issuer"), text(&seed["jwks"]).expect("a JWK Set"));
        verifier.load_key_set(now, &issuer, jwks.as_bytes(), number(&seed["fetched_at"])).expect("keys that are taken");
    }
    match verifier.verify(now, &text(&case["token"]).expect("a token")) {
        Step::Done(Ok(_)) => json!({}),
        Step::Done(Err(reason)) => json!({"reason": reason.name(), "status": reason.error_code().status()}),
        step => panic!("a seeded pool waits for keys: {step:?}"),
    }
}

fn config(words: &Value) -> Config {
    let limit = |name: &str| words["limits"][name].as_u64().and_then(|limit| limit.try_into().ok()).expect("a limit");
    Config {
        pools: words["pools"].as_array().expect("a list").iter().map(pool).collect(),
        limits: Limits {
            token_bytes: limit("token_bytes"),
            json_depth: limit("json_depth"),
            jwks_bytes: limit("jwks_bytes"),
            jwks_keys: limit("jwks_keys"),
        },
        key_policy: KeyPolicy::default(),
        cache: CacheLimits::default(),
        requirements: Vec::new(),
    }
}

fn pool(words: &Value) -> Pool {
    let seconds = |name: &str| words[name].as_u64().and_then(|seconds| u32::try_from(seconds).ok());
    assert_eq!(words["keys"], "local", "every case of the corpus is seeded");
    Pool {
        issuer: issuer(words),
        keys: KeyOrigin::Local,
        algorithms: texts(&words["algorithms"])
            .unwrap_or_default()
            .iter()
            .map(|name| Algorithm::from_name(name).expect("an algorithm"))
            .collect(),
        types: texts(&words["types"]).unwrap_or_default(),
        token_use: match words["token_use"].as_str() {
            Some("access") => TokenUseRule::Access,
            Some("id") => TokenUseRule::Id,
            Some("access_or_id") => TokenUseRule::AccessOrId,
            _ => TokenUseRule::Unchecked,
        },
        client: match (text(&words["identity_pool_id"]), texts(&words["client_ids"])) {
            (Some(id), _) => ClientRule::OneOf(vec![id]),
            (None, Some(clients)) => ClientRule::OneOf(clients),
            (None, None) => ClientRule::Unchecked,
        },
        client_claim: text(&words["client_claim"]).map(|name| {
            ClientClaim::ALL.into_iter().find(|claim| claim.name() == name).expect("a claim that names the client")
        }),
        groups: membership(&words["groups"]),
        scopes: membership(&words["scopes"]),
        scope_claim: text(&words["scope_claim"]),
        resource: match (texts(&words["resources"]), &words["any_resource"]) {
            (Some(names), _) => ResourceRule::OneOf(names),
            (None, Value::Bool(true)) => ResourceRule::Unchecked,
            (None, _) => ResourceRule::Unbound,
        },
        unbound_clients: texts(&words["unbound_clients"]).unwrap_or_default(),
        claims: words["claims"].as_array().into_iter().flatten().map(claim_rule).collect(),
        subject: if words["any_subject"] == true { SubjectRule::Unchecked } else { SubjectRule::Required },
        confirmation: match words["confirmation"].as_str() {
            Some("ignore") => ConfirmationRule::Ignore,
            _ => ConfirmationRule::Refuse,
        },
        max_age: seconds("max_age_seconds"),
        leeway: seconds("leeway_seconds").expect("stated in every case"),
        issued_at_skew: seconds("issued_at_skew_seconds").expect("stated in every case"),
    }
}

fn issuer(words: &Value) -> IssuerRule {
    if let Some(id) = text(&words["user_pool_id"]) {
        IssuerRule::UserPool { id, region: text(&words["region"]) }
    } else if let (Some(issuer), Some(arns)) = (text(&words["issuer"]), texts(&words["alb_arns"])) {
        IssuerRule::LoadBalancers(LoadBalancers { issuer, arns })
    } else if let Some(issuer) = text(&words["issuer"]) {
        IssuerRule::Exactly(issuer)
    } else if let Some(issuers) = texts(&words["issuers"]) {
        IssuerRule::OneOf(issuers)
    } else if let Some(template) = text(&words["issuer_template"]) {
        let tenants = texts(&words["tenants"]);
        assert_eq!(tenants.is_none(), words["any_tenant"] == true, "either some tenants or every tenant");
        IssuerRule::Tenants(IssuerTemplate { template, tenants })
    } else if words["identity_pool_id"].is_string() {
        let guests = match words["guests"].as_str() {
            Some("refuse") => GuestRule::Refuse,
            Some("accept") => GuestRule::Accept,
            guests => panic!("a word about guests: {guests:?}"),
        };
        IssuerRule::IdentityPool { guests }
    } else {
        assert_eq!(words["any_issuer"], true, "an issuer");
        IssuerRule::Unchecked
    }
}

fn claim_rule(words: &Value) -> ClaimRule {
    let values = |words: &Value| words.as_array().map(|values| values.iter().map(claim_value).collect::<Vec<_>>());
    let (at_least, at_most) = (words["at_least"].as_f64(), words["at_most"].as_f64());
    let test = [
        values(&words["any_of"]).map(ClaimTest::AnyOf),
        values(&words["all_of"]).map(ClaimTest::AllOf),
        values(&words["none_of"]).map(ClaimTest::NoneOf),
        texts(&words["prefix"]).map(ClaimTest::Prefix),
        texts(&words["suffix"]).map(ClaimTest::Suffix),
        words["exists"].as_bool().map(ClaimTest::Exists),
        (at_least.is_some() || at_most.is_some()).then_some(ClaimTest::Range { at_least, at_most }),
    ];
    let selector = [
        text(&words["split"]).map(|separator| ClaimSelector::Split(separator.parse().expect("one character"))),
        (words["keys"] == true).then_some(ClaimSelector::Keys),
        texts(&words["each"]).map(ClaimSelector::Each),
    ];
    ClaimRule {
        name: text(&words["name"]),
        claim: text(&words["claim"]).expect("a claim"),
        path: texts(&words["path"]).unwrap_or_default(),
        selector: selector.into_iter().flatten().next().unwrap_or(ClaimSelector::Value),
        test: test.into_iter().flatten().next().expect("a test"),
        fits_if_absent: words["if_absent"] == "pass",
    }
}

fn claim_value(value: &Value) -> ClaimValue {
    match value {
        Value::String(text) => ClaimValue::Text(text.clone()),
        Value::Bool(boolean) => ClaimValue::Boolean(*boolean),
        Value::Number(number) => ClaimValue::Number(number.as_f64().expect("a double")),
        _ => panic!("a text, a number or a boolean: {value}"),
    }
}

fn membership(words: &Value) -> Membership {
    Membership { any_of: texts(&words["any_of"]), all_of: texts(&words["all_of"]) }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array().map(|names| names.iter().filter_map(text).collect())
}
