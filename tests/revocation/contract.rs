//! The contract as another host meets it: each artifact lets nobody in before the host has answered.

use poolgate_artifacts::{
    AUTHENTICATOR, TOKEN_VERIFIER_COGNITO, TOKEN_VERIFIER_PORTABLE, TOKEN_VERIFIER_SIMD, TOKEN_VERIFIER_WIDE,
};
use poolgate_core::Algorithm;
use poolgate_tests::{
    keys::{RSA_2048, jwks},
    minting::{CLIENT_ID, Draft, ISSUER, KEY_ID, NOW, POOL_ID, SUBJECT},
};
use wasmtime::{
    Config as EngineConfig, Engine, OptLevel, Store,
    component::{Component, HasData, Linker},
};

#[allow(missing_docs)]
mod bindings {
    wasmtime::component::bindgen!({ path: "../wit", world: "token-verifier", additional_derives: [PartialEq] });
}

use bindings::{
    TokenVerifier,
    exports::poolgate::auth::verifier::{
        Answer, ClientRule, Config, ConfigError, Denial, IssuerRule, KeyOrigin, Membership, Pool, Reason, ResourceRule,
        Revocable, RevocationAnswer, RevocationMode, TokenUseRule, UserPool, Verified,
    },
    poolgate::auth::key_source::{self, FetchError, KeyResponse},
    wasi::clocks::wall_clock::{self, Datetime},
};

struct Host;

impl HasData for Host {
    type Data<'a> = &'a mut Host;
}

impl key_source::Host for Host {
    fn fetch(&mut self, _: String, _: Option<String>, _: Option<String>) -> Result<KeyResponse, FetchError> {
        Err(FetchError::Later)
    }
}

impl wall_clock::Host for Host {
    fn now(&mut self) -> Datetime {
        Datetime { seconds: NOW, nanoseconds: 0 }
    }

    fn resolution(&mut self) -> Datetime {
        Datetime { seconds: 1, nanoseconds: 0 }
    }
}

const ARTIFACTS: [(&str, &[u8]); 5] = [
    ("wide", TOKEN_VERIFIER_WIDE),
    ("simd", TOKEN_VERIFIER_SIMD),
    ("portable", TOKEN_VERIFIER_PORTABLE),
    ("cognito", TOKEN_VERIFIER_COGNITO),
    ("authenticator", AUTHENTICATOR),
];

/// An instance's `verifier`; every other door of the authenticator is a trap.
fn start(component: &[u8]) -> (Store<Host>, TokenVerifier) {
    let mut config = EngineConfig::new();
    // Compiling is most of what these tests do.
    config.wasm_wide_arithmetic(true).cranelift_opt_level(OptLevel::None);
    let engine = Engine::new(&config).expect("an engine");
    let component = Component::new(&engine, component).expect("it compiles");
    let mut linker = Linker::new(&engine);
    wall_clock::add_to_linker::<_, Host>(&mut linker, |host| host).expect("the clock");
    key_source::add_to_linker::<_, Host>(&mut linker, |host| host).expect("the key source");
    linker.define_unknown_imports_as_traps(&component).expect("other doors");
    let mut store = Store::new(&engine, Host);
    let bindings = TokenVerifier::instantiate(&mut store, &component, &linker).expect("it starts");
    (store, bindings)
}

fn config() -> Config {
    let pool = Pool {
        issuer: IssuerRule::UserPool(UserPool { id: POOL_ID.into(), region: None }),
        keys: KeyOrigin::Derived,
        algorithms: Vec::new(),
        token_use: TokenUseRule::Access,
        client: ClientRule::OneOf(vec![CLIENT_ID.into()]),
        groups: Membership::Unchecked,
        scopes: Membership::Unchecked,
        resource: ResourceRule::Unbound,
        max_age: None,
        leeway: 0,
        issued_at_skew: 60,
    };
    Config { pools: vec![pool], limits: None, key_policy: None, cache: None }
}

fn keys() -> String {
    jwks(&[RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID)])
}

fn awaits_revocation(denial: &Denial) -> Option<&Revocable> {
    assert_eq!((denial.reason, denial.answer), (Reason::RevocationUnavailable, Answer::Unavailable));
    denial.awaits_revocation.as_ref()
}

fn payload(verdict: Result<Verified, Denial>) -> Result<String, Reason> {
    verdict.map(|verified| verified.payload).map_err(|denial| denial.reason)
}

#[test]
fn no_artifact_lets_a_token_in_before_the_host_has_answered() {
    for (name, artifact) in ARTIFACTS {
        let (mut store, bindings) = start(artifact);
        let verifier = bindings.poolgate_auth_verifier();
        let draft = Draft::access(&RSA_2048);
        let (token, expected) = (draft.compact(), String::from_utf8(draft.payload_bytes()).expect("JSON"));
        assert_eq!(verifier.call_ask_revocation(&mut store, RevocationMode::FailClosed).expect("no trap"), Ok(()));
        verifier.call_configure(&mut store, &config()).expect("no trap").expect("the configuration is good");

        // The keys come later; then, however the token is judged, and also when it is remembered.
        let denial = verifier.call_verify(&mut store, &token).expect("no trap").expect_err("there are no keys yet");
        assert_eq!((denial.reason, denial.awaits_revocation), (Reason::KeysUnavailable, None), "{name}");
        verifier.call_seed_keys(&mut store, ISSUER, keys().as_bytes(), NOW).expect("no trap").expect("good keys");
        for _ in 0..2 {
            let again =
                verifier.call_verify_again(&mut store, &token).expect("no trap").expect_err("it is not asked yet");
            let judged = verifier.call_judge(&mut store, &token).expect("no trap").map(|_| ());
            let verified = verifier.call_verify(&mut store, &token).expect("no trap").map(|_| ());
            for denial in [again, judged.expect_err("it is not asked yet"), verified.expect_err("it is not asked yet")]
            {
                let revocable = awaits_revocation(&denial).unwrap_or_else(|| panic!("{name}: nothing to ask"));
                assert_eq!(revocable.issuer.as_deref(), Some(ISSUER));
                assert_eq!(revocable.subject.as_deref(), Some(SUBJECT));
                assert_eq!(revocable.auth_time, Some(NOW - 60));
                assert_eq!(revocable.jti.as_deref(), Some("33333333-4444-4555-8666-777777777777"));
                assert_eq!(revocable.origin_jti.as_deref(), Some("11111111-2222-4333-8444-555555555555"));
            }
            for (answer, expected) in [
                (RevocationAnswer::NotRevoked, Ok(expected.clone())),
                (RevocationAnswer::Revoked, Err(Reason::Revoked)),
                (RevocationAnswer::Unavailable, Err(Reason::RevocationUnavailable)),
            ] {
                let verdict = verifier.call_verify_asked(&mut store, &token, answer).expect("no trap");
                assert_eq!(payload(verdict), expected, "{name}: {answer:?}");
            }
        }
        // An answer is for a good token alone, and nothing is left to ask.
        let expired = Draft::access(&RSA_2048).claim("exp", NOW).compact();
        let denial = verifier.call_verify(&mut store, &expired).expect("no trap").expect_err("it has expired");
        assert_eq!((denial.reason, denial.awaits_revocation), (Reason::Expired, None), "{name}");
        let verdict = verifier.call_verify_asked(&mut store, &expired, RevocationAnswer::NotRevoked).expect("no trap");
        assert_eq!(payload(verdict), Err(Reason::Expired), "{name}");
    }
}

#[test]
fn the_mode_is_stated_before_the_configuration_and_once() {
    let (mut store, bindings) = start(TOKEN_VERIFIER_PORTABLE);
    let verifier = bindings.poolgate_auth_verifier();
    let mut state = |mode| verifier.call_ask_revocation(&mut store, mode).expect("no trap");
    assert_eq!(state(RevocationMode::FailOpen), Ok(()));
    assert_eq!(state(RevocationMode::FailClosed), Err(ConfigError::AlreadyConfigured));

    let (mut store, bindings) = start(TOKEN_VERIFIER_PORTABLE);
    let verifier = bindings.poolgate_auth_verifier();
    let asked = |store: &mut Store<Host>| {
        let verdict =
            verifier.call_verify_asked(store, &Draft::access(&RSA_2048).compact(), RevocationAnswer::NotRevoked);
        payload(verdict.expect("no trap"))
    };
    assert_eq!(asked(&mut store), Err(Reason::NotConfigured));
    verifier.call_configure(&mut store, &config()).expect("no trap").expect("the configuration is good");
    verifier.call_seed_keys(&mut store, ISSUER, keys().as_bytes(), NOW).expect("no trap").expect("good keys");
    let late = verifier.call_ask_revocation(&mut store, RevocationMode::FailClosed).expect("no trap");
    assert_eq!(late, Err(ConfigError::AlreadyConfigured));
    assert_eq!(asked(&mut store), Err(Reason::NotConfigured), "it does not ask, and takes no answer");
    let verdict = verifier.call_verify(&mut store, &Draft::access(&RSA_2048).compact()).expect("no trap");
    assert!(verdict.is_ok(), "a host that knows of no revocation is asked nothing");
}
