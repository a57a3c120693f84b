//! Keys, tokens and configurations for the targets that verify whole tokens. They use Ed25519, because it signs fast.

pub(crate) mod load_balancer;

use crate::reference::base64::encode;
use ed25519_dalek::{Signer, SigningKey};
use poolgate_core::{
    Algorithm, CacheLimits, ClientRule, Config, ConfirmationRule, IssuerRule, KeyOrigin, KeyPolicy, Limits, Membership,
    Pool, ResourceRule, SubjectRule, TokenUseRule,
};

/// The number of keys.
pub(crate) const KEYS: u8 = 4;

/// Returns the ID of a key.
pub(crate) fn key_id(number: u8) -> String {
    format!("k{number}")
}

fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number + 1; 32])
}

/// Returns the public JSON Web Key.
pub(crate) fn jwk(number: u8) -> String {
    let x = encode(key(number).verifying_key().as_bytes());
    format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"{}","x":"{x}"}}"#, key_id(number))
}

/// Returns a token with this payload.
pub(crate) fn token(number: u8, payload: &str) -> String {
    let header = format!(r#"{{"alg":"EdDSA","kid":"{}"}}"#, key_id(number));
    let input = format!("{}.{}", encode(header.as_bytes()), encode(payload.as_bytes()));
    format!("{input}.{}", encode(&key(number).sign(input.as_bytes()).to_bytes()))
}

/// Returns a pool that checks only the issuer.
pub(crate) fn pool(issuer: &str, keys: KeyOrigin) -> Pool {
    Pool {
        issuer: IssuerRule::Exactly(issuer.to_owned()),
        keys,
        algorithms: vec![Algorithm::EdDsa],
        types: vec![],
        token_use: TokenUseRule::Unchecked,
        client: ClientRule::Unchecked,
        client_claim: None,
        groups: Membership::UNCHECKED,
        scopes: Membership::UNCHECKED,
        scope_claim: None,
        unbound_clients: vec![],
        claims: vec![],
        resource: ResourceRule::Unchecked,
        subject: SubjectRule::Unchecked,
        confirmation: ConfirmationRule::Ignore,
        max_age: None,
        leeway: 0,
        issued_at_skew: 60,
    }
}

/// Returns the configuration of a verifier.
pub(crate) fn config(pools: Vec<Pool>, key_policy: KeyPolicy, cache: CacheLimits) -> Config {
    Config { pools, limits: Limits::default(), key_policy, cache, requirements: vec![] }
}

/// Disables the cache.
pub(crate) const NO_CACHE: CacheLimits = CacheLimits { bytes: 0, entries: 0 };
