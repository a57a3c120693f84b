//! Claims and policies: signed tokens, compared with a model that is written from the documentation. An issuer signs them, or a load balancer,
//! whose tokens have claims in the header too and a grammar of their own.
//!
//! Oracles: a token is accepted exactly if the model accepts it, at each of several times, with a cache and without. The claims that are
//! returned are those of the payload. Another order of members, other whitespace, other escapes and an unknown claim change nothing. A
//! duplicate claim is always rejected. The explanation of a verdict has its reason. The nonce and the hash of the access token are compared if
//! the token is accepted, and otherwise the reason is the same. Beside the load balancers of an issuer, its own tokens are judged as ever.

mod change;
mod issued;
mod load_balancer;
mod model;
mod plan;

use crate::{reference::json::Tree, scene, text::plain};
use arbitrary::{Arbitrary, Unstructured};
use issued::Issued;
use plan::Plan;
use poolgate_core::{
    CacheLimits, CheckResult, KeyOrigin, KeyPolicy, Pool, Reason, Step, TokenUse, Verified, Verifier as Core,
};

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
    let issued = plan.issued();
    let tree = issued.payload();
    let payload = plain(&tree);
    let is_grammatical = Tree::read(payload.as_bytes(), DEPTH).is_ok();
    let is_read = is_grammatical && !tree.has_duplicates();
    let token = issued.token_with(&[]);
    // With other lengths, other parts need padding.
    let has_variants = issued.header.as_ref().is_none_or(load_balancer::Header::is_spelled_rightly);
    let respelled = issued.respelled(&mut input);
    let with_more = issued.token_with(&[("unknown to all", Tree::Array(vec![Tree::Null]))]);

    let pools = issued.pools(&pool);
    let mut cached = Verifier::new(&issued, &pools, CacheLimits::default());
    for now in plan.times() {
        let mut uncached = Verifier::new(&issued, &pools, scene::NO_CACHE);
        let verdict = uncached.verify(now, &token);
        let expected = is_read && issued.is_accepted(&tree, &pool, now);
        assert_eq!(verdict.is_ok(), expected, "{verdict:?} at {now} of {payload}, {issued:?}, for {pool:?}");
        match &verdict {
            Ok(claims) => {
                assert_eq!(*claims, model::expected_claims(&tree, issued.header_tree(), &pool), "of {payload}")
            }
            Err(reason) if is_grammatical && !is_read && issued.header.is_none() => {
                assert_eq!(*reason, Reason::PayloadDuplicateMember, "{payload}")
            }
            Err(_) => (),
        }
        uncached.explain(now, &token, verdict.as_ref().err().copied(), &payload);
        assert_eq!(cached.verify(now, &token), verdict, "with a cache, at {now}, of {payload}");
        assert_eq!(cached.verify(now, &token), verdict, "from the cache, at {now}, of {payload}");
        if has_variants {
            assert_eq!(uncached.verify(now, &respelled), verdict, "encoded differently, at {now}, of {payload}");
            assert_eq!(uncached.verify(now, &with_more), verdict, "with an unknown claim, at {now}, of {payload}");
        }
    }
    // This is fast: an accepted token is cached, and for a rejected one no signature is verified.
    for now in model::edges(&tree, &pool) {
        let verdict = cached.verify(now, &token);
        let expected = is_read && issued.is_accepted(&tree, &pool, now);
        assert_eq!(verdict.is_ok(), expected, "{verdict:?} at the edge {now} of {payload}, {issued:?}, for {pool:?}");
    }
    if has_variants {
        check_id_token(&mut cached, &issued);
    }
    if let [_, own] = pools.as_slice() {
        let token = scene::token(0, &payload);
        let mut alone =
            Verifier::new(&Issued { members: issued.members.clone(), header: None }, &pools[1..], scene::NO_CACHE);
        let verdict = alone.verify(NOW, &token);
        assert_eq!(verdict.is_ok(), is_read && model::allows(&tree, None, own, NOW), "{verdict:?} of {payload} alone");
        assert_eq!(cached.verify(NOW, &token), verdict, "beside load balancers, of {payload}");
        let padded = token.split('.').map(crate::reference::base64::padded).collect::<Vec<_>>().join(".");
        assert!(cached.verify(NOW, &padded).is_err(), "padded, although no load balancer signed it: {payload}");
    }
}

/// Compares the token with the request of a client.
fn check_id_token(verifier: &mut Verifier, issued: &Issued) {
    const NONCE: &str = "n-0S6_WzA2Mj";
    const ACCESS_TOKEN: &str = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
    let text = |text: &str| Tree::String(text.to_owned());
    let token = issued.token_with(&[("nonce", text(NONCE)), ("at_hash", text(&issued.hash(ACCESS_TOKEN)))]);
    let verdict = verifier.verify(NOW, &token).map(drop);
    let payload = plain(&issued.payload());
    for (nonce, access_token, fault) in [
        (None, None, None),
        (Some(NONCE), Some(ACCESS_TOKEN), None),
        (Some("other"), Some(ACCESS_TOKEN), Some(Reason::NonceMismatch)),
        (Some(""), None, Some(Reason::NonceMismatch)),
        (Some(NONCE), Some("other"), Some(Reason::AccessTokenMismatch)),
    ] {
        let expected = verdict.and_then(|()| fault.map_or(Ok(()), Err));
        let came = verifier.core.check_id_token(NOW, &token, nonce, access_token);
        assert_eq!(came, expected, "{nonce:?} and {access_token:?} with {payload}, {issued:?}");
    }
    let without = issued.token_with(&[]);
    let expected = verifier.verify(NOW, &without).and(Err(Reason::NonceMismatch));
    assert_eq!(verifier.core.check_id_token(NOW, &without, Some(NONCE), None), expected, "without a nonce: {payload}");
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

/// A verifier, and the keys that it needs.
struct Verifier {
    core: Core,
    key_sets: Vec<(&'static str, String)>,
}

impl Verifier {
    fn new(issued: &Issued, pools: &[Pool], cache: CacheLimits) -> Self {
        let core = Core::new(scene::config(pools.to_vec(), KeyPolicy::default(), cache))
            .unwrap_or_else(|error| panic!("{error}: {pools:?}"));
        Self { core, key_sets: issued.key_sets(pools) }
    }

    fn verify(&mut self, now: u64, token: &str) -> Result<ClaimsOfToken, Reason> {
        // Loading the keys again keeps them fresh, because their age is not tested here.
        for (name, jwks) in &self.key_sets {
            self.core.load_key_set(now, name, jwks.as_bytes(), now).expect("the keys are valid");
        }
        match self.core.verify(now, token) {
            Step::Done(verdict) => verdict.map(ClaimsOfToken::from),
            step => panic!("a pool with local keys waits for keys: {step:?}"),
        }
    }

    /// Compares the explanation with the verdict: the first failed check has the reason.
    fn explain(&mut self, now: u64, token: &str, reason: Option<Reason>, payload: &str) {
        let explanation = self.core.explain(now, token);
        let failed = explanation.checks.iter().find_map(|check| match check.result {
            CheckResult::Failed(reason) => Some(reason),
            CheckResult::Passed | CheckResult::NotChecked => None,
        });
        assert_eq!((explanation.reason, failed), (reason, reason), "{explanation:?} at {now} of {payload}");
        assert!(reason.is_some() || explanation.is_signature_valid, "accepted without a signature: {payload}");
    }
}

/// The keys of the pool are loaded, never fetched.
fn origin() -> KeyOrigin {
    KeyOrigin::Local
}
