//! The token corpus: tokens and their expected verdicts, with a table for each verification step of the core.
//!
//! A case contains everything that a verdict depends on: configuration, keys, time and token. So every integration can be tested with it.

mod algorithms;
mod audiences;
mod claim_rules;
mod compact;
mod header;
mod identity_pools;
mod issuers;
mod key_choice;
mod key_spelling;
mod keys;
pub mod load_balancers;
mod other_issuers;
mod payload;
mod policy;
mod resources;
mod scope_claims;
mod signatures;
mod tenants;
mod times;
mod token_types;

use crate::{
    keys::{OTHER_RSA_2048, RSA_2048, jwks},
    minting::{CLIENT_ID, ISSUER, KEY_ID, NOW, POOL_ID},
};
use poolgate_core::{
    Algorithm, CacheLimits, ClientRule, Config, ConfirmationRule, IssuerRule, KeyError, KeyOrigin, KeyPolicy, Limits,
    Membership, Pool, Reason, ResourceRule, Step, SubjectRule, TokenUseRule, Verified, Verifier,
};
use serde_json::Value;
use std::sync::LazyLock;

/// The ID of another key of the same pool. Cognito signs ID tokens and access tokens with different keys.
pub const SECOND_KEY_ID: &str = "Q2nd/EXAMPLE+signing1key=";

/// A token and its expected verdict.
pub struct Case {
    /// A unique name, which is a sentence.
    pub name: &'static str,
    /// The configuration of the verifier.
    pub config: Config,
    /// The key sets to load, in this order.
    pub seeds: Vec<Seed>,
    /// The time, in seconds since the Unix epoch.
    pub now: u64,
    /// The token.
    pub token: String,
    /// The expected verdict.
    pub expected: Expected,
    /// The error that must be reported for a key.
    pub key_error: Option<KeyError>,
    /// The member that must be reported with that error, or `None` for the whole key.
    pub key_member: Option<&'static str>,
}

/// A key set of an issuer.
pub struct Seed {
    /// A configured issuer. It is empty if the issuer is not checked.
    pub issuer: String,
    /// The text of the JWK Set.
    pub jwks: String,
    /// When it was obtained, in seconds since the Unix epoch.
    pub fetched_at: u64,
}

/// A verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The token is verified.
    Allow,
    /// The token is rejected with the [`Reason`] of this name.
    Deny(&'static str),
}

impl Case {
    fn new(name: &'static str, token: String, expected: Expected) -> Self {
        let config = Config {
            pools: vec![pool()],
            limits: Limits::default(),
            key_policy: KeyPolicy::default(),
            cache: CacheLimits::default(),
            requirements: Vec::new(),
        };
        let seeds = vec![Seed { issuer: ISSUER.into(), jwks: pool_jwks(), fetched_at: NOW - 600 }];
        Self { name, config, seeds, now: NOW, token, expected, key_error: None, key_member: None }
    }

    fn allowed(name: &'static str, token: impl Into<String>) -> Self {
        Self::new(name, token.into(), Expected::Allow)
    }

    fn denied(name: &'static str, reason: &'static str, token: impl Into<String>) -> Self {
        Self::new(name, token.into(), Expected::Deny(reason))
    }

    /// Changes the first pool.
    fn with_pool(mut self, change: impl FnOnce(&mut Pool)) -> Self {
        change(&mut self.config.pools[0]);
        self
    }

    /// Adds a pool with its own keys.
    fn with_another_pool(mut self, pool: Pool, seed: Seed) -> Self {
        self.config.pools.push(pool);
        self.seeds.push(seed);
        self
    }

    fn with_limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.config.limits);
        self
    }

    /// Replaces the keys of the first pool.
    fn with_keys(self, keys: &[Value]) -> Self {
        self.with_jwks(jwks(keys))
    }

    fn with_jwks(mut self, text: String) -> Self {
        self.seeds[0].jwks = text;
        self
    }

    fn with_keys_for(mut self, issuer: &str) -> Self {
        self.seeds[0].issuer = issuer.into();
        self
    }

    /// Expects that a key is skipped because of one of its members.
    fn with_key_error(self, fault: KeyError, member: &'static str) -> Self {
        Self { key_error: Some(fault), key_member: Some(member), ..self }
    }

    /// Expects that a key is skipped, and that no single member is the cause.
    fn with_error_of_whole_key(self, fault: KeyError) -> Self {
        Self { key_error: Some(fault), ..self }
    }

    /// Changes the first pool to one of another issuer, whose tokens have no `token_use`. It checks neither clients nor resource servers.
    fn of_issuer(mut self, issuer: &str, change: impl FnOnce(&mut Pool)) -> Self {
        let pool = &mut self.config.pools[0];
        pool.issuer = IssuerRule::Exactly(issuer.into());
        pool.token_use = TokenUseRule::Unchecked;
        pool.client = ClientRule::Unchecked;
        change(pool);
        self.with_keys_for(issuer)
    }

    /// Sets another time, with keys that were obtained ten minutes before.
    fn at(mut self, now: u64) -> Self {
        self.seeds.iter_mut().for_each(|seed| seed.fetched_at = now.saturating_sub(600));
        Self { now, ..self }
    }

    /// Returns whether the token can be sent in a header (RFC 9110 section 5.5).
    pub fn fits_a_header(&self) -> bool {
        !self.token.is_empty() && self.token.bytes().all(|byte| matches!(byte, 0x21..=0x7e))
    }

    /// Verifies the token with the core.
    ///
    /// # Errors
    /// Returns the reason if the token is rejected.
    ///
    /// # Panics
    /// Panics if the configuration or the keys are rejected, or if a fetch is needed although every case has local keys.
    pub fn verify_with_core(&self) -> Result<Verified, Reason> {
        match self.verifier().verify(self.now, &self.token) {
            Step::Done(verdict) => verdict,
            step => panic!("{}: a pool with local keys waits for keys: {step:?}", self.name),
        }
    }

    /// Returns a verifier of the core with the keys of the case.
    ///
    /// # Panics
    /// Panics if the configuration or the keys are rejected.
    pub fn verifier(&self) -> Verifier {
        let mut verifier = Verifier::new(self.config.clone()).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        for seed in &self.seeds {
            if let Err(fault) = verifier.load_key_set(self.now, &seed.issuer, seed.jwks.as_bytes(), seed.fetched_at) {
                panic!("{}: the keys of {:?} are rejected: {fault:?}", self.name, seed.issuer);
            }
        }
        verifier
    }
}

/// Returns every case.
pub fn cases() -> &'static [Case] {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
        [
            compact::cases(),
            header::cases(),
            payload::cases(),
            times::cases(),
            issuers::cases(),
            keys::cases(),
            key_spelling::cases(),
            key_choice::cases(),
            algorithms::cases(),
            signatures::cases(),
            policy::cases(),
            resources::cases(),
            audiences::cases(),
            scope_claims::cases(),
            token_types::cases(),
            claim_rules::cases(),
            other_issuers::cases(),
            identity_pools::cases(),
            tenants::cases(),
            load_balancers::cases(),
        ]
        .into_iter()
        .flatten()
        .collect()
    });
    &CASES
}

/// Returns the strictest policy for access tokens that tokens of Cognito meet.
pub fn pool() -> Pool {
    Pool {
        issuer: IssuerRule::UserPool { id: POOL_ID.into(), region: None },
        keys: KeyOrigin::Local,
        algorithms: vec![],
        types: vec![],
        token_use: TokenUseRule::Access,
        client: ClientRule::OneOf(vec![CLIENT_ID.into()]),
        client_claim: None,
        groups: Membership::UNCHECKED,
        scopes: Membership::UNCHECKED,
        scope_claim: None,
        resource: ResourceRule::Unbound,
        unbound_clients: vec![],
        claims: vec![],
        subject: SubjectRule::Required,
        confirmation: ConfirmationRule::Refuse,
        max_age: None,
        leeway: 0,
        issued_at_skew: 60,
    }
}

/// Returns the two keys of the pool as Cognito publishes them, for RS256.
pub fn pool_jwks() -> String {
    jwks(&[RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID), OTHER_RSA_2048.jwk_for(Algorithm::Rs256, SECOND_KEY_ID)])
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
