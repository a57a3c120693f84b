//! A verifier of the core with a few issuers, and signed tokens that never expire.

use poolgate_core::{Algorithm, CacheLimits, Config, KeyOrigin, KeyPolicy, Limits, Pool, Verifier};
use poolgate_tests::{
    corpus::pool,
    keys::{OTHER_RSA_2048, RSA_2048, TestKey, jwks},
    minting::Draft,
};
use std::{slice::from_ref, sync::LazyLock};

/// The keys in the published key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    First,
    Second,
    Both,
}

pub struct Bench {
    pub verifier: Verifier,
    urls: Vec<String>,
}

/// The maximum number of issuers of a bench.
const ISSUERS: usize = 2;
const UNKNOWN_KEY_IDS: usize = 32;

/// For each issuer: a token of the first key, one of the second key, and tokens with unknown key IDs.
static TOKENS: LazyLock<Vec<[String; 2 + UNKNOWN_KEY_IDS]>> = LazyLock::new(|| {
    (0..ISSUERS)
        .map(|issuer| {
            std::array::from_fn(|index| match index {
                0 => token(issuer, &RSA_2048, "first"),
                1 => token(issuer, &OTHER_RSA_2048, "second"),
                unknown_kid => token(issuer, &RSA_2048, &format!("unknown {}", unknown_kid - 2)),
            })
        })
        .collect()
});

static SETS: LazyLock<[String; 3]> = LazyLock::new(|| {
    let (first, second) =
        (RSA_2048.jwk_for(Algorithm::Rs256, "first"), OTHER_RSA_2048.jwk_for(Algorithm::Rs256, "second"));
    [jwks(from_ref(&first)), jwks(from_ref(&second)), jwks(&[first.clone(), second.clone()])]
});

impl Bench {
    /// The start of a schedule, in seconds since the Unix epoch.
    pub const BEGIN: u64 = 1_700_000_000;

    pub fn new(issuers: usize, policy: KeyPolicy) -> Self {
        let urls: Vec<String> = (0..issuers).map(|issuer| format!("https://example.com/{issuer}/jwks.json")).collect();
        let pools = urls.iter().enumerate().map(|(issuer, url)| Pool {
            issuer: poolgate_core::IssuerRule::Exactly(issuer_name(issuer)),
            keys: KeyOrigin::Url(url.clone()),
            ..pool()
        });
        let config = Config {
            pools: pools.collect(),
            limits: Limits::default(),
            key_policy: policy,
            cache: CacheLimits::NONE,
            requirements: Vec::new(),
        };
        Self { verifier: Verifier::new(config).expect("a valid configuration"), urls }
    }

    pub fn url(&self, endpoint: usize) -> &str {
        &self.urls[endpoint]
    }

    pub fn issuer(&self, endpoint: usize) -> String {
        issuer_name(endpoint)
    }

    /// Returns a token of one of the two keys.
    pub fn token(&self, endpoint: usize, key: usize) -> &'static str {
        &TOKENS[endpoint][key]
    }

    /// Returns a token with an unknown key ID.
    pub fn unknown_kid(&self, endpoint: usize, number: u8) -> &'static str {
        &TOKENS[endpoint][2 + usize::from(number)]
    }

    pub fn set(&self, published: Published) -> &'static str {
        &SETS[published as usize]
    }
}

/// The default policy, whose soft lifetime is an hour.
pub fn hour_long() -> KeyPolicy {
    KeyPolicy::default()
}

fn issuer_name(issuer: usize) -> String {
    format!("https://example.com/{issuer}")
}

fn token(issuer: usize, key: &'static TestKey, key_id: &str) -> String {
    let draft = Draft::access(key).claim("iss", format!("\"{}\"", issuer_name(issuer)));
    let draft = draft.claim("iat", 1_000).claim("auth_time", 1_000).claim("exp", 253_402_300_799_u64);
    draft.header("kid", format!("\"{key_id}\"")).compact()
}
