//! A verifier of the host for a case of the corpus. Each test that needs it includes this file.

use poolgate::{
    Algorithm, ClaimRule, ClientClaim, FixedClock, GuestRule, Pool, TokenUseRule, Verifier, VerifierBuilder,
};
use poolgate_core::{
    ClientClaim as CoreClientClaim, ClientRule, ConfirmationRule, GuestRule as CoreGuestRule, IssuerRule,
    IssuerTemplate, KeyOrigin, LoadBalancers, ResourceRule, SubjectRule, TokenUseRule as CoreTokenUse,
};
use poolgate_tests::{configuration_words, corpus::Case};
use std::time::Duration;

/// Returns a verifier with the configuration, keys and time of the case. The builder contains the other settings.
pub async fn verifier(case: &Case, builder: VerifierBuilder) -> Verifier {
    let limits = case.config.limits;
    let mut builder = builder
        .clock(FixedClock::at(case.now))
        .token_limit(limits.token_bytes)
        .json_depth_limit(limits.json_depth)
        .jwks_limits(limits.jwks_bytes, limits.jwks_keys)
        // A long deadline, so that a busy machine does not cause a time-out.
        .call_deadline(Duration::from_secs(30))
        .compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"));
    for pool in &case.config.pools {
        builder = builder.pool(host_pool(pool));
    }
    let verifier = builder.build().await.unwrap_or_else(|error| panic!("{}: {error}", case.name));
    for seed in &case.seeds {
        // The corpus contains key sets that are rejected. The core gets the same.
        let _ = verifier.load_key_set(seed.issuer.as_str(), seed.jwks.as_str(), seed.fetched_at).await;
    }
    verifier
}

/// Converts the policy to that of the host.
fn host_pool(pool: &poolgate_core::Pool) -> Pool {
    let mut host = match &pool.issuer {
        IssuerRule::UserPool { id, region: None } => Pool::user_pool(id),
        IssuerRule::UserPool { id, region: Some(region) } => Pool::user_pool(id).region(region),
        IssuerRule::Exactly(issuer) => Pool::issuer(issuer),
        IssuerRule::OneOf(issuers) => Pool::issuers(issuers),
        IssuerRule::Tenants(IssuerTemplate { template, tenants: Some(tenants) }) => Pool::tenants(template, tenants),
        IssuerRule::Tenants(IssuerTemplate { template, tenants: None }) => Pool::any_tenant(template),
        IssuerRule::IdentityPool { guests } => {
            let ClientRule::OneOf(ids) = &pool.client else { panic!("an identity pool is its own client") };
            Pool::identity_pool(
                &ids[0],
                match guests {
                    CoreGuestRule::Refuse => GuestRule::Refuse,
                    CoreGuestRule::Accept => GuestRule::Accept,
                },
            )
        }
        IssuerRule::LoadBalancers(LoadBalancers { issuer, arns }) => Pool::application_load_balancers(issuer, arns),
        IssuerRule::Unchecked => Pool::any_issuer(),
    };
    host = match &pool.keys {
        KeyOrigin::Derived => host,
        KeyOrigin::Url(url) => host.jwks_url(url),
        KeyOrigin::Local => host.local_keys_only(),
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
    if let Some(names) = &pool.groups.any_of {
        host = host.any_of_groups(names);
    }
    if let Some(names) = &pool.groups.all_of {
        host = host.all_of_groups(names);
    }
    if let Some(names) = &pool.scopes.any_of {
        host = host.any_of_scopes(names);
    }
    if let Some(names) = &pool.scopes.all_of {
        host = host.all_of_scopes(names);
    }
    host = host.types(&pool.types).unbound_clients(&pool.unbound_clients);
    if let Some(claim) = pool.client_claim {
        host = host.client_claim(match claim {
            CoreClientClaim::Aud => ClientClaim::Aud,
            CoreClientClaim::ClientId => ClientClaim::ClientId,
            CoreClientClaim::Azp => ClientClaim::Azp,
            CoreClientClaim::Appid => ClientClaim::Appid,
            CoreClientClaim::Cid => ClientClaim::Cid,
        });
    }
    if let Some(claim) = &pool.scope_claim {
        host = host.scope_claim(claim);
    }
    for rule in &pool.claims {
        let json = configuration_words::claim_rule(rule).to_string();
        host = host.claim(ClaimRule::from_json(&json).unwrap_or_else(|error| panic!("{json}: {error}")));
    }
    if pool.subject == SubjectRule::Unchecked {
        host = host.any_subject();
    }
    if pool.confirmation == ConfirmationRule::Ignore {
        host = host.ignore_confirmation();
    }
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
