//! The workload of the measurements: keys, tokens, and one round of each library.

use super::{probe::Probe, profile::BenchProfile, stage::Stage};
use crate::command::output::CommandError;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use poolgate::Verifier;
use serde_json::Value;
use std::{cell::OnceCell, hint::black_box, path::PathBuf, time::Instant};

pub struct Workload {
    pub stage: Stage,
    pub profile: BenchProfile,
    pub tokens: Vec<String>,
    pub node: OnceCell<String>,
    pub cache: Option<PathBuf>,
}

/// A signing input and its signature.
pub type Signed = (Vec<u8>, Vec<u8>);

pub fn failed<E: std::fmt::Display>(error: E) -> CommandError {
    CommandError::Usage(format!("the benchmark failed: {error}"))
}

impl Workload {
    pub fn new(cache: Option<PathBuf>, profile: BenchProfile) -> Result<Self, CommandError> {
        let stage = Stage::new(cache.clone())?;
        let tokens = stage.tokens(profile.tokens);
        Ok(Self { stage, profile, tokens, node: OnceCell::new(), cache })
    }

    pub fn node_version(&self) -> Option<String> {
        self.node.get().cloned()
    }

    /// The tokens of a round.
    pub fn slice<'t>(&self, tokens: &'t [String], round: usize) -> impl Iterator<Item = &'t str> {
        tokens
            .iter()
            .map(String::as_str)
            .cycle()
            .skip(round * self.profile.slice % tokens.len())
            .take(self.profile.slice)
    }

    pub async fn verify(&self, verifier: &Verifier, tokens: &[String], round: usize) -> f64 {
        let started = Instant::now();
        for token in self.slice(tokens, round) {
            let verdict = verifier.verify(token).await;
            assert!(black_box(verdict).is_ok(), "a valid token was rejected");
        }
        started.elapsed().as_secs_f64() * 1e6 / self.profile.slice as f64
    }

    pub fn decode(&self, round: usize, key: &DecodingKey, validation: &Validation) -> f64 {
        let started = Instant::now();
        for token in self.slice(&self.tokens, round) {
            let verdict = jsonwebtoken::decode::<Value>(token, key, validation);
            assert!(black_box(verdict).is_ok(), "the other library rejected a valid token");
        }
        started.elapsed().as_secs_f64() * 1e6 / self.profile.slice as f64
    }

    /// jsonwebtoken 11 with aws_lc_rs. The key is prepared; the issuer and the expiry are checked.
    pub fn jsonwebtoken(&self) -> Result<(DecodingKey, Validation), CommandError> {
        // A build of the whole workspace enables both providers (`benches`), and jsonwebtoken then selects neither. This fails if a
        // provider is installed already.
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        let jwk = serde_json::from_value(self.stage.signer.jwk()).map_err(failed)?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[Stage::issuer()]);
        validation.set_required_spec_claims(&["exp", "iss"]);
        validation.validate_aud = false;
        Ok((DecodingKey::from_jwk(&jwk).map_err(failed)?, validation))
    }

    /// aws-lc-rs: the signatures of the tokens, and a parsed key.
    pub fn aws_lc(&self) -> Result<(ParsedPublicKey, Vec<Signed>), CommandError> {
        let der = self.stage.signer.public_der().ok_or("the key has no DER").map_err(failed)?;
        let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).map_err(failed)?;
        Ok((key, self.tokens.iter().filter_map(|token| parts(token)).collect()))
    }

    pub fn raw(&self, round: usize, key: &ParsedPublicKey, signed: &[Signed]) -> f64 {
        let started = Instant::now();
        for (input, signature) in
            signed.iter().cycle().skip(round * self.profile.slice % signed.len()).take(self.profile.slice)
        {
            assert!(
                black_box(key.verify_sig(input, signature)).is_ok(),
                "the other library rejected a valid signature"
            );
        }
        started.elapsed().as_secs_f64() * 1e6 / self.profile.slice as f64
    }

    pub fn probe(&self, wasm: &[u8], export: &str) -> Result<Probe, CommandError> {
        let (input, signature) =
            self.tokens.first().and_then(|token| parts(token)).ok_or("no token").map_err(failed)?;
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &input);
        Probe::start(wasm, export, &self.stage.signer.modulus(), &signature, digest.as_ref())
    }

    pub fn run_probe(&self, probe: &mut Probe) -> f64 {
        let count = self.profile.slice as u32;
        let started = Instant::now();
        assert_eq!(probe.run(count), count, "a valid signature was rejected");
        started.elapsed().as_secs_f64() * 1e6 / f64::from(count)
    }
}

/// The signing input of a token, and its signature.
pub fn parts(token: &str) -> Option<Signed> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let (input, signature) = token.rsplit_once('.')?;
    Some((input.as_bytes().to_vec(), URL_SAFE_NO_PAD.decode(signature).ok()?))
}
