//! The corpus: tokens and what must come of them, one table a room of the core.
//!
//! A case holds everything that a verdict depends on: configuration, keys, time and token. So it can be judged natively,
//! and in the same words through any adapter.

mod algorithms;
mod compact;
mod header;
mod issuers;
mod keys;
mod payload;
mod policy;
mod resources;
mod signatures;
mod times;

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

/// Another key of the same pool: Cognito signs ID tokens and access tokens with different ones.
pub const SECOND_KEY_ID: &str = "Q2nd/EXAMPLE+signing1key=";

/// One token and what must come of it.
pub struct Case {
    /// A sentence, unlike any other.
    pub name: &'static str,
    /// What the verifier is built with.
    pub config: Config,
    /// What it is seeded with, in this order.
    pub seeds: Vec<Seed>,
    /// The time, in seconds since the Unix epoch.
    pub now: u64,
    /// The token.
    pub token: String,
    /// The verdict.
    pub expected: Expected,
    /// What must be reported of the key that the token names.
    pub key_error: Option<KeyError>,
}

/// The keys of an issuer.
pub struct Seed {
    /// A configured issuer; empty where it is not checked.
    pub issuer: String,
    /// The text of the JWK Set.
    pub jwks: String,
    /// When it was got, in seconds since the Unix epoch.
    pub fetched_at: u64,
}

/// A verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The token is verified.
    Allow,
    /// The token is refused with the [`Reason`] of this name.
    Deny(&'static str),
}

impl Case {
    fn new(name: &'static str, token: String, expected: Expected) -> Self {
        let config = Config {
            pools: vec![pool()],
            limits: Limits::default(),
            key_policy: KeyPolicy::default(),
            cache: CacheLimits::default(),
        };
        let seeds = vec![Seed { issuer: ISSUER.into(), jwks: pool_jwks(), fetched_at: NOW - 600 }];
        Self { name, config, seeds, now: NOW, token, expected, key_error: None }
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

    /// Adds a pool with keys of its own.
    fn with_another_pool(mut self, pool: Pool, seed: Seed) -> Self {
        self.config.pools.push(pool);
        self.seeds.push(seed);
        self
    }

    fn with_limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.config.limits);
        self
    }

    /// Replaces the first pool's keys.
    fn with_keys(self, keys: &[Value]) -> Self {
        self.with_jwks(jwks(keys))
    }

    fn with_jwks(mut self, text: String) -> Self {
        self.seeds[0].jwks = text;
        self
    }

    fn seeded_for(mut self, issuer: &str) -> Self {
        self.seeds[0].issuer = issuer.into();
        self
    }

    fn with_fault(self, fault: KeyError) -> Self {
        Self { key_error: Some(fault), ..self }
    }

    /// Judges at another time, with keys that were got ten minutes before.
    fn at(mut self, now: u64) -> Self {
        self.seeds.iter_mut().for_each(|seed| seed.fetched_at = now.saturating_sub(600));
        Self { now, ..self }
    }

    /// Whether a header can carry the token as it is (RFC 9110 section 5.5).
    pub fn fits_a_header(&self) -> bool {
        !self.token.is_empty() && self.token.bytes().all(|byte| matches!(byte, 0x21..=0x7e))
    }

    /// Judges the token with the core itself.
    ///
    /// # Errors
    /// The reason of the refusal.
    ///
    /// # Panics
    /// If the configuration or the keys are not taken, or if keys are asked for although every case is seeded.
    pub fn judge_natively(&self) -> Result<Verified, Reason> {
        match self.verifier().verify(self.now, &self.token) {
            Step::Done(verdict) => verdict,
            step => panic!("{}: a seeded pool waits for keys: {step:?}", self.name),
        }
    }

    /// The core's verifier with the keys of the case.
    ///
    /// # Panics
    /// If the configuration or the keys are not taken.
    pub fn verifier(&self) -> Verifier {
        let mut verifier = Verifier::new(self.config.clone()).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        for seed in &self.seeds {
            if let Err(fault) = verifier.load_key_set(self.now, &seed.issuer, seed.jwks.as_bytes(), seed.fetched_at) {
                panic!("{}: the keys of {:?} are not taken: {fault:?}", self.name, seed.issuer);
            }
        }
        verifier
    }
}

/// Every case.
pub fn cases() -> &'static [Case] {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
        [
            compact::cases(),
            header::cases(),
            payload::cases(),
            times::cases(),
            issuers::cases(),
            keys::cases(),
            algorithms::cases(),
            signatures::cases(),
            policy::cases(),
            resources::cases(),
        ]
        .into_iter()
        .flatten()
        .collect()
    });
    &CASES
}

/// The strictest pool of access tokens that Cognito's own tokens pass.
pub fn pool() -> Pool {
    Pool {
        issuer: IssuerRule::UserPool { id: POOL_ID.into(), region: None },
        keys: KeyOrigin::Local,
        algorithms: vec![],
        token_use: TokenUseRule::Access,
        client: ClientRule::OneOf(vec![CLIENT_ID.into()]),
        groups: Membership::UNCHECKED,
        scopes: Membership::UNCHECKED,
        resource: ResourceRule::Unbound,
        subject: SubjectRule::Required,
        confirmation: ConfirmationRule::Refuse,
        max_age: None,
        leeway: 0,
        issued_at_skew: 60,
    }
}

/// The pool's keys as Cognito publishes them: two, for RS256.
pub fn pool_jwks() -> String {
    jwks(&[RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID), OTHER_RSA_2048.jwk_for(Algorithm::Rs256, SECOND_KEY_ID)])
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
