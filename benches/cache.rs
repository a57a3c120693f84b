//! The effect of the token cache: a hit, a miss that is then cached, and no cache. The benchmark `growth` measures a mix of tokens for
//! several sizes of the cache.

use criterion::{Criterion, criterion_group, criterion_main};
use poolgate::Verifier;
use poolgate_benches::eddsa::{tokens, verifier};
use std::hint::black_box;
use tokio::runtime::Builder;

const DISTINCT: usize = 5_000;

fn caches(criterion: &mut Criterion) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let verify = |verifier: &Verifier, token: &str| {
        let verdict = runtime.block_on(verifier.verify(token));
        assert!(black_box(verdict).is_ok(), "a valid token was rejected");
    };
    let few = tokens(DISTINCT);
    let mut group = criterion.benchmark_group("token cache, EdDSA");
    let usual = verifier(&runtime, 512 * 1024, 1_024);
    group.bench_function("hit", |bencher| bencher.iter(|| verify(&usual, &few[0])));
    for (name, bytes, entries) in [("miss, and remembered", 512 * 1024, 1_024), ("no cache", 0, 0)] {
        let verifier = verifier(&runtime, bytes, entries);
        let mut next = few.iter().cycle();
        group.bench_function(name, |bencher| {
            bencher.iter(|| verify(&verifier, next.next().expect("the iterator is infinite")))
        });
    }
    group.finish();
}

criterion_group!(benches, caches);
criterion_main!(benches);
