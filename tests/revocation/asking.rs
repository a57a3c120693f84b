//! What is asked about, and when: good tokens, each time, after all else.

use crate::{
    hand::Hand,
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

/// A store that notes what it is asked, and answers as it was told.
struct Spy {
    asked: Mutex<Vec<(RevocationClaims, u64)>>,
    answer: Mutex<Result<bool, RevocationError>>,
}

impl Spy {
    fn answering(answer: Result<bool, RevocationError>) -> Arc<Self> {
        Arc::new(Self { asked: Mutex::default(), answer: Mutex::new(answer) })
    }

    fn answers(&self, answer: Result<bool, RevocationError>) {
        *self.answer.lock().expect("no panic") = answer;
    }

    fn asked(&self) -> Vec<(RevocationClaims, u64)> {
        std::mem::take(&mut *self.asked.lock().expect("no panic"))
    }
}

impl Revocations for Spy {
    fn is_revoked<'a>(&'a self, token: &'a RevocationClaims, now: u64) -> RevocationFuture<'a, bool> {
        self.asked.lock().expect("no panic").push((token.clone(), now));
        let answer = *self.answer.lock().expect("no panic");
        Box::pin(async move { answer })
    }

    fn revoke<'a>(&'a self, _: &'a Revocation, _: u64) -> RevocationFuture<'a, ()> {
        Box::pin(async { Err(RevocationError::Refused) })
    }
}

#[test]
fn the_core_asks_about_every_good_token_of_the_corpus_and_about_no_other() {
    let (mut asked, mut refused) = (0, 0);
    for case in cases() {
        let mut verifier = case.verifier();
        verifier.enable_revocation_check(CoreMode::FailClosed);
        // The second time it is remembered.
        for _ in 0..2 {
            match (verifier.verify(case.now, &case.token), &case.expected) {
                (Step::PendingRevocation(_), Expected::Allow) => asked += 1,
                (Step::Done(Err(_)), Expected::Deny(_)) => refused += 1,
                (step, expected) => panic!("{}: {expected:?}, but {step:?}", case.name),
            }
            let mut answered =
                |answer| verifier.verify_with_revocation_status(case.now, &case.token, answer).map(|it| it.payload);
            let expected = case.judge_natively().map(|verified| verified.payload);
            if expected.is_err() {
                let verdicts = [answered(RevocationStatus::NotRevoked), answered(RevocationStatus::Revoked)];
                assert!(verdicts.iter().all(Result::is_err), "{}: an answer makes no token good", case.name);
                continue;
            }
            assert_eq!(answered(RevocationStatus::Revoked), Err(Reason::Revoked), "{}", case.name);
            assert_eq!(answered(RevocationStatus::Unavailable), Err(Reason::RevocationUnavailable), "{}", case.name);
            assert_eq!(answered(RevocationStatus::NotRevoked), expected, "{}", case.name);
        }
        let mut open = case.verifier();
        open.enable_revocation_check(CoreMode::FailOpen);
        let mut answered =
            |answer| open.verify_with_revocation_status(case.now, &case.token, answer).map(|it| it.payload);
        let (unasked, revoked) = (answered(RevocationStatus::Unavailable), answered(RevocationStatus::Revoked));
        assert_eq!(unasked.is_ok(), matches!(case.expected, Expected::Allow), "{}: fail-open", case.name);
        assert!(revoked.is_err(), "{}: fail-open is no amnesty", case.name);
    }
    println!("asked {asked} times, refused {refused} times");
    assert!(asked >= 2 * 15 && refused >= 2 * 90, "{asked} and {refused}");
}

#[test]
fn a_verifier_that_does_not_ask_takes_no_answer() {
    let case = cases().iter().find(|case| matches!(case.expected, Expected::Allow)).expect("a good token");
    let verdict = case.verifier().verify_with_revocation_status(case.now, &case.token, RevocationStatus::NotRevoked);
    assert_eq!(verdict.map(|_| ()), Err(Reason::NotConfigured));
}

#[tokio::test]
async fn the_store_is_asked_what_was_signed_each_time_also_about_a_remembered_token() {
    let (clock, spy) = (Hand::at(NOW), Spy::answering(Ok(false)));
    let verifier = with_keys(builder(&clock).revocations(spy.clone(), RevocationMode::FailClosed)).await;
    for _ in 0..3 {
        assert_eq!(verdict(&verifier, draft().claim("iss", format!("\"{SECOND_FORM}\""))).await, Ok(()));
        let [(token, now)] = <[_; 1]>::try_from(spy.asked()).expect("one question");
        let jti = "33333333-4444-4555-8666-777777777777";
        let names = [&token.subject, &token.jti, &token.origin_jti].map(|name| name.as_deref().unwrap_or_default());
        assert_eq!((names, now), ([SUBJECT, jti, ORIGIN_JTI], poolgate::Clock::now(&clock).as_secs()));
        assert_eq!(token.auth_time, Some(SIGNED_IN));
        assert_eq!(token.issuer.as_deref(), Some(ISSUER), "a user pool's first form");
        clock.advance(1);
    }
    for (answer, expected) in
        [(Ok(true), Err(REVOKED)), (Err(RevocationError::Unreachable), Err(UNAVAILABLE)), (Ok(false), Ok(()))]
    {
        spy.answers(answer);
        assert_eq!(verdict(&verifier, draft()).await, expected);
    }
}

#[tokio::test]
async fn nothing_is_asked_about_a_token_that_is_refused_for_any_other_reason() {
    let spy = Spy::answering(Ok(true));
    let verifier = with_keys(builder(&Hand::at(NOW)).revocations(spy.clone(), RevocationMode::FailClosed)).await;
    for (token, reason) in [
        ("a.b".to_owned(), poolgate::Reason::TokenNotThreeParts),
        (
            draft().signed_by(&OTHER_RSA_2048).with_signature_below(&poolgate_tests::keys::RSA_2048).compact(),
            poolgate::Reason::SignatureInvalid,
        ),
        (draft().claim("exp", NOW).compact(), poolgate::Reason::Expired),
        (draft().claim("client_id", "\"other\"").compact(), poolgate::Reason::ClientMismatch),
        (draft().claim("token_use", "\"other\"").compact(), poolgate::Reason::TokenUseMismatch),
        (draft().claim("iss", format!("\"{OTHER_ISSUER}x\"")).compact(), poolgate::Reason::IssuerUnknown),
        (draft().header("kid", "\"other\"").compact(), poolgate::Reason::KeyUnknown),
    ] {
        assert_eq!(verifier.verify(&token).await.map(|_| ()).expect_err("a bad token").reason, reason);
    }
    assert_eq!(spy.asked(), []);
    assert_eq!(verdict(&verifier, draft()).await, Err(REVOKED));
    assert_eq!(spy.asked().len(), 1);
}

#[tokio::test]
async fn what_is_asked_and_let_through_is_counted() {
    let spy = Spy::answering(Ok(false));
    let verifier = with_keys(builder(&Hand::at(NOW)).revocations(spy.clone(), RevocationMode::FailOpen)).await;
    for (answer, expected) in [(Ok(false), Ok(())), (Ok(true), Err(REVOKED)), (Err(RevocationError::TimedOut), Ok(()))]
    {
        spy.answers(answer);
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
async fn a_verifier_without_a_store_remembers_no_revocation_and_says_so() {
    let verifier = with_keys(builder(&Hand::at(NOW))).await;
    assert_eq!(verifier.revoke(&crate::scene::token()).await, Err(RevocationError::NoStore));
    assert_eq!(verdict(&verifier, draft()).await, Ok(()));
}
