//! How does the cost of a verification grow: with the token's size, the number of pools, of keys in a set, of tasks at once; and what does it
//! cost to start an instance?

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use poolgate::{FixedClock, Pool, TokenUseRule, Verifier, measure};
use poolgate_artifacts::TOKEN_VERIFIER_WIDE;
use poolgate_core::Algorithm;
use poolgate_tests::{
    keys::{RSA_2048, jwks},
    minting::{CLIENT_ID, Draft, NOW},
};
use std::{hint::black_box, num::NonZeroUsize, time::Duration};
use tokio::runtime::{Builder, Runtime};

fn pool_id(number: usize) -> String {
    format!("eu-west-1_Pool{number:05}")
}

fn issuer(number: usize) -> String {
    format!("https://cognito-idp.eu-west-1.amazonaws.com/{}", pool_id(number))
}

/// Of so many pools, each with so many keys in its set.
async fn verifier(pools: usize, keys: usize, instances: usize) -> Verifier {
    let pool = |number| Pool::user_pool(pool_id(number)).client_ids([CLIENT_ID]).token_use(TokenUseRule::Access);
    let mut builder = Verifier::builder().token_cache(0, 0).jwks_limits(1 << 24, 10_000);
    for number in 0..pools {
        builder = builder.pool(pool(number).seeded_keys_only());
    }
    let builder = builder.clock(FixedClock::at(NOW)).call_deadline(Duration::from_secs(30)).without_maintenance();
    let instances = NonZeroUsize::new(instances).expect("at least one");
    let verifier = builder.instances(instances).build().await.expect("the verifier builds");
    let jwk = |key| RSA_2048.jwk_for(Algorithm::Rs256, &format!("key {key}"));
    let set = jwks(&(0..keys).map(jwk).collect::<Vec<_>>());
    for number in 0..pools {
        verifier.seed_keys(issuer(number), set.as_str(), NOW).await.expect("the keys are good");
    }
    verifier
}

fn token(pool: usize, key: usize, padding: usize) -> String {
    let draft = Draft::access(&RSA_2048).claim("iss", format!("\"{}\"", issuer(pool)));
    let draft = draft.header("kid", format!("\"key {key}\""));
    if padding == 0 {
        draft.compact()
    } else {
        draft.claim("padding", format!("\"{}\"", "x".repeat(padding))).compact()
    }
}

fn verify(runtime: &Runtime, verifier: &Verifier, token: &str) {
    let verdict = runtime.block_on(verifier.verify(token));
    assert!(black_box(verdict).is_ok(), "a good token was refused");
}

fn growth(criterion: &mut Criterion) {
    let runtime = Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let one = runtime.block_on(verifier(1, 1, 1));
    let mut group = criterion.benchmark_group("by token size");
    for padding in [0, 512, 1_536, 3_072, 6_144, 9_216] {
        let token = token(0, 0, padding);
        group.throughput(Throughput::Bytes(token.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(token.len()), |bencher| {
            bencher.iter(|| verify(&runtime, &one, &token));
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("by pools");
    for pools in [1, 10, 100, 1_000] {
        let many = runtime.block_on(verifier(pools, 2, 1));
        let tokens: Vec<String> =
            (0..pools.min(100)).map(|number| token(number * pools / 100.min(pools), 0, 0)).collect();
        let mut next = tokens.iter().cycle();
        group.bench_function(BenchmarkId::from_parameter(pools), |bencher| {
            bencher.iter(|| verify(&runtime, &many, next.next().expect("it never ends")));
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("by keys in a set");
    for keys in [1, 10, 100, 1_000] {
        let many = runtime.block_on(verifier(1, keys, 1));
        let token = token(0, keys / 2, 0);
        group.bench_function(BenchmarkId::from_parameter(keys), |bencher| {
            bencher.iter(|| verify(&runtime, &many, &token));
        });
    }
    group.finish();

    const EACH: usize = 64;
    let mut group = criterion.benchmark_group(format!("by tasks at once, {EACH} tokens each"));
    let shared = runtime.block_on(verifier(1, 1, 8));
    let good = token(0, 0, 0);
    for tasks in [1, 2, 4, 8] {
        group.throughput(Throughput::Elements((tasks * EACH) as u64));
        group.bench_function(BenchmarkId::from_parameter(tasks), |bencher| {
            bencher.iter(|| {
                runtime.block_on(async {
                    let spawn = |_| {
                        let (verifier, token) = (shared.clone(), good.clone());
                        tokio::spawn(async move {
                            for _ in 0..EACH {
                                assert!(black_box(verifier.verify(&token).await).is_ok(), "a good token was refused");
                            }
                        })
                    };
                    for task in (0..tasks).map(spawn).collect::<Vec<_>>() {
                        task.await.expect("no panic");
                    }
                });
            });
        });
    }
    group.finish();

    criterion.bench_function("a fresh instance", |bencher| {
        // The first ones after the compilation find nothing in any cache of the machine's.
        const FIRST: usize = 100;
        bencher.iter_custom(|count| {
            let taken = measure::instantiations(TOKEN_VERIFIER_WIDE, None, count as usize + FIRST).expect("it starts");
            taken.into_iter().skip(FIRST).sum()
        });
    });
}

criterion_group!(benches, growth);
criterion_main!(benches);
