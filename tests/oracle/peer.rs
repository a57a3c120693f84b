//! The oracle: `jsonwebtoken` with the configuration of the pool, checks of the time claims, and the `rsa` crate for RSA signatures.
//!
//! `jsonwebtoken` reads the system clock, so its time checks are disabled and implemented here, with `f64`.

use base64::{Engine, engine::general_purpose::URL_SAFE};
use jsonwebtoken::{
    DecodingKey, Validation,
    crypto::verify,
    decode, decode_header,
    jwk::{Jwk, JwkSet},
};
use poolgate_core::Algorithm;
use poolgate_tests::{
    keys::{self, ED25519, P256, P384, RSA_2048, RSA_3072, TestKey},
    minting::{CLIENT_ID, ISSUER, NOW, unbase64url},
};
use rsa::{BoxedUint, PublicKey, pkcs1v15, pss, sha2, signature::Verifier};
use serde_json::Value;

/// What the core and the oracle have in common.
pub const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::EdDsa,
];

/// The keys of the pool, and the first algorithm of each.
pub fn signers() -> [(&'static str, &'static TestKey, Algorithm); 5] {
    [
        ("rsa-2048", &RSA_2048, Algorithm::Rs256),
        ("rsa-3072", &RSA_3072, Algorithm::Ps256),
        ("p-256", &P256, Algorithm::Es256),
        ("p-384", &P384, Algorithm::Es384),
        ("ed25519", &ED25519, Algorithm::EdDsa),
    ]
}

/// Their public parts.
pub fn jwks() -> String {
    keys::jwks(&signers().map(|(name, key, _)| key.jwk(name)))
}

/// The oracle with the pool's keys.
pub struct Peer {
    keys: JwkSet,
}

impl Peer {
    pub fn new() -> Self {
        // A build of the whole workspace has both providers (because of `benches`), and the crate then selects none.
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        Self { keys: serde_json::from_str(&jwks()).expect("a JWK Set") }
    }

    /// Returns the payload of an accepted token, or why it is rejected.
    pub fn verify(&self, token: &str) -> Result<Value, String> {
        let header = decode_header(token).map_err(|error| error.to_string())?;
        let key_id = header.kid.ok_or("no kid")?;
        let jwk = self.keys.find(&key_id).ok_or("unknown kid")?;
        let payload =
            decode::<Value>(token, &decoding_key(jwk)?, &validation(jwk)).map_err(|error| error.to_string())?;
        check_times(&payload.claims)?;
        check_with_rsa(token, jwk, header.alg)?;
        Ok(payload.claims)
    }

    /// Returns why `jsonwebtoken` rejects a token of a load balancer, or `None` if it is accepted.
    pub fn error_of_padded(token: &str, jwk: &Jwk) -> Option<String> {
        let mut validation = Validation::new(jsonwebtoken::Algorithm::ES256);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.set_required_spec_claims(&["exp", "iss"]);
        validation.set_issuer(&[ISSUER]);
        let key = decoding_key(jwk).expect("a key of this test");
        decode::<Value>(token, &key, &validation).err().map(|error| error.to_string())
    }

    /// Returns the payload of an accepted token of a load balancer, whose parts are padded, or why it is rejected. `jsonwebtoken` verifies the
    /// signature. The rest is what the example of AWS checks: `alg` and `kid` of the header, and here also the issuer and the times.
    pub fn verify_padded(token: &str, key_id: &str, jwk: &Jwk) -> Result<Value, String> {
        let parts: Vec<&str> = token.split('.').collect();
        let [header, payload, signature] = parts.as_slice() else { return Err("not three parts".into()) };
        let decoded = |part: &str| URL_SAFE.decode(part).map_err(|error| error.to_string());
        let json = |part: &str| serde_json::from_slice::<Value>(&decoded(part)?).map_err(|error| error.to_string());
        let (header, payload) = (json(header)?, json(payload)?);
        if header["alg"] != "ES256" || header["kid"] != key_id {
            return Err("another key".into());
        }
        decoded(signature)?;
        let (input, signature) = token.rsplit_once('.').ok_or("no signature")?;
        let (key, signature) = (decoding_key(jwk)?, signature.trim_end_matches('='));
        match verify(signature, input.as_bytes(), &key, jsonwebtoken::Algorithm::ES256) {
            Ok(true) if payload["iss"] == ISSUER => check_times(&payload).map(|()| payload),
            Ok(true) => Err("another issuer".into()),
            outcome => Err(format!("signature: {outcome:?}")),
        }
    }
}

fn decoding_key(jwk: &Jwk) -> Result<DecodingKey, String> {
    DecodingKey::from_jwk(jwk).map_err(|error| error.to_string())
}

fn validation(jwk: &Jwk) -> Validation {
    use jsonwebtoken::Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    let mut validation = Validation::new(RS256);
    // The oracle requires algorithms of one family.
    validation.algorithms = match jwk.common.key_id.as_deref() {
        Some("p-256" | "p-384") => vec![ES256, ES384],
        Some("ed25519") => vec![EdDSA],
        _ => vec![RS256, RS384, RS512, PS256, PS384, PS512],
    };
    validation.validate_exp = false;
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    validation.set_issuer(&[ISSUER, &ISSUER.replace("cognito-idp", "issuer-cognito-idp")]);
    validation.set_audience(&[CLIENT_ID]);
    validation
}

/// The pool's.
const SKEW: f64 = 60.0;

fn check_times(claims: &Value) -> Result<(), String> {
    let now = NOW as f64;
    match claims["exp"].as_f64() {
        // The current time is in whole seconds, rounded down, so a fraction in `exp` must not extend it.
        Some(date) if date.floor() > now => {}
        _ => return Err("expired".into()),
    }
    match &claims["nbf"] {
        Value::Null => Ok(()),
        // The same tolerance as for `iat`.
        date if date.as_f64().is_some_and(|date| date <= now + SKEW) => Ok(()),
        _ => Err("not yet valid".into()),
    }
}

/// Verifies the signature again, with the `rsa` crate.
fn check_with_rsa(token: &str, jwk: &Jwk, algorithm: jsonwebtoken::Algorithm) -> Result<(), String> {
    use jsonwebtoken::{Algorithm as Name, jwk::AlgorithmParameters};
    let AlgorithmParameters::RSA(numbers) = &jwk.algorithm else { return Ok(()) };
    let number = |text: &str| BoxedUint::from_be_slice_vartime(&unbase64url(text));
    let key = PublicKey::new(number(&numbers.n), number(&numbers.e)).map_err(|error| error.to_string())?;
    let (input, signature) = token.rsplit_once('.').ok_or("no signature")?;
    let (input, signature) = (input.as_bytes(), unbase64url(signature));
    let pkcs1 = || pkcs1v15::Signature::try_from(signature.as_slice());
    let pss = || pss::Signature::try_from(signature.as_slice());
    match algorithm {
        Name::RS256 => pkcs1().and_then(|s| pkcs1v15::VerifyingKey::<sha2::Sha256>::new(key).verify(input, &s)),
        Name::RS384 => pkcs1().and_then(|s| pkcs1v15::VerifyingKey::<sha2::Sha384>::new(key).verify(input, &s)),
        Name::RS512 => pkcs1().and_then(|s| pkcs1v15::VerifyingKey::<sha2::Sha512>::new(key).verify(input, &s)),
        Name::PS256 => pss().and_then(|s| pss::VerifyingKey::<sha2::Sha256>::new(key).verify(input, &s)),
        Name::PS384 => pss().and_then(|s| pss::VerifyingKey::<sha2::Sha384>::new(key).verify(input, &s)),
        Name::PS512 => pss().and_then(|s| pss::VerifyingKey::<sha2::Sha512>::new(key).verify(input, &s)),
        other => return Err(format!("{other:?} with an RSA key")),
    }
    .map_err(|error| error.to_string())
}
