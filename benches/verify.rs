//! The cost of a full verification in the component, compared with native libraries.
//!
//! The tokens are distinct, so that caches have no effect. Criterion measures each library separately. After that, the libraries run in
//! interleaved rounds, and the ratios of the medians are printed, which are valid on a busy machine, too.

use criterion::{Criterion, Throughput};
use poolgate_benches::{
    interleaved::{interleaved, median},
    ours, peers,
    side::{Expected, Side},
};
use poolgate_core::Algorithm;
use poolgate_tests::{
    keys::{jwks, key_for},
    minting::{CLIENT_ID, Draft, ISSUER, KEY_ID, POOL_ID},
};
use std::{
    slice,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// More tokens than the caches of a CPU or of a verifier hold.
const TOKENS: usize = 2_000;
/// The number of rounds, and of tokens per round.
const ROUNDS: usize = 41;
const SLICE: usize = 100;

/// An algorithm, the libraries with a key of it, and the tokens.
struct Contest {
    name: &'static str,
    sides: Vec<Side>,
    tokens: Vec<String>,
}

impl Contest {
    fn new(name: &'static str, algorithm: Algorithm) -> Self {
        let key = key_for(algorithm);
        let jwks = serde_json::from_str(&jwks(&[key.jwk_for(algorithm, KEY_ID)])).expect("a JWK Set");
        let expected = Expected { algorithm, issuer: ISSUER, user_pool_id: POOL_ID, client_id: CLIENT_ID, jwks: &jwks };
        let mut sides = vec![ours::wide(&expected).expect("the verifier builds")];
        sides.extend(peers::all(&expected).expect("the key is valid"));
        // The tokens are valid from now, because not every library has a settable clock. They have about 1 KB, as Cognito's tokens.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let token = |number: usize| {
            let draft = Draft::access(key).signed_with(key, algorithm).claim("jti", format!("\"{number:036}\""));
            draft.claim("iat", now - 60).claim("auth_time", now - 60).claim("exp", now + 86_400).compact()
        };
        Self { name, sides, tokens: (0..TOKENS).map(token).collect() }
    }

    fn measure_alone(&self, criterion: &mut Criterion) {
        let mut group = criterion.benchmark_group(format!("full verification, {}", self.name));
        group.throughput(Throughput::Elements(1));
        group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(4));
        for side in &self.sides {
            let mut tokens = self.tokens.iter().cycle();
            group.bench_function(side.name, |bencher| {
                bencher.iter(|| {
                    let token = tokens.next().expect("the iterator is infinite");
                    assert!((side.accepts)(slice::from_ref(token)), "{}: a valid token was rejected", side.name);
                });
            });
        }
        group.finish();
    }

    fn measure_in_turn(&self) {
        let slices: Vec<&[String]> = self.tokens.chunks(SLICE).collect();
        let figures = interleaved(&mut self.sides.iter().map(|side| side.work(&slices)).collect::<Vec<_>>(), ROUNDS);
        let medians: Vec<f64> = figures.iter().map(|us| median(us)).collect();
        println!(
            "\nfull verification, {}, token of {} bytes, {TOKENS} distinct tokens",
            self.name,
            self.tokens[0].len()
        );
        for (side, us) in self.sides.iter().zip(&medians) {
            println!("  {:<36} {us:8.1} µs   poolgate / it {:5.2}", side.name, medians[0] / us);
        }
        println!("  medians of {ROUNDS} interleaved slices of {SLICE} tokens");
    }
}

fn main() {
    let contests = [
        Contest::new("RS256-2048", Algorithm::Rs256),
        Contest::new("ES256", Algorithm::Es256),
        Contest::new("Ed25519", Algorithm::EdDsa),
    ];
    let mut criterion = Criterion::default().configure_from_args();
    for contest in &contests {
        contest.measure_alone(&mut criterion);
    }
    criterion.final_summary();
    // With `cargo test --benches`, every library has run once, which suffices.
    if !std::env::args().any(|argument| argument == "--test") {
        contests.iter().for_each(Contest::measure_in_turn);
    }
}
