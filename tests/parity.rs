//! One corpus, three ways: the core natively, the wide component and the portable one give the same verdicts.

use poolgate::{Algorithm, FixedClock, Pool, TokenUseRule, Verified, Verifier};
use poolgate_artifacts::{TOKEN_VERIFIER_COGNITO, TOKEN_VERIFIER_PORTABLE, TOKEN_VERIFIER_SIMD, TOKEN_VERIFIER_WIDE};
use poolgate_core::{ClientRule, IssuerRule, KeyOrigin, Membership, ResourceRule, TokenUseRule as CoreTokenUse};
use poolgate_tests::corpus::{Case, cases};
use std::time::Duration;

/// A verdict in words that both sides share.
#[derive(Debug, PartialEq)]
enum Verdict {
    Allow(Box<Claims>),
    Deny { reason: &'static str, status: u16 },
}

/// Every member of the contract's `verified` record.
type Claims = (
    (Option<String>, Option<String>, Option<String>, Option<String>, Option<String>),
    (Vec<String>, Vec<String>),
    (Option<u64>, u64, Option<u64>),
    String,
);

fn natively(case: &Case) -> Verdict {
    match case.judge_natively() {
        Ok(it) => Verdict::Allow(Box::new((
            (it.subject, it.username, it.token_use.map(|it| format!("{it:?}")), it.issuer, it.client_id),
            (it.groups, it.scopes),
            (it.issued_at, it.expires_at, it.auth_time),
            it.payload,
        ))),
        Err(reason) => Verdict::Deny { reason: reason.name(), status: reason.answer().status() },
    }
}

async fn in_sandbox(case: &Case, component: &'static [u8]) -> Verdict {
    let limits = case.config.limits;
    let mut builder = Verifier::builder()
        .component(component)
        .clock(FixedClock::at(case.now))
        .token_limit(limits.token_bytes)
        .json_depth_limit(limits.json_depth)
        .jwks_limits(limits.jwks_bytes, limits.jwks_keys)
        // What counts here is the verdict: a busy machine must not make it a timeout.
        .call_deadline(Duration::from_secs(30))
        .compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"));
    for pool in &case.config.pools {
        builder = builder.pool(host_pool(pool));
    }
    let verifier = builder.build().await.unwrap_or_else(|error| panic!("{}: {error}", case.name));
    for seed in &case.seeds {
        // Refused sets are part of the corpus; the core is given the same.
        let _ = verifier.seed_keys(seed.issuer.as_str(), seed.jwks.as_str(), seed.fetched_at).await;
    }
    match verifier.verify(&case.token).await {
        Ok(Verified {
            subject,
            username,
            token_use,
            issuer,
            client_id,
            groups,
            scopes,
            issued_at,
            expires_at,
            auth_time,
            payload,
            ..
        }) => Verdict::Allow(Box::new((
            (subject, username, token_use.map(token_use_name), issuer, client_id),
            (groups, scopes),
            (issued_at, expires_at, auth_time),
            payload,
        ))),
        Err(denial) => Verdict::Deny { reason: denial.reason.name(), status: denial.answer.status() },
    }
}

fn token_use_name(token_use: poolgate::TokenUse) -> String {
    match token_use {
        poolgate::TokenUse::Access => "Access".into(),
        poolgate::TokenUse::Id => "Id".into(),
    }
}

/// The same statements in the host's words.
fn host_pool(pool: &poolgate_core::Pool) -> Pool {
    let mut host = match &pool.issuer {
        IssuerRule::UserPool { id, region: None } => Pool::user_pool(id),
        IssuerRule::UserPool { id, region: Some(region) } => Pool::user_pool(id).region(region),
        IssuerRule::Exactly(issuer) => Pool::issuer(issuer),
        IssuerRule::Unchecked => Pool::any_issuer(),
    };
    host = match &pool.keys {
        KeyOrigin::Derived => host,
        KeyOrigin::Url(url) => host.jwks_url(url),
        KeyOrigin::Seeded => host.seeded_keys_only(),
    };
    host = host.algorithms(pool.algorithms.iter().map(|algorithm| host_algorithm(*algorithm)));
    host = host.token_use(match pool.token_use {
        CoreTokenUse::Access => TokenUseRule::Access,
        CoreTokenUse::Id => TokenUseRule::Id,
        CoreTokenUse::AccessOrId => TokenUseRule::AccessOrId,
        CoreTokenUse::Unchecked => TokenUseRule::Unchecked,
    });
    host = match &pool.client {
        ClientRule::OneOf(ids) => host.client_ids(ids),
        ClientRule::Unchecked => host.any_client(),
    };
    host = match &pool.groups {
        Membership::Unchecked => host,
        Membership::AnyOf(names) => host.any_of_groups(names),
        Membership::AllOf(names) => host.all_of_groups(names),
    };
    host = match &pool.scopes {
        Membership::Unchecked => host,
        Membership::AnyOf(names) => host.any_of_scopes(names),
        Membership::AllOf(names) => host.all_of_scopes(names),
    };
    host = match &pool.resource {
        ResourceRule::Unbound => host,
        ResourceRule::OneOf(resources) => host.resources(resources),
        ResourceRule::Unchecked => host.any_resource(),
    };
    if let Some(seconds) = pool.max_age {
        host = host.max_age(Duration::from_secs(seconds.into()));
    }
    host.leeway(Duration::from_secs(pool.leeway.into())).issued_at_skew(Duration::from_secs(pool.issued_at_skew.into()))
}

fn host_algorithm(algorithm: poolgate_core::Algorithm) -> Algorithm {
    let same = Algorithm::ALL.iter().find(|host| host.jose_name() == algorithm.name());
    *same.unwrap_or_else(|| panic!("the contract has no {}", algorithm.name()))
}

async fn compare(component: &'static [u8], is_in: impl Fn(&Case) -> bool) -> usize {
    let (mut compared, mut differences) = (0, Vec::new());
    for case in cases().iter().filter(|case| is_in(case)) {
        let (native, sandboxed) = (natively(case), in_sandbox(case, component).await);
        compared += 1;
        if native != sandboxed {
            differences.push(format!("{}: natively {native:?}, in the sandbox {sandboxed:?}", case.name));
        }
    }
    assert!(differences.is_empty(), "{} of {compared} verdicts differ:\n{}", differences.len(), differences.join("\n"));
    println!("{compared} verdicts are the same");
    compared
}

#[tokio::test]
async fn the_wide_component_judges_as_the_core_does() {
    assert_eq!(compare(TOKEN_VERIFIER_WIDE, |_| true).await, cases().len());
}

#[tokio::test]
async fn the_simd_component_judges_as_the_core_does() {
    assert_eq!(compare(TOKEN_VERIFIER_SIMD, |_| true).await, cases().len());
}

#[tokio::test]
async fn the_portable_component_judges_as_the_core_does() {
    assert_eq!(compare(TOKEN_VERIFIER_PORTABLE, |_| true).await, cases().len());
}

/// It has RSA only; the cases that allow other algorithms are for the builds that have them.
#[tokio::test]
async fn the_cognito_component_judges_rsa_tokens_as_the_core_does() {
    use poolgate_core::Algorithm::{EdDsa, Es256, Es384, Es512};
    let is_rsa = |case: &Case| {
        let mut algorithms = case.config.pools.iter().flat_map(|pool| &pool.algorithms);
        !algorithms.any(|algorithm| [Es256, Es384, Es512, EdDsa].contains(algorithm))
    };
    assert!(compare(TOKEN_VERIFIER_COGNITO, is_rsa).await > 80);
}

#[test]
fn the_contract_and_the_core_have_the_same_reasons_in_the_same_order() {
    let contract: Vec<&str> = poolgate::Reason::ALL.iter().map(|reason| reason.name()).collect();
    let core: Vec<&str> = poolgate_core::Reason::ALL.iter().map(|reason| reason.name()).collect();
    assert_eq!(contract, core);
}
