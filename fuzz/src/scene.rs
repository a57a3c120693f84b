//! Keys, tokens and configurations for the targets that judge whole tokens. Ed25519, because its signatures are quickly made.

use crate::reference::base64url::encode;
use ed25519_dalek::{Signer, SigningKey};
use poolgate_core::{
    Algorithm, CacheLimits, ClientRule, Config, ConfirmationRule, IssuerRule, KeyOrigin, KeyPolicy, Limits, Membership,
    Pool, ResourceRule, SubjectRule, TokenUseRule,
};

/// How many keys there are.
pub(crate) const KEYS: u8 = 4;

/// The name of a key.
pub(crate) fn key_id(number: u8) -> String {
    format!("k{number}")
}

fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number + 1; 32])
}

/// The public JSON Web Key.
pub(crate) fn jwk(number: u8) -> String {
    let x = encode(key(number).verifying_key().as_bytes());
    format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"{}","x":"{x}"}}"#, key_id(number))
}

/// A token of this payload.
pub(crate) fn token(number: u8, payload: &str) -> String {
    let header = format!(r#"{{"alg":"EdDSA","kid":"{}"}}"#, key_id(number));
    let input = format!("{}.{}", encode(header.as_bytes()), encode(payload.as_bytes()));
    format!("{input}.{}", encode(&key(number).sign(input.as_bytes()).to_bytes()))
}

/// A pool that checks its issuer and nothing else.
pub(crate) fn pool(issuer: &str, keys: KeyOrigin) -> Pool {
    Pool {
        issuer: IssuerRule::Exactly(issuer.to_owned()),
        keys,
        algorithms: vec![Algorithm::EdDsa],
        token_use: TokenUseRule::Unchecked,
        client: ClientRule::Unchecked,
        groups: Membership::UNCHECKED,
        scopes: Membership::UNCHECKED,
        resource: ResourceRule::Unchecked,
        subject: SubjectRule::Unchecked,
        confirmation: ConfirmationRule::Ignore,
        max_age: None,
        leeway: 0,
        issued_at_skew: 60,
    }
}

/// A verifier's configuration.
pub(crate) fn config(pools: Vec<Pool>, key_policy: KeyPolicy, cache: CacheLimits) -> Config {
    Config { pools, limits: Limits::default(), key_policy, cache }
}

/// Remembers no token.
pub(crate) const NO_CACHE: CacheLimits = CacheLimits { bytes: 0, entries: 0 };
