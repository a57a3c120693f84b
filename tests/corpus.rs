//! The token corpus, verified by the core: a named test for each case, and tests of the corpus itself.

use libtest_mimic::{Arguments, Failed, Trial};
use poolgate_core::{Check, CheckResult, Reason, Stage, Verified};
use poolgate_tests::corpus::{Case, Expected, cases};
use std::collections::BTreeSet;

fn main() {
    let mut trials: Vec<Trial> = cases().iter().map(|case| Trial::test(case.name, || verify(case))).collect();
    trials.extend([
        Trial::test("every_explanation_names_the_reason_of_the_verdict_first", explanations_agree),
        Trial::test("every_case_of_the_corpus_has_a_unique_name", names_are_unique),
        Trial::test("the_corpus_has_at_least_90_denials_and_15_acceptances", sizes),
        Trial::test("the_corpus_has_every_reason_of_the_core", every_reason_is_there),
    ]);
    libtest_mimic::run(&Arguments::from_args(), trials).exit()
}

fn verify(case: &Case) -> Result<(), Failed> {
    let verdict = case.verify_with_core();
    let actual = actual(&verdict);
    if actual != case.expected {
        return Err(format!("expected {:?}, got {actual:?}", case.expected).into());
    }
    let Some(fault) = case.key_error else { return Ok(()) };
    let skipped: Vec<_> = case.verifier().key_reports(case.now).into_iter().flat_map(|report| report.skipped).collect();
    match skipped.iter().any(|key| key.error == fault && key.member == case.key_member) {
        true => Ok(()),
        false => Err(format!("expected a key skipped for {fault:?} of {:?}, got {skipped:?}", case.key_member).into()),
    }
}

fn actual(verdict: &Result<Verified, Reason>) -> Expected {
    match verdict {
        Ok(_) => Expected::Allow,
        Err(reason) => Expected::Deny(reason.name()),
    }
}

/// The first failed check of an explanation has the reason of the verdict, and its stages are in order.
fn explanations_agree() -> Result<(), Failed> {
    let wrong: Vec<String> =
        cases().iter().filter_map(|case| disagreement(case).map(|text| format!("{}: {text}", case.name))).collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

fn disagreement(case: &Case) -> Option<String> {
    let expected = case.verify_with_core().err();
    let explanation = case.verifier().explain(case.now, &case.token);
    let failed = explanation.checks.iter().find_map(|check| match check.result {
        CheckResult::Failed(reason) => Some(reason),
        CheckResult::Passed | CheckResult::NotChecked => None,
    });
    if (explanation.reason, failed) != (expected, expected) {
        return Some(format!("expected {expected:?}, got {:?} and {failed:?}", explanation.reason));
    }
    let is_optional = |stage: Stage| matches!(stage, Stage::ClaimRule | Stage::Signer | Stage::HeaderCopies);
    let has_all = Stage::ALL
        .iter()
        .all(|stage| is_optional(*stage) || explanation.checks.iter().any(|check| check.stage == *stage));
    // The key of a load balancer's token comes after the recipient.
    let place = |stage| explanation.checks.iter().position(|check| check.stage == stage);
    let is_in_order = explanation.checks.is_sorted_by_key(|check| check.stage as usize)
        || place(Stage::Resource).zip(place(Stage::Key)).is_some_and(|(recipient, key)| recipient < key);
    let has_advice = |check: &Check| check.advice.is_some() == matches!(check.result, CheckResult::Failed(_));
    if !(has_all && is_in_order && explanation.checks.iter().all(has_advice)) {
        return Some(format!("{explanation:?}"));
    }
    (expected.is_none() && !explanation.is_signature_valid).then(|| "accepted without a signature".to_owned())
}

fn names_are_unique() -> Result<(), Failed> {
    let mut seen = BTreeSet::new();
    match cases().iter().find(|case| !seen.insert(case.name)) {
        None => Ok(()),
        Some(case) => Err(format!("{} exists twice", case.name).into()),
    }
}

fn sizes() -> Result<(), Failed> {
    let allowed = cases().iter().filter(|case| case.expected == Expected::Allow).count();
    let denied = cases().len() - allowed;
    println!("{denied} denials, {allowed} acceptances");
    if denied >= 90 && allowed >= 15 { Ok(()) } else { Err(format!("{denied} denials, {allowed} acceptances").into()) }
}

fn every_reason_is_there() -> Result<(), Failed> {
    let given: BTreeSet<&str> = cases()
        .iter()
        .filter_map(|case| match case.expected {
            Expected::Deny(reason) => Some(reason),
            Expected::Allow => None,
        })
        .collect();
    let elsewhere = [
        // Reasons of the component and the host, which the core does not return.
        Reason::NotConfigured,
        Reason::SandboxFailed,
        Reason::SandboxTimeout,
        Reason::Overloaded,
        Reason::ShuttingDown,
        // Reasons that depend on earlier tokens, which a case does not have: see tests/keys.rs.
        Reason::KeyUnknownCached,
        Reason::KeyUnknownLimited,
        // Reasons that depend on a revocation store: see tests/revocation.rs.
        Reason::Revoked,
        Reason::RevocationUnavailable,
        // Reasons that depend on the request of a client: see tests/explain.rs.
        Reason::NonceMismatch,
        Reason::AccessTokenMismatch,
        // A reason of the edge, whose policies have claim rules for routes.
        Reason::ClaimForbidden,
    ];
    let missing: Vec<&str> = Reason::ALL
        .iter()
        .filter(|reason| !elsewhere.contains(reason))
        .map(|reason| reason.name())
        .filter(|name| !given.contains(name))
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("no case is rejected with {missing:?}").into()) }
}
