//! When the store is queried: for every valid token, each time, after all other checks.

use crate::{
    manual_clock::ManualClock,
    scene::{
        ORIGIN_JTI, OTHER_ISSUER, REVOKED, SECOND_FORM, SIGNED_IN, UNAVAILABLE, builder, draft, metric, verdict,
        with_keys,
    },
};
use poolgate::revocation::{
    Revocation, RevocationClaims, RevocationError, RevocationFuture, RevocationMode, Revocations,
};
use poolgate_core::{Reason, RevocationMode as CoreMode, RevocationStatus, Step};
use poolgate_tests::{
    corpus::{Expected, cases},
    keys::OTHER_RSA_2048,
    minting::{ISSUER, NOW, SUBJECT},
};
use std::sync::{Arc, Mutex};

/// A store that records the queries, and returns a configured result.
struct Spy {
    queries: Mutex<Vec<(RevocationClaims, u64)>>,
    result: Mutex<Result<bool, RevocationError>>,
}

impl Spy {
    fn new(answer: Result<bool, RevocationError>) -> Arc<Self> {
        Arc::new(Self { queries: Mutex::default(), result: Mutex::new(answer) })
    }

    fn set_result(&self, answer: Result<bool, RevocationError>) {
        *self.result.lock().expect("no panic") = answer;
    }

    fn take_queries(&self) -> Vec<(RevocationClaims, u64)> {
        std::mem::take(&mut *self.queries.lock().expect("no panic"))
    }
}

impl Revocations for Spy {
    fn is_revoked<'a>(&'a self, token: &'a RevocationClaims, now: u64) -> RevocationFuture<'a, bool> {
        self.queries.lock().expect("no panic").push((token.clone(), now));
        let answer = *self.result.lock().expect("no panic");
        Box::pin(async move { answer })
    }

    fn revoke<'a>(&'a self, _: &'a Revocation, _: u64) -> RevocationFuture<'a, ()> {
        Box::pin(async { Err(RevocationError::Refused) })
    }
}

#[test]
fn the_core_requests_the_status_of_every_valid_token_of_the_corpus_and_of_no_other() {
    let (mut queried, mut rejected) = (0, 0);
    for case in cases() {
        let mut verifier = case.verifier();
        verifier.enable_revocation_check(CoreMode::FailClosed);
        // The second time, the token is cached.
        for _ in 0..2 {
            match (verifier.verify(case.now, &case.token), &case.expected) {
                (Step::PendingRevocation(_), Expected::Allow) => queried += 1,
                (Step::Done(Err(_)), Expected::Deny(_)) => rejected += 1,
                (step, expected) => panic!("{}: {expected:?}, but {step:?}", case.name),
            }
            let mut verify =
                |answer| verifier.verify_with_revocation_status(case.now, &case.token, answer).map(|it| it.payload);
            let expected = case.verify_with_core().map(|verified| verified.payload);
            if expected.is_err() {
                let verdicts = [verify(RevocationStatus::NotRevoked), verify(RevocationStatus::Revoked)];
                assert!(
                    verdicts.iter().all(Result::is_err),
                    "{}: a status does not make an invalid token valid",
                    case.name
                );
                continue;
            }
            assert_eq!(verify(RevocationStatus::Revoked), Err(Reason::Revoked), "{}", case.name);
            assert_eq!(verify(RevocationStatus::Unavailable), Err(Reason::RevocationUnavailable), "{}", case.name);
            assert_eq!(verify(RevocationStatus::NotRevoked), expected, "{}", case.name);
        }
        let mut open = case.verifier();
        open.enable_revocation_check(CoreMode::FailOpen);
        let mut verify =
            |answer| open.verify_with_revocation_status(case.now, &case.token, answer).map(|it| it.payload);
        let (without_status, revoked) = (verify(RevocationStatus::Unavailable), verify(RevocationStatus::Revoked));
        assert_eq!(without_status.is_ok(), matches!(case.expected, Expected::Allow), "{}: fail-open", case.name);
        assert!(revoked.is_err(), "{}: in the mode fail-open, a revoked token is rejected", case.name);
    }
    println!("{queried} status requests, {rejected} rejections");
    assert!(queried >= 2 * 15 && rejected >= 2 * 90, "{queried} and {rejected}");
}

#[test]
fn a_verifier_without_revocation_check_rejects_a_status() {
    let case = cases().iter().find(|case| matches!(case.expected, Expected::Allow)).expect("a valid token");
    let verdict = case.verifier().verify_with_revocation_status(case.now, &case.token, RevocationStatus::NotRevoked);
    assert_eq!(verdict.map(|_| ()), Err(Reason::NotConfigured));
}

#[tokio::test]
async fn the_store_gets_the_signed_claims_each_time_also_for_a_cached_token() {
    let (clock, spy) = (ManualClock::at(NOW), Spy::new(Ok(false)));
    let verifier = with_keys(builder(&clock).revocations(spy.clone(), RevocationMode::FailClosed)).await;
    for _ in 0..3 {
        assert_eq!(verdict(&verifier, draft().claim("iss", format!("\"{SECOND_FORM}\""))).await, Ok(()));
        let [(token, now)] = <[_; 1]>::try_from(spy.take_queries()).expect("one query");
        let jti = "33333333-4444-4555-8666-777777777777";
        let names = [&token.subject, &token.jti, &token.origin_jti].map(|name| name.as_deref().unwrap_or_default());
        assert_eq!((names, now), ([SUBJECT, jti, ORIGIN_JTI], poolgate::Clock::now(&clock).as_secs()));
        assert_eq!(token.auth_time, Some(SIGNED_IN));
        assert_eq!(token.issuer.as_deref(), Some(ISSUER), "the first issuer form of the user pool");
        clock.advance(1);
    }
    for (answer, expected) in
        [(Ok(true), Err(REVOKED)), (Err(RevocationError::Unreachable), Err(UNAVAILABLE)), (Ok(false), Ok(()))]
    {
        spy.set_result(answer);
        assert_eq!(verdict(&verifier, draft()).await, expected);
    }
}

#[tokio::test]
async fn the_store_is_not_queried_for_a_token_that_is_rejected_for_another_reason() {
    let spy = Spy::new(Ok(true));
    let verifier = with_keys(builder(&ManualClock::at(NOW)).revocations(spy.clone(), RevocationMode::FailClosed)).await;
    for (token, reason) in [
        ("a.b".to_owned(), poolgate::Reason::TokenNotThreeParts),
        (
            draft().signed_by(&OTHER_RSA_2048).with_signature_below(&poolgate_tests::keys::RSA_2048),
            poolgate::Reason::SignatureInvalid,
        ),
        (draft().claim("exp", NOW).compact(), poolgate::Reason::Expired),
        (draft().claim("client_id", "\"other\"").compact(), poolgate::Reason::ClientMismatch),
        (draft().claim("token_use", "\"other\"").compact(), poolgate::Reason::TokenUseMismatch),
        (draft().claim("iss", format!("\"{OTHER_ISSUER}x\"")).compact(), poolgate::Reason::IssuerUnknown),
        (draft().header("kid", "\"other\"").compact(), poolgate::Reason::KeyUnknown),
    ] {
        assert_eq!(verifier.verify(&token).await.map(|_| ()).expect_err("an invalid token").reason, reason);
    }
    assert_eq!(spy.take_queries(), []);
    assert_eq!(verdict(&verifier, draft()).await, Err(REVOKED));
    assert_eq!(spy.take_queries().len(), 1);
}

#[tokio::test]
async fn queries_and_tokens_accepted_without_a_status_are_counted() {
    let spy = Spy::new(Ok(false));
    let verifier = with_keys(builder(&ManualClock::at(NOW)).revocations(spy.clone(), RevocationMode::FailOpen)).await;
    for (answer, expected) in [(Ok(false), Ok(())), (Ok(true), Err(REVOKED)), (Err(RevocationError::TimedOut), Ok(()))]
    {
        spy.set_result(answer);
        assert_eq!(verdict(&verifier, draft()).await, expected);
    }
    assert_eq!(verifier.revoke(&crate::scene::token()).await, Err(RevocationError::Refused));
    for name in [
        "poolgate_revocation_checks_total{answer=\"not-revoked\"}",
        "poolgate_revocation_checks_total{answer=\"revoked\"}",
        "poolgate_revocation_checks_total{answer=\"timed-out\"}",
        "poolgate_revocation_fail_open_total",
        "poolgate_revocations_total{outcome=\"refused\"}",
        "poolgate_verdicts_total{verdict=\"deny\",reason=\"revoked\"}",
    ] {
        assert_eq!(metric(&verifier, name).await, 1, "{name}");
    }
}

#[tokio::test]
async fn a_verifier_without_a_store_returns_an_error_for_a_revocation() {
    let verifier = with_keys(builder(&ManualClock::at(NOW))).await;
    assert_eq!(verifier.revoke(&crate::scene::token()).await, Err(RevocationError::NoStore));
    assert_eq!(verdict(&verifier, draft()).await, Ok(()));
}
