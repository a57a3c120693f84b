//! Native Rust libraries. Each has its key prepared, and checks the algorithm, the issuer and the expiry. None of them supports Cognito, so
//! the token use and the app client are not checked.

use crate::{
    providers::{self, Provider},
    side::{Accepts, Expected, Side},
};
use jsonwebtoken::{DecodingKey, Validation};
use jwt_simple::prelude::{
    ECDSAP256PublicKeyLike, ES256PublicKey, Ed25519PublicKey, EdDSAPublicKeyLike, RS256PublicKey, RSAPublicKeyLike,
    VerificationOptions,
};
use poolgate_core::Algorithm;
use serde_json::Value;
use std::hint::black_box;

/// All comparison libraries.
pub fn all(expected: &Expected<'_>) -> Result<Vec<Side>, String> {
    Ok(vec![
        jsonwebtoken(Provider::AwsLc, expected)?,
        jsonwebtoken(Provider::RustCrypto, expected)?,
        jwt_simple(expected)?,
    ])
}

fn jsonwebtoken(provider: Provider, expected: &Expected<'_>) -> Result<Side, String> {
    providers::install();
    let (id, name) = match provider {
        Provider::AwsLc => ("jsonwebtoken-aws-lc-rs", "jsonwebtoken decode, aws_lc_rs"),
        Provider::RustCrypto => ("jsonwebtoken-rust-crypto", "jsonwebtoken decode, rust_crypto"),
    };
    let jwk = serde_json::from_value(key(expected)).map_err(|_| "the key is not a JWK")?;
    let key = DecodingKey::from_jwk(&jwk).map_err(|error| error.to_string())?;
    let mut validation = Validation::new(match expected.algorithm {
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        _ => jsonwebtoken::Algorithm::RS256,
    });
    validation.set_issuer(&[expected.issuer]);
    validation.set_required_spec_claims(&["exp", "iss"]);
    // Cognito's access tokens have no audience.
    validation.validate_aud = false;
    let accepts = move |tokens: &[String]| {
        providers::take_turn(provider);
        tokens.iter().all(|token| black_box(jsonwebtoken::decode::<Value>(token, &key, &validation)).is_ok())
    };
    Ok(Side { id, name, version: "11.1.0", runtime: "native", accepts: Box::new(accepts) })
}

/// jwt-simple with its pure Rust backend (superboring, which uses `rsa` 0.9, `p256` 0.14 and `ed25519-compact`). Its default backend is
/// BoringSSL. It also checks `iat`, and accepts a token without an expiry.
fn jwt_simple(expected: &Expected<'_>) -> Result<Side, String> {
    let text = key(expected).to_string();
    let issuers = [expected.issuer.to_owned()].into();
    let options = VerificationOptions { allowed_issuers: Some(issuers), time_tolerance: None, ..Default::default() };
    let no_key = |error: jwt_simple::Error| error.to_string();
    // The function takes the options by value, so every verification clones them.
    let accepts: Accepts = match expected.algorithm {
        Algorithm::Es256 => {
            let key = ES256PublicKey::from_jwk(&text).map_err(no_key)?;
            Box::new(move |tokens| {
                accepts(tokens, &options, |token, options| key.verify_token::<Value>(token, options))
            })
        }
        Algorithm::EdDsa => {
            let key = Ed25519PublicKey::from_jwk(&text).map_err(no_key)?;
            Box::new(move |tokens| {
                accepts(tokens, &options, |token, options| key.verify_token::<Value>(token, options))
            })
        }
        _ => {
            let key = RS256PublicKey::from_jwk(&text).map_err(no_key)?;
            Box::new(move |tokens| {
                accepts(tokens, &options, |token, options| key.verify_token::<Value>(token, options))
            })
        }
    };
    let name = "jwt-simple verify_token, pure-rust";
    Ok(Side { id: "jwt-simple", name, version: "0.15.0", runtime: "native", accepts })
}

fn accepts<T, E>(
    tokens: &[String],
    options: &VerificationOptions,
    verify: impl Fn(&str, Option<VerificationOptions>) -> Result<T, E>,
) -> bool {
    tokens.iter().all(|token| black_box(verify(token, Some(options.clone()))).is_ok())
}

fn key(expected: &Expected<'_>) -> Value {
    expected.jwks["keys"][0].clone()
}
