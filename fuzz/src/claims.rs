//! Claims and policies: signed tokens, compared with a model that is written from the documentation.
//!
//! Oracles: a token is accepted exactly if the model accepts it, at each of several times, with a cache and without. The claims that are
//! returned are those of the payload. Another order of members, other whitespace, other escapes and an unknown claim change nothing. A
//! duplicate claim is always rejected. The explanation of a verdict has its reason.

mod model;
mod plan;

use crate::{
    reference::json::Tree,
    scene,
    text::{Order, plain, respelled},
};
use arbitrary::{Arbitrary, Unstructured};
use plan::Plan;
use poolgate_core::{CacheLimits, CheckResult, KeyOrigin, KeyPolicy, Reason, Step, TokenUse, Verified, Verifier};

/// The issuer of the pool.
const ISSUER: &str = "https://issuer.example";
/// All times are close to this one.
const NOW: u64 = 1_700_000_000;
/// The maximum nesting of the default limits.
const DEPTH: u32 = 16;

/// The input is a `Plan`.
pub fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok(plan) = Plan::arbitrary(&mut input) else { return };
    let pool = plan.pool();
    let members = plan.members();
    let tree = Tree::Object(members.clone());
    let payload = plain(&tree);
    let is_grammatical = Tree::read(payload.as_bytes(), DEPTH).is_ok();
    let is_read = is_grammatical && !tree.has_duplicates();
    let token = scene::token(0, &payload);
    let respelled_token = scene::token(0, &respelled(&tree, Order::Changed, &mut input));
    let mut with_more = members;
    with_more.push(("unknown to all".into(), Tree::Array(vec![Tree::Null])));
    let with_more = scene::token(0, &plain(&Tree::Object(with_more)));

    let mut cached = verifier(&pool, CacheLimits::default());
    for now in plan.times() {
        let mut uncached = verifier(&pool, scene::NO_CACHE);
        let verdict = verify(&mut uncached, now, &token);
        let expected = is_read && model::allows(&tree, &pool, now);
        assert_eq!(verdict.is_ok(), expected, "{verdict:?} at {now} of {payload} for {pool:?}");
        match &verdict {
            Ok(claims) => assert_eq!(*claims, model::expected_claims(&tree, &pool), "of {payload}"),
            Err(reason) if is_grammatical && !is_read => {
                assert_eq!(*reason, Reason::PayloadDuplicateMember, "{payload}")
            }
            Err(_) => (),
        }
        explain(&mut uncached, now, &token, verdict.as_ref().err().copied(), &payload);
        assert_eq!(verify(&mut cached, now, &token), verdict, "with a cache, at {now}, of {payload}");
        assert_eq!(verify(&mut cached, now, &token), verdict, "from the cache, at {now}, of {payload}");
        assert_eq!(
            verify(&mut uncached, now, &respelled_token),
            verdict,
            "encoded differently, at {now}, of {payload}"
        );
        assert_eq!(verify(&mut uncached, now, &with_more), verdict, "with an unknown claim, at {now}, of {payload}");
    }
    // This is fast: an accepted token is cached, and for a rejected one no signature is verified.
    for now in model::edges(&tree, &pool) {
        let verdict = verify(&mut cached, now, &token);
        let expected = is_read && model::allows(&tree, &pool, now);
        assert_eq!(verdict.is_ok(), expected, "{verdict:?} at the edge {now} of {payload} for {pool:?}");
    }
}

/// Compares the explanation with the verdict: the first failed check has the reason.
fn explain(verifier: &mut Verifier, now: u64, token: &str, reason: Option<Reason>, payload: &str) {
    let explanation = verifier.explain(now, token);
    let failed = explanation.checks.iter().find_map(|check| match check.result {
        CheckResult::Failed(reason) => Some(reason),
        CheckResult::Passed | CheckResult::NotChecked => None,
    });
    assert_eq!((explanation.reason, failed), (reason, reason), "{explanation:?} at {now} of {payload}");
    assert!(reason.is_some() || explanation.is_signature_valid, "accepted without a signature: {payload}");
}

/// The claims of a verified token, in a form that can be compared.
#[derive(Debug, PartialEq)]
struct ClaimsOfToken {
    subject: Option<String>,
    username: Option<String>,
    token_use: Option<TokenUse>,
    issuer: Option<String>,
    client_id: Option<String>,
    groups: Vec<String>,
    scopes: Vec<String>,
    issued_at: Option<u64>,
    expires_at: u64,
    auth_time: Option<u64>,
}

impl From<Verified> for ClaimsOfToken {
    fn from(verified: Verified) -> Self {
        Self {
            subject: verified.subject,
            username: verified.username,
            token_use: verified.token_use,
            issuer: verified.issuer,
            client_id: verified.client_id,
            groups: verified.groups,
            scopes: verified.scopes,
            issued_at: verified.issued_at,
            expires_at: verified.expires_at,
            auth_time: verified.auth_time,
        }
    }
}

fn verifier(pool: &poolgate_core::Pool, cache: CacheLimits) -> Verifier {
    let mut verifier = Verifier::new(scene::config(vec![pool.clone()], KeyPolicy::default(), cache))
        .unwrap_or_else(|error| panic!("{error}: {pool:?}"));
    let jwks = format!(r#"{{"keys":[{}]}}"#, scene::jwk(0));
    verifier.load_key_set(0, ISSUER, jwks.as_bytes(), 0).expect("the keys are valid");
    verifier
}

fn verify(verifier: &mut Verifier, now: u64, token: &str) -> Result<ClaimsOfToken, Reason> {
    // Loading the keys again keeps them fresh, because their age is not tested here.
    let jwks = format!(r#"{{"keys":[{}]}}"#, scene::jwk(0));
    verifier.load_key_set(now, ISSUER, jwks.as_bytes(), now).expect("the keys are valid");
    match verifier.verify(now, token) {
        Step::Done(verdict) => verdict.map(ClaimsOfToken::from),
        step => panic!("a pool with local keys waits for keys: {step:?}"),
    }
}

/// The keys of the pool are loaded, never fetched.
fn origin() -> KeyOrigin {
    KeyOrigin::Local
}
