//! What does a full verification cost through the component, beside the native library that people use today?
//!
//! Distinct tokens in rotation, so that nothing can be remembered. Criterion measures each side alone; after that both run
//! interleaved, a slice of each in turn, and the ratio of the medians is printed: it stands on a busy machine too.

use criterion::{Criterion, Throughput};
use jsonwebtoken::{Algorithm as PeerAlgorithm, DecodingKey, Validation, jwk::Jwk};
use poolgate::{FixedClock, Pool, TokenUseRule, Verifier};
use poolgate_core::Algorithm;
use poolgate_tests::{
    keys::{RSA_2048, jwks},
    minting::{CLIENT_ID, Draft, ISSUER, KEY_ID, NOW, POOL_ID},
};
use serde_json::Value;
use std::{hint::black_box, num::NonZeroUsize, time::Instant};
use tokio::runtime::{Builder, Runtime};

/// As many tokens as no cache of a CPU or a verifier would serve for free.
const TOKENS: usize = 2_000;
/// How often each side has its turn, and with how many tokens.
const ROUNDS: usize = 41;
const SLICE: usize = 250;

/// Both sides, with the same key, the same tokens, and the same checks stated.
struct Sides {
    runtime: Runtime,
    ours: Verifier,
    key: DecodingKey,
    validation: Validation,
    tokens: Vec<String>,
}

impl Sides {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let jwk = RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID);
        let pool = Pool::user_pool(POOL_ID).client_ids([CLIENT_ID]).token_use(TokenUseRule::Access).seeded_keys_only();
        let ours = runtime.block_on(async {
            let builder = Verifier::builder().pool(pool).clock(FixedClock::at(NOW)).instances(NonZeroUsize::MIN);
            let verifier = builder.build().await.expect("the verifier builds");
            verifier.seed_keys(ISSUER, jwks(std::slice::from_ref(&jwk)), NOW).await.expect("the key is good");
            verifier
        });
        let jwk: Jwk = serde_json::from_value(jwk).expect("a JWK");
        let key = DecodingKey::from_jwk(&jwk).expect("an RSA key");
        let mut validation = Validation::new(PeerAlgorithm::RS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss"]);
        validation.validate_aud = false;
        // The peer has no clock to set; the tokens are from the past.
        validation.validate_exp = false;
        // About 1.1 KB, as Cognito's are.
        let token = |index: usize| Draft::access(&RSA_2048).claim("jti", format!("\"{index:08}\"")).compact();
        Self { runtime, ours, key, validation, tokens: (0..TOKENS).map(token).collect() }
    }

    fn verify_ours(&self, token: &str) {
        let verdict = self.runtime.block_on(self.ours.verify(token));
        assert!(black_box(verdict).is_ok(), "a good token was refused");
    }

    fn verify_peer(&self, token: &str) {
        let verdict = jsonwebtoken::decode::<Value>(token, &self.key, &self.validation);
        assert!(black_box(verdict).is_ok(), "a good token was refused");
    }

    /// Microseconds a token, over a slice of the tokens.
    fn time(&self, round: usize, verify: impl Fn(&Self, &str)) -> f64 {
        let tokens = self.tokens.iter().cycle().skip(round * SLICE % TOKENS).take(SLICE);
        let started = Instant::now();
        tokens.for_each(|token| verify(self, token));
        started.elapsed().as_secs_f64() * 1e6 / SLICE as f64
    }

    fn print_ratio(&self) {
        let (mut ours, mut peer): (Vec<f64>, Vec<f64>) =
            (0..ROUNDS).map(|round| (self.time(round, Self::verify_ours), self.time(round, Self::verify_peer))).unzip();
        let (ours, peer) = (median(&mut ours), median(&mut peer));
        println!("\nfull verification, RS256-2048, token of {} bytes, {TOKENS} distinct tokens", self.tokens[0].len());
        println!("  poolgate, through the component (wide)   {ours:8.1} µs");
        println!("  jsonwebtoken 11, aws_lc_rs, native       {peer:8.1} µs");
        println!(
            "  ratio                                    {:8.2} (medians of {ROUNDS} interleaved slices)",
            ours / peer
        );
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let sides = Sides::new();
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("full verification, RS256-2048");
    group.throughput(Throughput::Elements(1));
    let mut tokens = sides.tokens.iter().cycle();
    let mut next = || tokens.next().expect("the tokens never end");
    group.bench_function("poolgate, component", |bencher| bencher.iter(|| sides.verify_ours(next())));
    group.bench_function("jsonwebtoken 11, native", |bencher| bencher.iter(|| sides.verify_peer(next())));
    group.finish();
    criterion.final_summary();
    // Under `cargo test --benches` each side has run once, which is all that is asked.
    if !std::env::args().any(|argument| argument == "--test") {
        sides.print_ratio();
    }
}
