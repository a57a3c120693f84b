//! Public keys in PEM, as load balancers publish them, on the whole way: a token needs its key, the key is fetched, and the token is verified.
//!
//! Oracles: a body is accepted exactly if a reader written from RFC 7468 and X.690 accepts it, and otherwise rejected with the same error. The
//! `p256` crate reads the same key, and writes it with the same bytes; it reads every body in the form that section 3
//! of RFC 7468 demands of who writes one. A token is verified exactly if the key is the one that signed it. Nothing is held after a body that
//! was rejected. Other line breaks, line lengths and whitespace change nothing.

mod plan;

use crate::{
    reference::pem,
    scene::{self, load_balancer},
};
use arbitrary::{Arbitrary, Unstructured};
use p256::{
    PublicKey,
    pkcs8::{DecodePublicKey, EncodePublicKey},
};
use plan::Plan;
use poolgate_core::{
    Config, IssuerRule, KeyOrigin, KeyPolicy, KeySetError, Limits, LoadBalancers, LogicalTime, Pool, Reason, Response,
    Step, Verifier,
};
use std::sync::LazyLock;

const ISSUER: &str = "https://issuer.example";
const URL: &str = "https://keys.example";
const NOW: u64 = 1_700_000_000;

/// A token of each key. Both say that they are signed with the first.
static TOKENS: LazyLock<[String; 2]> = LazyLock::new(|| {
    let (key_id, arn, exp) = (load_balancer::key_id(0), load_balancer::ARN, NOW + 120);
    let header = format!(r#"{{"alg":"ES256","kid":"{key_id}","iss":"{ISSUER}","exp":{exp},"signer":"{arn}"}}"#);
    let payload = format!(r#"{{"iss":"{ISSUER}","exp":{exp}}}"#);
    [0, 1].map(|number| load_balancer::token(number, &header, &payload))
});

/// The input is a byte for the form, followed by a plan of a body or by the body.
pub fn run(data: &[u8]) {
    let Some((form, rest)) = data.split_first() else { return };
    match form % 2 {
        0 => check(rest, Limits::default()),
        _ => {
            let Ok(plan) = Plan::arbitrary(&mut Unstructured::new(rest)) else { return };
            check(&plan.body(), Limits { jwks_bytes: plan.limit(), ..Limits::default() });
        }
    }
}

fn check(body: &[u8], limits: Limits) {
    let text = String::from_utf8_lossy(body);
    let block = pem::block(body);
    let point = block.as_deref().and_then(pem::point);
    if let Some(block) = &block {
        check_with_library(block, point.is_some(), &text);
    }
    let expected = match (&block, &point) {
        _ if body.len() > limits.jwks_bytes as usize => Err(KeySetError::TooLarge),
        (None, _) => Err(KeySetError::Malformed),
        (Some(_), None) => Err(KeySetError::NoUsableKey),
        (Some(_), Some(point)) => Ok(point.clone()),
    };
    let mut run = Run::new(limits);
    run.need_key();
    assert_eq!(run.fetched(body), expected.as_ref().map(drop).map_err(|error| *error), "{text:?}");
    run.check_tokens(expected.as_ref().ok(), &text);
    let Ok(point) = expected else { return };

    let spellings = plan::respelled(block.as_deref().unwrap_or_default());
    // The first is what RFC 7468 section 3 demands of who writes a key (`stricttextualmsg`).
    if text == spellings[0] || text == spellings[0].replace('\n', "\r\n") {
        let library = PublicKey::from_public_key_pem(&text);
        assert!(library.is_ok(), "the p256 crate rejects {text:?}: {library:?}");
    }
    for respelled in spellings {
        let mut run = Run::new(Limits::default());
        run.need_key();
        assert_eq!(run.fetched(respelled.as_bytes()), Ok(()), "{respelled:?} of {text:?}");
        run.check_tokens(Some(&point), &respelled);
    }
}

/// DER has one encoding of a key on P-256 whose point is uncompressed. The library also reads others.
fn check_with_library(block: &[u8], is_accepted: bool, text: &str) {
    let key = PublicKey::from_public_key_der(block);
    let is_its_own_encoding = key.is_ok_and(|key| key.to_public_key_der().is_ok_and(|der| der.as_bytes() == block));
    assert_eq!(is_accepted, is_its_own_encoding, "the p256 crate on {text:?}");
}

struct Run(Verifier);

impl Run {
    fn new(limits: Limits) -> Self {
        let load_balancers = LoadBalancers { issuer: ISSUER.into(), arns: vec![load_balancer::ARN.into()] };
        let pool = Pool {
            issuer: IssuerRule::LoadBalancers(load_balancers),
            algorithms: vec![],
            ..scene::pool(ISSUER, KeyOrigin::Url(URL.into()))
        };
        let config = scene::config(vec![pool], KeyPolicy::default(), scene::NO_CACHE);
        Self(Verifier::new(Config { limits, ..config }).expect("the configuration is valid"))
    }

    fn need_key(&mut self) {
        let Self(verifier) = self;
        match verifier.verify(NOW, &TOKENS[0]) {
            Step::NeedsKeys(fetch) => {
                assert_eq!((fetch.url, fetch.key_id.as_deref()), (key_url(), Some(&*load_balancer::key_id(0))));
            }
            step => panic!("the key is not known yet: {step:?}"),
        }
    }

    fn fetched(&mut self, body: &[u8]) -> Result<(), KeySetError> {
        let response = Response { body: Some(body), max_age: None, etag: None };
        self.0.fetched(NOW, &key_url(), Some(&load_balancer::key_id(0)), LogicalTime(1), NOW, Ok(response))
    }

    /// Checks the tokens of all keys, and the report. `point` is the key that was accepted.
    fn check_tokens(&mut self, point: Option<&[Vec<u8>; 2]>, text: &str) {
        let Self(verifier) = self;
        for (number, token) in (0..).zip(TOKENS.iter()) {
            let (after, repeated) = match point {
                None => (Err(Reason::KeyRefused), Err(Reason::KeyUnknownCached)),
                Some(point) if *point == load_balancer::coordinates(number) => (Ok(()), Ok(())),
                Some(_) => (Err(Reason::SignatureInvalid), Err(Reason::SignatureInvalid)),
            };
            assert_eq!(
                verdict(verifier.verify_after_fetch(NOW, token, LogicalTime(0))),
                after,
                "key {number}: {text:?}"
            );
            assert_eq!(verdict(verifier.verify(NOW, token)), repeated, "key {number}, repeated: {text:?}");
            let explanation = verifier.explain(NOW, token);
            assert_eq!(explanation.is_signature_valid, after.is_ok(), "key {number}, explained: {text:?}");
        }
        let reports = verifier.key_reports(NOW);
        let held: Vec<&str> = reports.iter().flat_map(|report| &report.key_ids).map(|key_id| &**key_id).collect();
        let expected: Vec<String> = point.iter().map(|_| load_balancer::key_id(0)).collect();
        assert_eq!(held, expected, "{text:?}");
    }
}

fn key_url() -> String {
    format!("{URL}/{}", load_balancer::key_id(0))
}

fn verdict(step: Step) -> Result<(), Reason> {
    match step {
        Step::Done(verdict) => verdict.map(drop),
        step => panic!("a fetch has ended, so no other follows: {step:?}"),
    }
}
