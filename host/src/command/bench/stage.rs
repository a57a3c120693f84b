//! New keys, tokens that are signed with them, and verifiers that accept them.

use crate::command::{demo::issuer::Signer, output::CommandError};
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use poolgate::{Algorithm, Clock, Pool, SystemClock, TokenUseRule, Verifier, VerifierBuilder};
use serde_json::{Value, json};
use std::{num::NonZeroUsize, path::PathBuf};

pub const POOL: &str = "eu-west-1_Bench0001";
pub const CLIENT: &str = "1bench23456789client";
const EC_KEY: &str = "an elliptic curve key";
const ED_KEY: &str = "an Edwards curve key";

/// The keys, and the time at which tokens are issued.
pub struct Stage {
    pub signer: Signer,
    ec: EcdsaKeyPair,
    ed: Ed25519KeyPair,
    pub now: u64,
    cache: Option<PathBuf>,
}

fn failed<E>(what: &'static str) -> impl FnOnce(E) -> CommandError {
    move |_| CommandError::Usage(format!("the benchmark could not start: {what}"))
}

impl Stage {
    pub fn new(cache: Option<PathBuf>) -> Result<Self, CommandError> {
        let signer = Signer::new().ok_or(()).map_err(failed("could not generate an RSA key"))?;
        let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .map_err(failed("could not generate a P-256 key"))?;
        let ed = Ed25519KeyPair::generate().map_err(failed("could not generate an Ed25519 key"))?;
        Ok(Self { signer, ec, ed, now: SystemClock.now().as_secs(), cache })
    }

    pub fn issuer() -> String {
        format!("https://cognito-idp.eu-west-1.amazonaws.com/{POOL}")
    }

    /// The claims of a Cognito access token. The signed token has about 1.1 KB.
    fn payload(&self, number: usize) -> String {
        let (issued, expires) = (self.now - 60, self.now + 86_400);
        json!({
            "sub": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee", "cognito:groups": ["readers", "writers"], "iss": Self::issuer(),
            "version": 2, "client_id": CLIENT, "origin_jti": "11111111-2222-4333-8444-555555555555",
            "event_id": "22222222-3333-4444-8555-666666666666", "token_use": "access",
            "scope": "openid profile orders/read orders/write", "auth_time": issued, "exp": expires, "iat": issued,
            "jti": format!("33333333-4444-4555-8666-{number:012}"), "username": "anna",
        })
        .to_string()
    }

    /// Distinct tokens with RS256.
    pub fn tokens(&self, count: usize) -> Vec<String> {
        let header = json!({ "kid": self.signer.key_id(), "alg": "RS256" }).to_string();
        (0..count).map(|number| self.signer.sign(&header, &self.payload(number))).collect()
    }

    /// Distinct tokens with ES256.
    pub fn ec_tokens(&self, count: usize) -> Vec<String> {
        self.signed(count, EC_KEY, "ES256", |input| {
            self.ec.sign(&SystemRandom::new(), input).map(|signature| signature.as_ref().to_vec()).unwrap_or_default()
        })
    }

    /// Distinct tokens with EdDSA.
    pub fn ed_tokens(&self, count: usize) -> Vec<String> {
        self.signed(count, ED_KEY, "EdDSA", |input| self.ed.sign(input).as_ref().to_vec())
    }

    fn signed(&self, count: usize, kid: &str, algorithm: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> Vec<String> {
        let header = URL_SAFE_NO_PAD.encode(json!({ "kid": kid, "alg": algorithm }).to_string());
        (0..count)
            .map(|number| {
                let input = format!("{header}.{}", URL_SAFE_NO_PAD.encode(self.payload(number)));
                format!("{input}.{}", URL_SAFE_NO_PAD.encode(sign(input.as_bytes())))
            })
            .collect()
    }

    /// The uncompressed point: 0x04, x, y (SEC 1 section 2.3.3).
    pub fn ec_public(&self) -> &[u8] {
        self.ec.public_key().as_ref()
    }

    pub fn ed_public(&self) -> &[u8] {
        self.ed.public_key().as_ref()
    }

    pub fn jwks(&self) -> Value {
        let encode = |bytes: Option<&[u8]>| URL_SAFE_NO_PAD.encode(bytes.unwrap_or_default());
        let point = self.ec_public();
        let ec = json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": EC_KEY,
                         "x": encode(point.get(1..33)), "y": encode(point.get(33..65)) });
        let ed = json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": ED_KEY,
                         "x": encode(Some(self.ed_public())) });
        json!({ "keys": [self.signer.jwk(), ec, ed] })
    }

    /// A builder of a verifier that runs `component` and accepts all these tokens. It has no token cache.
    pub fn builder(&self, component: &'static [u8], instances: usize) -> VerifierBuilder {
        let pool = Pool::user_pool(POOL).client_ids([CLIENT]).token_use(TokenUseRule::Access).local_keys_only();
        let pool = pool.algorithms([Algorithm::Rs256, Algorithm::Es256, Algorithm::Eddsa]);
        let builder = Verifier::builder().pool(pool).component(component).token_cache(0, 0);
        let builder = builder.instances(NonZeroUsize::new(instances).unwrap_or(NonZeroUsize::MIN));
        match &self.cache {
            Some(directory) => builder.compilation_cache(directory),
            None => builder,
        }
    }

    /// Builds the verifier and loads the keys.
    pub async fn ready(&self, builder: VerifierBuilder) -> Result<Verifier, CommandError> {
        let verifier = builder.build().await?;
        let loaded = verifier.load_key_set(&Self::issuer(), self.jwks().to_string(), self.now).await;
        loaded.map_err(failed("the keys were rejected"))?;
        Ok(verifier)
    }
}
