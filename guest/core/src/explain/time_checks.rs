//! The checks of `exp`, `nbf` and `iat`.

use super::{
    explanation::{Check, CheckResult, Stage},
    json_text,
    time_text::{date, duration},
};
use crate::{
    claims::{Claims, NumericDate},
    json::Object,
    policy::Policy,
    reason::Reason,
};
use alloc::{borrow::ToOwned, format, string::String};

/// Returns the checks of `exp`, `nbf`, `iat`, and of the maximum age.
#[cold]
pub(crate) fn time_checks(object: &Object<'_>, claims: &Claims, policy: &Policy, now: u64) -> [Check; 4] {
    let Policy { leeway, skew, .. } = *policy;
    [
        check(Stage::Expiry, "exp", object, Some(claims.expires_at), policy.check_expiry(claims, now), now, leeway),
        check(Stage::NotBefore, "nbf", object, claims.not_before, policy.check_not_before(claims, now), now, skew),
        check(Stage::IssuedAt, "iat", object, claims.issued_at, policy.check_issued_at(claims, now), now, skew),
        age_check(object, claims, policy, now),
    ]
}

#[cold]
fn check(
    stage: Stage,
    claim: &str,
    object: &Object<'_>,
    time: Option<NumericDate>,
    result: Result<(), Reason>,
    now: u64,
    tolerance: u64,
) -> Check {
    let detail = time.map(|time| format!("{} Tolerance: {tolerance} s.", since(time.floor(), now)));
    let result = if time.is_none() { CheckResult::NotChecked } else { result.into() };
    Check {
        member: Some(claim.to_owned()),
        found: json_text::claim(object, claim),
        detail,
        ..Check::new(stage, result)
    }
}

#[cold]
fn age_check(object: &Object<'_>, claims: &Claims, policy: &Policy, now: u64) -> Check {
    let Some(max_age) = policy.max_age else {
        return Check::new(Stage::Age, CheckResult::NotChecked);
    };
    let age = claims.issued_at.map(|time| duration(now.saturating_sub(time.floor())));
    let detail = age.map(|age| {
        let most = duration(max_age.into());
        format!("The token is {age} old. Maximum age: {most}. Tolerance: {} s.", policy.leeway)
    });
    let result = policy.check_age(claims, now).into();
    Check {
        member: Some("iat".to_owned()),
        found: json_text::claim(object, "iat"),
        detail,
        ..Check::new(Stage::Age, result)
    }
}

#[cold]
fn since(time: u64, now: u64) -> String {
    let distance = duration(now.abs_diff(time));
    let order = if time <= now { "ago" } else { "from now" };
    format!("{}, {distance} {order} (now: {}).", date(time), date(now))
}
