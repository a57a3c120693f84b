//! The rows, one function each.

use super::{
    measuring::{interleaved, median},
    node,
    probe::Probe,
    row::{Measured, Row, Target},
    stage::{CLIENT, POOL, Stage},
};
use crate::command::output::CommandError;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use p256::ecdsa::signature::Verifier as _;
use poolgate::{Verifier, measure};
use poolgate_artifacts::{
    PROBE_PLAIN, PROBE_WIDE, TOKEN_VERIFIER_COGNITO, TOKEN_VERIFIER_PORTABLE, TOKEN_VERIFIER_SIMD, TOKEN_VERIFIER_WIDE,
};
use serde_json::Value;
use std::{
    cell::OnceCell,
    fs,
    hint::black_box,
    io::{Read, Write},
    path::PathBuf,
    process::{Command, Stdio},
    time::Instant,
};

pub const IDS: &[&str] = &[
    "kernel-wide",
    "verify-wide",
    "verify-node",
    "verify-simd",
    "verify-portable",
    "cache-hit",
    "es256",
    "ed25519",
    "instantiate",
    "cold-start",
    "threads",
    "memory",
    "size",
    "size-cognito",
];

/// How much work a figure rests on.
#[derive(Clone, Copy)]
pub struct BenchProfile {
    rounds: usize,
    /// Tokens a slice.
    slice: usize,
    /// Distinct tokens in rotation.
    tokens: usize,
    /// Verifications after which memory is looked at: early, and at the end.
    memory: [usize; 2],
}

impl BenchProfile {
    pub const FULL: Self = Self { rounds: 41, slice: 250, tokens: 2_000, memory: [100_000, 1_000_000] };
    /// Under 20 seconds.
    pub const QUICK: Self = Self { rounds: 11, slice: 100, tokens: 500, memory: [10_000, 50_000] };
}

pub struct Rows {
    stage: Stage,
    profile: BenchProfile,
    tokens: Vec<String>,
    node: OnceCell<String>,
    cache: Option<PathBuf>,
}

/// A signing input and its signature.
type Signed = (Vec<u8>, Vec<u8>);

fn usage<E: std::fmt::Display>(error: E) -> CommandError {
    CommandError::Usage(format!("the benchmark does not run: {error}"))
}

impl Rows {
    pub fn new(cache: Option<PathBuf>, profile: BenchProfile) -> Result<Self, CommandError> {
        let stage = Stage::new(cache.clone())?;
        let tokens = stage.tokens(profile.tokens);
        Ok(Self { stage, profile, tokens, node: OnceCell::new(), cache })
    }

    pub fn node_version(&self) -> Option<String> {
        self.node.get().cloned()
    }

    pub async fn measure(&self, id: &'static str) -> Result<Row, CommandError> {
        let us = |what, measured, most| Row { id, what, measured, unit: "µs", target: Target::AtMost(most) };
        Ok(match id {
            "kernel-wide" => us("RSA-2048 signature in the sandbox, wide / aws-lc-rs", self.kernel_wide().await?, 1.5),
            "verify-wide" => us("full verification, wide / jsonwebtoken", self.verify_wide().await?, 1.0),
            "verify-node" => us("full verification, wide / aws-jwt-verify", self.verify_node().await?, 0.8),
            "verify-simd" => us("full verification, SIMD / aws-lc-rs, signature alone", self.verify_simd().await?, 4.0),
            "verify-portable" => {
                us("full verification, portable / rsa 0.10 in the runtime", self.verify_portable().await?, 0.5)
            }
            "cache-hit" => us("a token that comes again / jsonwebtoken", self.cache_hit().await?, 0.07),
            "es256" => us("full verification, ES256 / p256, signature alone", self.es256().await?, 2.0),
            "ed25519" => us("full verification, EdDSA / ed25519-dalek, signature alone", self.ed25519().await?, 2.0),
            "instantiate" => us("a fresh instance", self.instantiate()?, 40.0),
            "cold-start" => Row {
                id,
                what: "a new process, compiled code and keys from files, to its verdict",
                measured: self.cold_start()?,
                unit: "ms",
                target: Target::AtMost(10.0),
            },
            "threads" => Row {
                id,
                what: "verifications a second, two threads / one",
                measured: self.threads().await?,
                unit: "1/s",
                target: Target::AtLeast(1.9),
            },
            "memory" => Row {
                id,
                what: "linear memory of an instance after all verifications",
                measured: self.memory().await?,
                unit: "MiB",
                target: Target::AtMost(2.0),
            },
            "size" => Row {
                id,
                what: "the component, wide",
                measured: size(TOKEN_VERIFIER_WIDE),
                unit: "KiB",
                target: Target::AtMost(700.0),
            },
            _ => Row {
                id,
                what: "the component for Cognito alone",
                measured: size(TOKEN_VERIFIER_COGNITO),
                unit: "KiB",
                target: Target::AtMost(350.0),
            },
        })
    }

    /// The tokens of a slice.
    fn slice<'t>(&self, tokens: &'t [String], round: usize) -> impl Iterator<Item = &'t str> {
        tokens
            .iter()
            .map(String::as_str)
            .cycle()
            .skip(round * self.profile.slice % tokens.len())
            .take(self.profile.slice)
    }

    async fn verify(&self, verifier: &Verifier, tokens: &[String], round: usize) -> f64 {
        let begun = Instant::now();
        for token in self.slice(tokens, round) {
            let verdict = verifier.verify(token).await;
            assert!(black_box(verdict).is_ok(), "a good token was refused");
        }
        begun.elapsed().as_secs_f64() * 1e6 / self.profile.slice as f64
    }

    fn decode(&self, round: usize, key: &DecodingKey, validation: &Validation) -> f64 {
        let begun = Instant::now();
        for token in self.slice(&self.tokens, round) {
            let verdict = jsonwebtoken::decode::<Value>(token, key, validation);
            assert!(black_box(verdict).is_ok(), "the peer refuses a good token");
        }
        begun.elapsed().as_secs_f64() * 1e6 / self.profile.slice as f64
    }

    /// jsonwebtoken 11 with aws_lc_rs: the key prepared, issuer and expiry checked.
    fn jsonwebtoken(&self) -> Result<(DecodingKey, Validation), CommandError> {
        // A build of the whole workspace has both providers (`benches`), and the crate then takes neither by itself. It fails if it was
        // done before.
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
        let jwk = serde_json::from_value(self.stage.signer.jwk()).map_err(usage)?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[Stage::issuer()]);
        validation.set_required_spec_claims(&["exp", "iss"]);
        validation.validate_aud = false;
        Ok((DecodingKey::from_jwk(&jwk).map_err(usage)?, validation))
    }

    /// aws-lc-rs: the signature of a token, with a parsed key.
    fn aws_lc(&self) -> Result<(ParsedPublicKey, Vec<Signed>), CommandError> {
        let der = self.stage.signer.public_der().ok_or("the key has no DER").map_err(usage)?;
        let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).map_err(usage)?;
        Ok((key, self.tokens.iter().filter_map(|token| parts(token)).collect()))
    }

    fn raw(&self, round: usize, key: &ParsedPublicKey, signed: &[Signed]) -> f64 {
        let begun = Instant::now();
        for (input, signature) in
            signed.iter().cycle().skip(round * self.profile.slice % signed.len()).take(self.profile.slice)
        {
            assert!(black_box(key.verify_sig(input, signature)).is_ok(), "the peer refuses a good signature");
        }
        begun.elapsed().as_secs_f64() * 1e6 / self.profile.slice as f64
    }

    fn probe(&self, wasm: &[u8], export: &str) -> Result<Probe, CommandError> {
        let (input, signature) = self.tokens.first().and_then(|token| parts(token)).ok_or("no token").map_err(usage)?;
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &input);
        Probe::start(wasm, export, &self.stage.signer.modulus(), &signature, digest.as_ref())
    }

    fn run_probe(&self, probe: &mut Probe) -> f64 {
        let count = self.profile.slice as u32;
        let begun = Instant::now();
        assert_eq!(probe.run(count), count, "a good signature was refused");
        begun.elapsed().as_secs_f64() * 1e6 / f64::from(count)
    }

    async fn kernel_wide(&self) -> Result<Measured, CommandError> {
        let mut probe = self.probe(PROBE_WIDE, "fastest")?;
        let (key, signed) = self.aws_lc()?;
        let (ours, peer) = interleaved(
            self.profile.rounds,
            async |_| self.run_probe(&mut probe),
            async |round| self.raw(round, &key, &signed),
        )
        .await;
        Ok(Measured::Beside { ours, peer })
    }

    async fn verify_wide(&self) -> Result<Measured, CommandError> {
        let verifier = self.stage.ready(self.stage.builder(TOKEN_VERIFIER_WIDE, 1)).await?;
        let (key, validation) = self.jsonwebtoken()?;
        let (ours, peer) = interleaved(
            self.profile.rounds,
            async |round| self.verify(&verifier, &self.tokens, round).await,
            async |round| self.decode(round, &key, &validation),
        )
        .await;
        Ok(Measured::Beside { ours, peer })
    }

    /// Another process: its slices are not interleaved with ours, but taken right after them.
    async fn verify_node(&self) -> Result<Measured, CommandError> {
        let verifier = self.stage.ready(self.stage.builder(TOKEN_VERIFIER_WIDE, 1)).await?;
        let mut ours = Vec::new();
        for round in 0..=self.profile.rounds {
            ours.push(self.verify(&verifier, &self.tokens, round).await);
        }
        let peer = node::measure(&self.stage, &self.tokens, self.profile.rounds, self.profile.slice);
        Ok(match peer {
            Ok((us, version)) => {
                // It is asked once.
                let _ = self.node.set(version);
                Measured::Beside { ours: median(ours), peer: median(us) }
            }
            Err(why) => Measured::Skipped(why),
        })
    }

    async fn verify_simd(&self) -> Result<Measured, CommandError> {
        let verifier = self.stage.ready(self.stage.builder(TOKEN_VERIFIER_SIMD, 1)).await?;
        let (key, signed) = self.aws_lc()?;
        let (ours, peer) = interleaved(
            self.profile.rounds,
            async |round| self.verify(&verifier, &self.tokens, round).await,
            async |round| self.raw(round, &key, &signed),
        )
        .await;
        Ok(Measured::Beside { ours, peer })
    }

    async fn verify_portable(&self) -> Result<Measured, CommandError> {
        let verifier = self.stage.ready(self.stage.builder(TOKEN_VERIFIER_PORTABLE, 1)).await?;
        let mut probe = self.probe(PROBE_PLAIN, "peer")?;
        // The peer takes half a millisecond a signature.
        let rounds = self.profile.rounds.div_ceil(4);
        let (ours, peer) = interleaved(
            rounds,
            async |round| self.verify(&verifier, &self.tokens, round).await,
            async |_| self.run_probe(&mut probe),
        )
        .await;
        Ok(Measured::Beside { ours, peer })
    }

    async fn cache_hit(&self) -> Result<Measured, CommandError> {
        let builder = self.stage.builder(TOKEN_VERIFIER_WIDE, 1).token_cache(512 * 1024, 1_024);
        let verifier = self.stage.ready(builder).await?;
        let (key, validation) = self.jsonwebtoken()?;
        let one = self.tokens.get(..1).unwrap_or_default();
        let (ours, peer) = interleaved(
            self.profile.rounds,
            async |round| self.verify(&verifier, one, round).await,
            async |round| self.decode(round, &key, &validation),
        )
        .await;
        Ok(Measured::Beside { ours, peer })
    }

    async fn es256(&self) -> Result<Measured, CommandError> {
        let verifier = self.stage.ready(self.stage.builder(TOKEN_VERIFIER_WIDE, 1)).await?;
        let tokens = self.stage.ec_tokens(self.profile.tokens);
        let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(self.stage.ec_public()).map_err(usage)?;
        let signed: Vec<_> = tokens.iter().filter_map(|token| parts(token)).collect();
        let signed: Vec<_> = signed
            .into_iter()
            .filter_map(|(input, signature)| Some((input, p256::ecdsa::Signature::from_slice(&signature).ok()?)))
            .collect();
        let native = |round: usize| {
            let begun = Instant::now();
            for (input, signature) in
                signed.iter().cycle().skip(round * self.profile.slice % signed.len()).take(self.profile.slice)
            {
                assert!(black_box(key.verify(input, signature)).is_ok(), "the peer refuses a good signature");
            }
            begun.elapsed().as_secs_f64() * 1e6 / self.profile.slice as f64
        };
        let rounds = self.profile.rounds.div_ceil(4);
        let (ours, peer) = interleaved(
            rounds,
            async |round| self.verify(&verifier, &tokens, round).await,
            async |round| native(round),
        )
        .await;
        Ok(Measured::Beside { ours, peer })
    }

    async fn ed25519(&self) -> Result<Measured, CommandError> {
        let verifier = self.stage.ready(self.stage.builder(TOKEN_VERIFIER_WIDE, 1)).await?;
        let tokens = self.stage.ed_tokens(self.profile.tokens);
        let public = self.stage.ed_public().try_into().map_err(usage)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(public).map_err(usage)?;
        let signed: Vec<_> = tokens.iter().filter_map(|token| parts(token)).collect();
        let signed: Vec<_> = signed
            .into_iter()
            .filter_map(|(input, signature)| Some((input, ed25519_dalek::Signature::from_slice(&signature).ok()?)))
            .collect();
        let native = |round: usize| {
            let begun = Instant::now();
            for (input, signature) in
                signed.iter().cycle().skip(round * self.profile.slice % signed.len()).take(self.profile.slice)
            {
                assert!(black_box(key.verify_strict(input, signature)).is_ok(), "the peer refuses a good signature");
            }
            begun.elapsed().as_secs_f64() * 1e6 / self.profile.slice as f64
        };
        let (ours, peer) = interleaved(
            self.profile.rounds.div_ceil(2),
            async |round| self.verify(&verifier, &tokens, round).await,
            async |round| native(round),
        )
        .await;
        Ok(Measured::Beside { ours, peer })
    }

    fn instantiate(&self) -> Result<Measured, CommandError> {
        let taken = measure::instantiations(TOKEN_VERIFIER_WIDE, self.cache.clone(), 20 * self.profile.rounds)?;
        Ok(Measured::Alone(median(taken.iter().map(|time| time.as_secs_f64() * 1e6).collect())))
    }

    /// `poolgate verify`, from the start of the process to the first byte of the verdict.
    fn cold_start(&self) -> Result<Measured, CommandError> {
        let Some(cache) = &self.cache else {
            return Ok(Measured::Skipped("no folder for compiled code: see POOLGATE_CACHE_DIR".into()));
        };
        if !measure::keeps_compiled_code(cache) {
            return Ok(Measured::Skipped("the folder for compiled code can't be used".into()));
        }
        let folder = tempfile::tempdir()?;
        let keys = folder.path().join("jwks.json");
        fs::write(&keys, self.stage.jwks().to_string())?;
        let token = self.tokens.first().ok_or("no token").map_err(usage)?;
        let command = std::env::current_exe()?;
        let mut taken = Vec::new();
        for _ in 0..=self.profile.rounds {
            let mut verify = Command::new(&command);
            verify.args(["verify", "--pool-id", POOL, "--client-id", CLIENT, "--token-use", "access", "--jwks"]);
            verify.arg(&keys).arg("-").env("POOLGATE_CACHE_DIR", cache);
            verify.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
            let begun = Instant::now();
            let mut child = verify.spawn()?;
            if let Some(mut stdin) = child.stdin.take() {
                stdin.write_all(token.as_bytes())?;
            }
            if let Some(stdout) = &mut child.stdout {
                stdout.read_exact(&mut [0])?;
            }
            taken.push(begun.elapsed().as_secs_f64() * 1e3);
            if !child.wait()?.success() {
                return Err(usage("`poolgate verify` refuses a good token"));
            }
        }
        // The first one fills the cache.
        taken.swap_remove(0);
        Ok(Measured::Alone(median(taken)))
    }

    async fn threads(&self) -> Result<Measured, CommandError> {
        let verifier = self.stage.ready(self.stage.builder(TOKEN_VERIFIER_WIDE, 2)).await?;
        let tokens: std::sync::Arc<[String]> = self.tokens.clone().into();
        let count = self.profile.slice * 4;
        let a_second = async |threads: usize| {
            let begun = Instant::now();
            let tasks: Vec<_> = (0..threads)
                .map(|thread| {
                    let (verifier, tokens) = (verifier.clone(), tokens.clone());
                    tokio::spawn(async move {
                        for token in tokens.iter().cycle().skip(thread * count % tokens.len()).take(count) {
                            assert!(black_box(verifier.verify(token).await).is_ok(), "a good token was refused");
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.map_err(usage)?;
            }
            Ok::<_, CommandError>((threads * count) as f64 / begun.elapsed().as_secs_f64())
        };
        let (mut two, mut one) = (Vec::new(), Vec::new());
        for _ in 0..self.profile.rounds.div_ceil(2) {
            two.push(a_second(2).await?);
            one.push(a_second(1).await?);
        }
        Ok(Measured::Beside { ours: median(two), peer: median(one) })
    }

    /// With the usual token cache. It fails if memory has grown between the early look and the end.
    async fn memory(&self) -> Result<Measured, CommandError> {
        let builder = self.stage.builder(TOKEN_VERIFIER_WIDE, 1).token_cache(512 * 1024, 1_024);
        let verifier = self.stage.ready(builder).await?;
        let mut looks = Vec::new();
        let mut done = 0;
        for until in self.profile.memory {
            for token in self.tokens.iter().cycle().skip(done % self.tokens.len()).take(until - done) {
                assert!(black_box(verifier.verify(token).await).is_ok(), "a good token was refused");
            }
            done = until;
            let metrics = verifier.metrics();
            let line = metrics.lines().find_map(|line| line.strip_prefix("poolgate_instance_memory_bytes "));
            looks.push(line.and_then(|bytes| bytes.parse::<f64>().ok()).unwrap_or(f64::INFINITY));
        }
        match looks[..] {
            [early, late] if late > early => Err(usage(format!(
                "memory has grown from {early} bytes after {} verifications to {late}",
                self.profile.memory[0]
            ))),
            _ => Ok(Measured::Alone(looks.last().copied().unwrap_or(f64::INFINITY) / f64::from(1 << 20))),
        }
    }
}

fn size(component: &[u8]) -> Measured {
    Measured::Alone(component.len() as f64 / 1024.0)
}

/// The signing input of a token, and its signature.
fn parts(token: &str) -> Option<Signed> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let (input, signature) = token.rsplit_once('.')?;
    Some((input.as_bytes().to_vec(), URL_SAFE_NO_PAD.decode(signature).ok()?))
}
