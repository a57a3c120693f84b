//! What does the token cache save? A hit, a miss that is remembered, no cache at all, and a mix in which few tokens come often and many
//! seldom (Zipf's law, exponent 1, 100,000 tokens).

use criterion::{Criterion, criterion_group, criterion_main};
use poolgate::{FixedClock, Pool, TokenUseRule, Verifier};
use poolgate_core::Algorithm;
use poolgate_tests::{
    dice::Dice,
    keys::{ED25519, jwks},
    minting::{CLIENT_ID, Draft, ISSUER, NOW, POOL_ID},
};
use std::{hint::black_box, num::NonZeroUsize};
use tokio::runtime::{Builder, Runtime};

/// Signed with Ed25519, which is quick to sign with; the cache does not care.
const TOKENS: usize = 100_000;
const DISTINCT: usize = 5_000;

fn verifier(runtime: &Runtime, bytes: u32, entries: u32) -> Verifier {
    runtime.block_on(async {
        let pool = Pool::user_pool(POOL_ID).client_ids([CLIENT_ID]).token_use(TokenUseRule::Access);
        let pool = pool.algorithms([poolgate::Algorithm::Eddsa]).seeded_keys_only();
        let builder = Verifier::builder().pool(pool).clock(FixedClock::at(NOW)).instances(NonZeroUsize::MIN);
        let verifier = builder.token_cache(bytes, entries).build().await.expect("the verifier builds");
        let key = ED25519.jwk_for(Algorithm::EdDsa, "ed");
        verifier.seed_keys(ISSUER, jwks(&[key]), NOW).await.expect("the key is good");
        verifier
    })
}

fn tokens(count: usize) -> Vec<String> {
    let draft = || Draft::access(&ED25519).signed_with(&ED25519, Algorithm::EdDsa).header("kid", "\"ed\"");
    (0..count).map(|number| draft().claim("jti", format!("\"{number:036}\"")).compact()).collect()
}

/// Numbers of tokens in the order in which they come.
fn zipf(count: usize, length: usize) -> Vec<usize> {
    let mut sums: Vec<f64> = Vec::with_capacity(count);
    for rank in 1..=count {
        sums.push(sums.last().copied().unwrap_or(0.0) + 1.0 / rank as f64);
    }
    let total = sums.last().copied().unwrap_or(1.0);
    let mut dice = Dice::new(1_949);
    let mut pick = || sums.partition_point(|sum| *sum < total * dice.roll(1 << 30) as f64 / f64::from(1 << 30));
    (0..length).map(|_| pick().min(count - 1)).collect()
}

fn caches(criterion: &mut Criterion) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let verify = |verifier: &Verifier, token: &str| {
        let verdict = runtime.block_on(verifier.verify(token));
        assert!(black_box(verdict).is_ok(), "a good token was refused");
    };
    let few = tokens(DISTINCT);
    let mut group = criterion.benchmark_group("token cache, EdDSA");
    let usual = verifier(&runtime, 512 * 1024, 1_024);
    group.bench_function("hit", |bencher| bencher.iter(|| verify(&usual, &few[0])));
    for (name, bytes, entries) in [("miss, and remembered", 512 * 1024, 1_024), ("no cache", 0, 0)] {
        let verifier = verifier(&runtime, bytes, entries);
        let mut next = few.iter().cycle();
        group.bench_function(name, |bencher| bencher.iter(|| verify(&verifier, next.next().expect("it never ends"))));
    }
    let many = tokens(TOKENS);
    let order = zipf(TOKENS, TOKENS);
    for (name, bytes, entries) in [
        ("Zipf, no cache", 0, 0),
        ("Zipf, 512 KiB", 512 * 1024, 1_024),
        ("Zipf, 8 MiB", 8 << 20, 16_384),
        ("Zipf, 64 MiB", 64 << 20, 131_072),
    ] {
        let verifier = verifier(&runtime, bytes, entries);
        let mut next = order.iter().cycle();
        group.bench_function(name, |bencher| {
            bencher.iter(|| verify(&verifier, &many[*next.next().expect("it never ends")]));
        });
    }
    group.finish();
}

criterion_group!(benches, caches);
criterion_main!(benches);
