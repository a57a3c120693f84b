//! The contract from the view of another host: no artifact accepts a token before the host has passed the revocation status.

use crate::synchronous_host::{
    self, EventLoop,
    bindings::{
        TokenVerifier,
        exports::poolgate::auth::verifier::{
            ConfigError, Denial, ErrorCode, Reason, RevocationClaims, RevocationMode, RevocationStatus, Verified,
        },
    },
    config,
};
use poolgate_artifacts::{
    AUTHENTICATOR, TOKEN_VERIFIER_COGNITO, TOKEN_VERIFIER_PORTABLE, TOKEN_VERIFIER_SIMD, TOKEN_VERIFIER_WIDE,
};
use poolgate_core::Algorithm;
use poolgate_tests::{
    keys::{RSA_2048, jwks},
    minting::{Draft, ISSUER, KEY_ID, NOW, SUBJECT},
};
use wasmtime::{OptLevel, Store};

const ARTIFACTS: [(&str, &[u8]); 5] = [
    ("wide", TOKEN_VERIFIER_WIDE),
    ("simd", TOKEN_VERIFIER_SIMD),
    ("portable", TOKEN_VERIFIER_PORTABLE),
    ("cognito", TOKEN_VERIFIER_COGNITO),
    ("authenticator", AUTHENTICATOR),
];

fn start(component: &[u8]) -> (Store<EventLoop>, TokenVerifier) {
    let mut engine = wasmtime::Config::new();
    // Compiling takes most of the time of these tests.
    engine.wasm_wide_arithmetic(true).cranelift_opt_level(OptLevel::None);
    synchronous_host::start(component, &engine)
}

fn keys() -> String {
    jwks(&[RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID)])
}

fn pending_revocation(denial: &Denial) -> Option<&RevocationClaims> {
    assert_eq!((denial.reason, denial.error), (Reason::RevocationUnavailable, ErrorCode::Unavailable));
    denial.pending_revocation.as_ref()
}

fn payload(verdict: Result<Verified, Denial>) -> Result<String, Reason> {
    verdict.map(|verified| verified.payload).map_err(|denial| denial.reason)
}

#[test]
fn no_artifact_accepts_a_token_before_the_host_has_passed_the_status() {
    for (name, artifact) in ARTIFACTS {
        let (mut store, bindings) = start(artifact);
        let verifier = bindings.poolgate_auth_verifier();
        let draft = Draft::access(&RSA_2048);
        let (token, expected) = (draft.compact(), String::from_utf8(draft.payload_bytes()).expect("JSON"));
        assert_eq!(
            verifier.call_enable_revocation_check(&mut store, RevocationMode::FailClosed).expect("no trap"),
            Ok(())
        );
        verifier.call_configure(&mut store, &config()).expect("no trap").expect("the configuration is valid");

        // The keys are loaded later. After that, the status is pending in every verify function, also for a cached token.
        let denial = verifier.call_verify(&mut store, &token).expect("no trap").expect_err("there are no keys yet");
        assert_eq!((denial.reason, denial.pending_revocation), (Reason::KeysUnavailable, None), "{name}");
        verifier.call_load_key_set(&mut store, ISSUER, keys().as_bytes(), NOW).expect("no trap").expect("valid keys");
        for _ in 0..2 {
            let again = verifier
                .call_verify_after_fetch(&mut store, &token, 0)
                .expect("no trap")
                .expect_err("the status is pending");
            let cached = verifier.call_verify_cached(&mut store, &token).expect("no trap").map(|_| ());
            let verified = verifier.call_verify(&mut store, &token).expect("no trap").map(|_| ());
            for denial in
                [again, cached.expect_err("the status is pending"), verified.expect_err("the status is pending")]
            {
                let revocable = pending_revocation(&denial).unwrap_or_else(|| panic!("{name}: nothing to ask"));
                assert_eq!(revocable.issuer.as_deref(), Some(ISSUER));
                assert_eq!(revocable.subject.as_deref(), Some(SUBJECT));
                assert_eq!(revocable.auth_time, Some(NOW - 60));
                assert_eq!(revocable.jti.as_deref(), Some("33333333-4444-4555-8666-777777777777"));
                assert_eq!(revocable.origin_jti.as_deref(), Some("11111111-2222-4333-8444-555555555555"));
            }
            for (answer, expected) in [
                (RevocationStatus::NotRevoked, Ok(expected.clone())),
                (RevocationStatus::Revoked, Err(Reason::Revoked)),
                (RevocationStatus::Unavailable, Err(Reason::RevocationUnavailable)),
            ] {
                let verdict = verifier.call_verify_with_revocation_status(&mut store, &token, answer).expect("no trap");
                assert_eq!(payload(verdict), expected, "{name}: {answer:?}");
            }
        }
        // An invalid token is rejected without a pending status, and a status does not change that.
        let expired = Draft::access(&RSA_2048).claim("exp", NOW).compact();
        let denial = verifier.call_verify(&mut store, &expired).expect("no trap").expect_err("it has expired");
        assert_eq!((denial.reason, denial.pending_revocation), (Reason::Expired, None), "{name}");
        let verdict = verifier
            .call_verify_with_revocation_status(&mut store, &expired, RevocationStatus::NotRevoked)
            .expect("no trap");
        assert_eq!(payload(verdict), Err(Reason::Expired), "{name}");
    }
}

#[test]
fn the_mode_is_set_once_and_before_the_configuration() {
    let (mut store, bindings) = start(TOKEN_VERIFIER_PORTABLE);
    let verifier = bindings.poolgate_auth_verifier();
    let mut state = |mode| verifier.call_enable_revocation_check(&mut store, mode).expect("no trap");
    assert_eq!(state(RevocationMode::FailOpen), Ok(()));
    assert_eq!(state(RevocationMode::FailClosed), Err(ConfigError::AlreadyConfigured));

    let (mut store, bindings) = start(TOKEN_VERIFIER_PORTABLE);
    let verifier = bindings.poolgate_auth_verifier();
    let asked = |store: &mut Store<EventLoop>| {
        let verdict = verifier.call_verify_with_revocation_status(
            store,
            &Draft::access(&RSA_2048).compact(),
            RevocationStatus::NotRevoked,
        );
        payload(verdict.expect("no trap"))
    };
    assert_eq!(asked(&mut store), Err(Reason::NotConfigured));
    verifier.call_configure(&mut store, &config()).expect("no trap").expect("the configuration is valid");
    verifier.call_load_key_set(&mut store, ISSUER, keys().as_bytes(), NOW).expect("no trap").expect("valid keys");
    let late = verifier.call_enable_revocation_check(&mut store, RevocationMode::FailClosed).expect("no trap");
    assert_eq!(late, Err(ConfigError::AlreadyConfigured));
    assert_eq!(asked(&mut store), Err(Reason::NotConfigured), "without a revocation check, a status is rejected");
    let verdict = verifier.call_verify(&mut store, &Draft::access(&RSA_2048).compact()).expect("no trap");
    assert!(verdict.is_ok(), "without a revocation check, no status is pending");
}
