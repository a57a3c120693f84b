//! The core compared with two oracles: `jsonwebtoken` (with aws-lc) verifies tokens, and the `rsa` crate verifies RSA signatures. Both must
//! accept what the core accepts. If only the core rejects a token, its reason must be in [`STRICTER`]. The tokens of load balancers have lists of
//! their own: of what only the core accepts, too.
//!
//! `PROPTEST_CASES` sets the number of tokens. The seed is fixed, but every process creates new keys.

#[path = "oracle/load_balancers.rs"]
mod load_balancers;
#[path = "oracle/peer.rs"]
mod peer;
#[path = "oracle/tokens.rs"]
mod tokens;

use poolgate_core::{CacheLimits, ClientRule, Config, KeyPolicy, Limits, Pool, Reason, Step, TokenUseRule, Verifier};
use poolgate_tests::{
    corpus::pool,
    minting::{CLIENT_ID, ISSUER, NOW},
};
use proptest::test_runner::{Config as Settings, RngSeed, TestCaseError, TestRunner};
use std::{cell::RefCell, collections::BTreeMap};

/// Every reason with which the core rejects a token that the oracle accepts, and why it should.
const STRICTER: &[(Reason, &str)] = &[
    (Reason::HeaderMalformed, "null counts as absent for cty and x5t, also in the header, which a stranger wrote"),
    (
        Reason::HeaderDuplicateMember,
        "only declared members are checked for duplicates; parsers differ in which one counts",
    ),
    (Reason::PayloadDuplicateMember, "the same: a proxy and a service could read different groups from one token"),
    (Reason::HeaderTooDeep, "serde_json allows 128 levels; no token needs 17"),
    (Reason::PayloadTooDeep, "the same"),
    (Reason::TokenTooLarge, "the oracle has no limit; Cognito's tokens are a few KiB"),
    (Reason::CriticalHeader, "an extension that must be understood is ignored (RFC 7515 section 4.1.11)"),
    (Reason::UnencodedPayload, "b64 is ignored; a JWT must not use it (RFC 7797 section 7)"),
    (Reason::EmbeddedKey, "a key in the header is parsed but not used; no token of a user pool has one"),
    (
        Reason::TypeNotAllowed,
        "typ is not compared; a logout token must not pass for an ID token (RFC 8725 section 3.11)",
    ),
    (Reason::IssuerInvalid, "an array of issuers is accepted if one fits; iss is one string (RFC 7519 section 4.1.1)"),
    (Reason::ExpiryOutOfRange, "a date after the year 9999 is a mistake, such as milliseconds, not a long life"),
    (Reason::IssuedAtInvalid, "iat is not checked"),
    (Reason::IssuedInFuture, "the same"),
    (Reason::ClaimInvalid, "sub, username, jti and auth_time are not checked"),
    (
        Reason::AudienceMismatch,
        "azp is not compared; an ID token for several clients names the one it was issued to (OpenID Connect Core 3.1.3.7)",
    ),
    (Reason::ClientInvalid, "client_id is not known to the oracle"),
    (Reason::TokenUseMissing, "token_use is not known to the oracle"),
    (Reason::TokenUseInvalid, "the same"),
    (Reason::TokenUseMismatch, "the same"),
    (Reason::GroupsInvalid, "cognito:groups is not known to the oracle"),
    (Reason::ScopeInvalid, "scope is not known to the oracle"),
    (Reason::SubjectMissing, "sub is not required; a token without it cannot be revoked by a sign-out"),
    (Reason::SenderConstrained, "cnf is not checked: a token that is bound to a key is accepted as a bearer token"),
];

/// The number of tokens, unless `PROPTEST_CASES` sets another. It is enough to see every row of the list.
const CASES: u32 = 8_000;

#[test]
fn the_oracles_accept_what_the_core_accepts_and_other_differences_are_listed() {
    let verifier = RefCell::new(verifier());
    let peer = peer::Peer::new();
    let tally = RefCell::new(BTreeMap::<String, usize>::new());
    let count = |outcome: &str| *tally.borrow_mut().entry(outcome.to_owned()).or_default() += 1;
    let outcome = TestRunner::new(settings()).run(&tokens::strategy(), |token| {
        let step = verifier.borrow_mut().verify(NOW, &token.compact);
        let Step::Done(verdict) = step else { panic!("a pool with local keys needs a fetch") };
        match (verdict, peer.verify(&token.compact)) {
            (Ok(verified), Ok(payload)) => {
                count("accepted by all");
                let read: serde_json::Value = serde_json::from_str(&verified.payload).expect("JSON");
                proptest::prop_assert_eq!(&read, &payload);
                proptest::prop_assert_eq!(verified.subject.as_deref(), payload["sub"].as_str());
                proptest::prop_assert_eq!(verified.client_id.as_deref(), Some(CLIENT_ID));
            }
            (Ok(_), Err(error)) => {
                return Err(TestCaseError::fail(format!(
                    "the core accepts what the oracle rejects: {error}\n{token:?}"
                )));
            }
            (Err(reason), Ok(_)) => {
                count(&alone(reason));
                let is_listed = STRICTER.iter().any(|(listed, _)| *listed == reason);
                proptest::prop_assert!(is_listed, "{} is not on the list: {token:?}", reason.name());
            }
            (Err(_), Err(_)) => count("rejected by all"),
        }
        Ok(())
    });
    for (outcome, number) in tally.borrow().iter() {
        println!("{number:6} {outcome}");
    }
    outcome.unwrap_or_else(|error| panic!("{error}"));
    let accepted = tally.borrow().get("accepted by all").copied().unwrap_or(0);
    assert!(accepted > 0, "no token was accepted, so nothing was compared");
    if settings().cases >= CASES {
        let seen = |reason: Reason| tally.borrow().contains_key(&alone(reason));
        let idle: Vec<&str> =
            STRICTER.iter().map(|(reason, _)| *reason).filter(|reason| !seen(*reason)).map(Reason::name).collect();
        assert!(idle.is_empty(), "in the list, but not seen: {idle:?}");
    }
}

fn alone(reason: Reason) -> String {
    format!("rejected by the core alone: {}", reason.name())
}

fn settings() -> Settings {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let from_environment = Settings::default();
    let cases = if asked { from_environment.cases } else { CASES };
    Settings { cases, rng_seed: RngSeed::Fixed(0x706f_6f6c), failure_persistence: None, ..from_environment }
}

/// Accepts ID tokens of one client with all algorithms except ES512, which the oracle does not support.
fn verifier() -> Verifier {
    let pool = Pool {
        algorithms: peer::ALGORITHMS.to_vec(),
        token_use: TokenUseRule::Id,
        client: ClientRule::OneOf(vec![CLIENT_ID.into()]),
        ..pool()
    };
    let mut verifier = Verifier::new(Config {
        pools: vec![pool],
        limits: Limits::default(),
        key_policy: KeyPolicy::default(),
        cache: CacheLimits::default(),
        requirements: Vec::new(),
    })
    .expect("a configuration");
    verifier.load_key_set(NOW, ISSUER, peer::jwks().as_bytes(), NOW).expect("keys");
    verifier
}
