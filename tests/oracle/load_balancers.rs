//! Tokens of load balancers: what the core accepts and `jsonwebtoken` does not, and what a verifier with only AWS's example code accepts and the
//! core does not.

use crate::{
    CASES, STRICTER, alone,
    peer::Peer,
    settings,
    tokens::{Change, Spelling, changed, claim_change, header_change, json, spelling},
};
use base64::{Engine, engine::general_purpose::URL_SAFE};
use jsonwebtoken::jwk::Jwk;
use poolgate_core::{CacheLimits, Config, KeyPolicy, Limits, Reason, Step, Verifier};
use poolgate_tests::{
    corpus::{
        load_balancers::{ARN, KEY_ID, OTHER_ARN, draft, padded, rules},
        pool,
    },
    keys::{P256, jwks},
    minting::{CLIENT_ID, ISSUER, NOW},
};
use proptest::{collection::vec, option::weighted, prelude::*, sample::select, test_runner::TestRunner};
use std::{cell::RefCell, collections::BTreeMap};

/// What the core accepts and `jsonwebtoken` rejects, by its error, and why the core is right.
const WIDER: &[(&str, &str)] = &[(
    "Base64 error",
    "RFC 7515 section 2 has no padding, but load balancers write it and sign it. The core requires exactly the padding that is needed, so each token \
     has one spelling, and only in a pool of load balancers: all other pools reject it",
)];

/// The reasons with which the core rejects a token of a load balancer that a verifier like AWS's example accepts, and that are not in [`STRICTER`].
const STRICTER_HERE: &[(Reason, &str)] = &[
    (Reason::AudienceInvalid, "aud is not read"),
    (Reason::NotBeforeInvalid, "any number is accepted; a date before 1970 is a mistake"),
    (
        Reason::SignerMismatch,
        "the signer is not compared: any load balancer of the region could sign, of any AWS account",
    ),
    (Reason::HeaderMismatch, "RFC 7519 section 5.3: copies of claims in the header should be the same as the claims"),
    (Reason::ClientMissing, "the client is not compared: another application could have signed the user in"),
    (Reason::ClientMismatch, "the same"),
    (
        Reason::ResourceMismatch,
        "aud is not compared; load balancers write none, so a token with one is for somebody else",
    ),
];

/// The rows of [`STRICTER`] that no token of a load balancer can have: its `token_use` is not checked, its `aud` names no client, and the oracle
/// compares `iss` as a text.
const NOT_HERE: &[Reason] =
    &[Reason::TokenUseMissing, Reason::TokenUseMismatch, Reason::AudienceMismatch, Reason::IssuerInvalid];

#[derive(Clone, Debug)]
struct Changes {
    headers: Vec<Change>,
    claims: Vec<Change>,
    /// The header has the same `iss` and `exp` as the payload.
    is_copied: bool,
    is_padded: bool,
    spelling: Option<Spelling>,
}

impl Changes {
    fn token(&self) -> String {
        let mut headers = self.headers.clone();
        if self.is_copied {
            let copies = self.claims.iter().filter_map(|change| match change {
                Change::Set(name @ ("iss" | "exp"), value) => Some(Change::Set(name, value.clone())),
                _ => None,
            });
            headers.extend(copies);
        }
        let draft = changed(draft(), &headers, &self.claims);
        let token = if self.is_padded { padded(&draft) } else { draft.compact() };
        match &self.spelling {
            None => token,
            Some(spelling) => spelling.of(token),
        }
    }
}

fn strategy() -> impl Strategy<Value = Changes> {
    let headers = || prop_oneof![2 => header_change(), 3 => own_header_change()];
    (
        prop_oneof![4 => vec(headers(), 0..1), 3 => vec(headers(), 1..3)],
        prop_oneof![2 => vec(claim_change(), 0..1), 3 => vec(claim_change(), 1..4)],
        prop::bool::weighted(0.8),
        prop::bool::weighted(0.9),
        weighted(0.2, spelling()),
    )
        .prop_map(|(headers, claims, is_copied, is_padded, spelling)| Changes {
            headers,
            claims,
            is_copied,
            is_padded,
            spelling,
        })
}

/// A change of a member that only load balancers write.
fn own_header_change() -> impl Strategy<Value = Change> {
    let quoted = |text: &str| format!("\"{text}\"");
    let likely = vec![
        ("signer", quoted(OTHER_ARN)),
        ("signer", quoted(&ARN.replace("111122223333", "444455556666"))),
        ("signer", format!("[{}]", quoted(ARN))),
        ("client", quoted("another")),
        ("client", format!("[{}]", quoted(CLIENT_ID))),
        ("exp", (NOW + 121).to_string()),
        ("exp", format!("{}.0", NOW + 120)),
        ("exp", quoted(&(NOW + 120).to_string())),
        ("iss", quoted("https://id.example.com")),
        ("kid", quoted(&KEY_ID.to_uppercase())),
    ];
    let names = || select(&["signer", "client", "iss", "exp"][..]);
    prop_oneof![
        3 => select(likely).prop_map(|(name, value)| Change::Set(name, value)),
        1 => (names(), json()).prop_map(|(name, value)| Change::Set(name, value)),
        1 => (names(), json()).prop_map(|(name, value)| Change::Again(name, value)),
        2 => names().prop_map(Change::Remove),
    ]
}

#[test]
fn what_only_the_core_accepts_or_rejects_of_load_balancers_is_listed() {
    let verifier = RefCell::new(verifier());
    // It selects the provider.
    let _ = Peer::new();
    let jwk: Jwk = serde_json::from_value(P256.jwk(KEY_ID)).expect("a JWK");
    let tally = RefCell::new(BTreeMap::<String, usize>::new());
    let count = |outcome: &str| *tally.borrow_mut().entry(outcome.to_owned()).or_default() += 1;
    let outcome = TestRunner::new(settings()).run(&strategy(), |changes| {
        let token = changes.token();
        let Step::Done(verdict) = verifier.borrow_mut().verify(NOW, &token) else {
            panic!("a pool with local keys needs a fetch")
        };
        match (verdict, Peer::verify_padded(&token, KEY_ID, &jwk)) {
            (Ok(verified), Ok(payload)) => {
                let read: serde_json::Value = serde_json::from_str(&verified.payload).expect("JSON");
                prop_assert_eq!(&read, &payload);
                prop_assert_eq!(verified.subject.as_deref(), payload["sub"].as_str());
                prop_assert_eq!(verified.client_id.as_deref(), Some(CLIENT_ID));
                let error = Peer::error_of_padded(&token, &jwk).expect("jsonwebtoken accepts no padding");
                let listed = WIDER.iter().find(|(listed, _)| error.starts_with(listed));
                prop_assert!(listed.is_some(), "{error} is not on the list: {token}");
                count("accepted by the core, and rejected by jsonwebtoken for the padding");
                prop_assert!(is_exactly_padded(&token), "{token}");
            }
            (Ok(_), Err(error)) => {
                return Err(TestCaseError::fail(format!("the core accepts what is rejected: {error}\n{changes:?}")));
            }
            (Err(reason), Ok(_)) => {
                count(&alone(reason));
                let is_listed = STRICTER.iter().chain(STRICTER_HERE).any(|(listed, _)| *listed == reason);
                prop_assert!(is_listed, "{} is not on the list: {changes:?}", reason.name());
            }
            (Err(_), Err(_)) => count("rejected by both"),
        }
        Ok(())
    });
    for (outcome, number) in tally.borrow().iter() {
        println!("{number:6} {outcome}");
    }
    outcome.unwrap_or_else(|error| panic!("{error}"));
    let seen = |start: &str| tally.borrow().keys().any(|outcome| outcome.starts_with(start));
    assert!(seen("accepted by the core"), "no token was accepted, so nothing was compared");
    if settings().cases >= CASES {
        let rows = STRICTER.iter().chain(STRICTER_HERE).map(|(reason, _)| *reason);
        let rows = rows.filter(|reason| !NOT_HERE.contains(reason) && !seen(&alone(*reason)));
        let idle: Vec<&str> = rows.map(Reason::name).collect();
        assert!(idle.is_empty(), "in the lists, but not seen: {idle:?}");
    }
}

/// Encoding what a strict decoder reads returns the token.
fn is_exactly_padded(token: &str) -> bool {
    let parts = token.split('.').map(|part| URL_SAFE.decode(part).map(|bytes| URL_SAFE.encode(bytes)));
    let parts: Vec<String> = parts.filter_map(Result::ok).collect();
    parts.join(".") == token
}

fn verifier() -> Verifier {
    let mut pool = pool();
    rules(&mut pool);
    let mut verifier = Verifier::new(Config {
        pools: vec![pool],
        limits: Limits::default(),
        key_policy: KeyPolicy::default(),
        cache: CacheLimits::default(),
        requirements: Vec::new(),
    })
    .expect("a configuration");
    let keys = jwks(&[P256.jwk(KEY_ID)]);
    for arn in [ARN, OTHER_ARN] {
        verifier.load_key_set(NOW, arn, keys.as_bytes(), NOW).expect("keys");
    }
    assert_eq!(verifier.key_reports(NOW).len(), 2, "one key set for each load balancer of {ISSUER}");
    verifier
}
