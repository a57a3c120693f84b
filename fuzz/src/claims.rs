//! Claims, times and policy: whole tokens, really signed, against a model that is written from the README's table of reasons.
//!
//! Oracles: a token is allowed exactly if the model allows it, at each of several times, with a cache and without; what is said of it
//! is what its payload says; another order of members, other whitespace, other escapes and an unknown claim change nothing; a claim
//! twice is refused always.

mod model;
mod plan;

use crate::{
    reference::json::Tree,
    scene,
    text::{Order, plain, respelled},
};
use arbitrary::{Arbitrary, Unstructured};
use plan::Plan;
use poolgate_core::{CacheLimits, KeyOrigin, KeyPolicy, Reason, Step, TokenUse, Verified, Verifier};

/// The issuer of the model's pool.
const ISSUER: &str = "https://issuer.example";
/// Around this all times are.
const NOW: u64 = 1_700_000_000;
/// The deepest nesting: that of the default limits.
const DEPTH: u32 = 16;

/// Takes a `Plan`.
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
    let spelled = scene::token(0, &respelled(&tree, Order::Changed, &mut input));
    let mut with_more = members;
    with_more.push(("unknown to all".into(), Tree::Array(vec![Tree::Null])));
    let with_more = scene::token(0, &plain(&Tree::Object(with_more)));

    let mut caching = verifier(&pool, CacheLimits::default());
    for now in plan.times() {
        let mut plainly = verifier(&pool, scene::NO_CACHE);
        let verdict = judge(&mut plainly, now, &token);
        let expected = is_read && model::allows(&tree, &pool, now);
        assert_eq!(verdict.is_ok(), expected, "{verdict:?} at {now} of {payload} for {pool:?}");
        match &verdict {
            Ok(said) => assert_eq!(*said, model::said(&tree, &pool), "of {payload}"),
            Err(reason) if is_grammatical && !is_read => {
                assert_eq!(*reason, Reason::PayloadDuplicateMember, "{payload}")
            }
            Err(_) => (),
        }
        assert_eq!(judge(&mut caching, now, &token), verdict, "with a cache, at {now}, of {payload}");
        assert_eq!(judge(&mut caching, now, &token), verdict, "remembered, at {now}, of {payload}");
        assert_eq!(judge(&mut plainly, now, &spelled), verdict, "spelled otherwise, at {now}, of {payload}");
        assert_eq!(judge(&mut plainly, now, &with_more), verdict, "with an unknown claim, at {now}, of {payload}");
    }
    // Cheap: where it is allowed it is remembered, and where it is not, no signature is looked at.
    for now in model::edges(&tree, &pool) {
        let verdict = judge(&mut caching, now, &token);
        let expected = is_read && model::allows(&tree, &pool, now);
        assert_eq!(verdict.is_ok(), expected, "{verdict:?} at the edge {now} of {payload} for {pool:?}");
    }
}

/// What is said of a token, so that it can be compared.
#[derive(Debug, PartialEq)]
struct Said {
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

impl From<Verified> for Said {
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
    verifier.load_key_set(0, ISSUER, jwks.as_bytes(), 0).expect("the keys are good");
    verifier
}

fn judge(verifier: &mut Verifier, now: u64, token: &str) -> Result<Said, Reason> {
    // The keys are as good as new: this is about claims.
    let jwks = format!(r#"{{"keys":[{}]}}"#, scene::jwk(0));
    verifier.load_key_set(now, ISSUER, jwks.as_bytes(), now).expect("the keys are good");
    match verifier.verify(now, token) {
        Step::Done(verdict) => verdict.map(Said::from),
        step => panic!("a seeded pool waits for keys: {step:?}"),
    }
}

/// The pool's keys are brought, never fetched.
fn origin() -> KeyOrigin {
    KeyOrigin::Local
}
