//! The checks of an explanation.

use super::super::{output::Palette, shown};
use poolgate::{Check, CheckResult};
use serde_json::{Value, json};
use std::fmt::Write;

/// The maximum number of accepted values that the text lists.
const ACCEPTED_MAX: usize = 10;

pub fn json(check: &Check) -> Value {
    let (result, reason) = match check.result {
        CheckResult::Passed => ("passed", None),
        CheckResult::Failed(reason) => ("failed", Some(reason.name())),
        CheckResult::NotChecked => ("not-checked", None),
    };
    let mut object = json!({ "stage": check.stage.name(), "result": result });
    let members = [
        ("reason", reason.map(Value::from)),
        ("member", check.member.clone().map(Value::from)),
        ("found", check.found.as_deref().map(found)),
        ("accepted", (!check.accepted.is_empty()).then(|| check.accepted.clone().into())),
        ("detail", check.detail.clone().map(Value::from)),
        ("advice", check.advice.clone().map(Value::from)),
    ];
    if let Some(object) = object.as_object_mut() {
        object.extend(members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    }
    object
}

/// The value as JSON. It is JSON text already; a number that serde_json can't represent stays text.
fn found(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}

/// One line for each check that was made, and more about those that have failed.
pub fn text(checks: &[Check], palette: Palette) -> String {
    let mut text = palette.bold("checks") + "\n";
    for check in checks {
        let stage = check.stage.name();
        // Writing to a text can't fail.
        let _ = match check.result {
            CheckResult::Passed => writeln!(text, "  {} {stage:<13} {}", palette.success("ok  "), summary(check)),
            CheckResult::Failed(reason) => {
                writeln!(text, "  {} {stage:<13} {}\n{}", palette.failure("FAIL"), reason.name(), details(check))
            }
            CheckResult::NotChecked => continue,
        };
    }
    let is_not_checked = |check: &&Check| check.result == CheckResult::NotChecked;
    let not_checked: Vec<&str> = checks.iter().filter(is_not_checked).map(|check| check.stage.name()).collect();
    let _ = writeln!(text, "  not checked: {}", not_checked.join(", "));
    // The lists end without white space.
    text.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

fn summary(check: &Check) -> String {
    match (&check.member, &check.found, &check.detail) {
        (Some(member), Some(found), detail) => {
            let detail = detail.as_ref().map(|detail| format!("  {}", shown::line(detail))).unwrap_or_default();
            format!("{} = {}{detail}", shown::line(member), shown::line(found))
        }
        (_, _, Some(detail)) => shown::line(detail),
        _ => String::new(),
    }
}

fn details(check: &Check) -> String {
    let mut text = String::new();
    let mut add = |name: &str, value: &str| {
        let _ = writeln!(text, "                     {name:<9} {}", shown::line(value));
    };
    match (&check.member, &check.found) {
        (Some(member), Some(found)) => add("found", &format!("{member} = {found}")),
        (Some(member), None) => add("found", &format!("no {member}")),
        (None, _) => {}
    }
    for accepted in check.accepted.iter().take(ACCEPTED_MAX) {
        add("accepted", accepted);
    }
    if let Some(more @ 1..) = check.accepted.len().checked_sub(ACCEPTED_MAX) {
        add("accepted", &format!("and {more} more"));
    }
    check.detail.iter().for_each(|detail| add("detail", detail));
    check.advice.iter().for_each(|advice| add("advice", advice));
    text.truncate(text.trim_end().len());
    text
}
