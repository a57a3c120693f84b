//! The Rust crate `jsonwebtoken`, as its example with a JWK Set uses it: the key is found by `kid`.

use super::shapes::Shape;
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header, get_current_timestamp,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet},
};
use serde_json::Value;

/// The default leeway of the crate, in seconds.
const LEEWAY: u64 = 60;

/// Selects the cryptography. A build of the whole workspace has both providers (because of `benches`), and the crate then selects none.
pub fn select_provider() {
    // It fails if another test has done so.
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
}

/// Returns why the token is rejected, or `None` if it is accepted.
pub fn verdict(shape: &Shape) -> Option<String> {
    verify(shape).err()
}

fn verify(shape: &Shape) -> Result<(), String> {
    let keys: JwkSet = serde_json::from_str(shape.jwks).map_err(|error| error.to_string())?;
    let header = decode_header(shape.token).map_err(|error| error.to_string())?;
    let key_id = header.kid.ok_or("no kid")?;
    let jwk = keys.find(&key_id).ok_or("unknown kid")?;
    let key = DecodingKey::from_jwk(jwk).map_err(|error| error.to_string())?;
    decode::<Value>(shape.token, &key, &validation(shape, jwk)).map_err(|error| error.to_string())?;
    Ok(())
}

fn validation(shape: &Shape, jwk: &Jwk) -> Validation {
    let allowed = shape.algorithms.iter().filter_map(|name| name.parse().ok());
    // The crate requires that all algorithms are those of the key's family.
    let algorithms: Vec<Algorithm> = allowed.filter(|algorithm| fits(*algorithm, jwk)).collect();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.algorithms = algorithms;
    validation.set_issuer(&shape.issuers);
    let mut required = vec!["exp", "iss", "sub"];
    match &shape.audiences {
        Some(audiences) => {
            validation.set_audience(audiences);
            required.push("aud");
        }
        None => validation.validate_aud = false,
    }
    validation.set_required_spec_claims(&required);
    validation.validate_nbf = true;
    // The crate reads the system's clock. `exp` is compared with the time of the shape, because the leeway is longer by the difference.
    validation.leeway = get_current_timestamp() - shape.now + LEEWAY;
    validation
}

fn fits(algorithm: Algorithm, jwk: &Jwk) -> bool {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => matches!(algorithm, RS256 | RS384 | RS512 | PS256 | PS384 | PS512),
        AlgorithmParameters::EllipticCurve(numbers) => match numbers.curve {
            EllipticCurve::P256 => algorithm == ES256,
            EllipticCurve::P384 => algorithm == ES384,
            _ => false,
        },
        AlgorithmParameters::OctetKeyPair(_) => algorithm == EdDSA,
        _ => false,
    }
}
