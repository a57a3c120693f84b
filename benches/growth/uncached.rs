//! Full verifications of RS256 tokens, without a token cache.

use crate::series::{BenchProfile, Series};
use poolgate::{FixedClock, Pool, TokenUseRule, Verifier};
use poolgate_benches::interleaved::Work;
use poolgate_core::Algorithm;
use poolgate_tests::{
    keys::{RSA_2048, jwks},
    minting::{CLIENT_ID, Draft, NOW},
};
use std::{hint::black_box, num::NonZeroUsize, time::Duration};
use tokio::runtime::{Builder, Runtime};

const NUMBERS: [usize; 7] = [1, 3, 10, 30, 100, 300, 1_000];
const THREADS: usize = 8;

pub fn by_size(profile: &BenchProfile) -> Series {
    let runtime = one_thread();
    let verifier = runtime.block_on(verifier(1, 1, 1));
    let works = [0, 512, 1_536, 3_072, 6_144, 9_216].map(|padding| {
        let tokens = vec![token(0, 0, padding)];
        (tokens[0].len(), work(&runtime, verifier.clone(), tokens, profile.slice))
    });
    Series::measure("size", "bytes of a token", profile, works.into())
}

pub fn by_pools(profile: &BenchProfile) -> Series {
    let runtime = one_thread();
    let works = NUMBERS.into_iter().filter(|pools| *pools <= profile.most).map(|pools| {
        // The tokens belong to up to 100 pools, in turn.
        let used = pools.min(100);
        let tokens = (0..used).map(|number| token(number * pools / used, 0, 0)).collect();
        (pools, work(&runtime, runtime.block_on(verifier(pools, 2, 1)), tokens, profile.slice))
    });
    Series::measure("pools", "pools", profile, works.collect())
}

pub fn by_keys(profile: &BenchProfile) -> Series {
    let runtime = one_thread();
    let works = NUMBERS.into_iter().filter(|keys| *keys <= profile.most).map(|keys| {
        let used = keys.min(100);
        let tokens = (0..used).map(|number| token(0, number * keys / used, 0)).collect();
        (keys, work(&runtime, runtime.block_on(verifier(1, keys, 1)), tokens, profile.slice))
    });
    Series::measure("keys", "keys in the set", profile, works.collect())
}

/// One runtime and one verifier per number of threads, with as many instances and tasks. The cost is the elapsed time divided by the number
/// of tokens that all threads verify.
pub fn by_threads(profile: &BenchProfile) -> Series {
    let token = token(0, 0, 0);
    let works = (1..=THREADS).map(|threads| -> (usize, Work<'_>) {
        let runtime = Builder::new_multi_thread().worker_threads(threads).enable_all().build().expect("a runtime");
        let (verifier, token) = (runtime.block_on(verifier(1, 1, threads)), &token);
        let each = profile.slice;
        let work = move |_| {
            let task = |_| {
                let (verifier, token) = (verifier.clone(), token.clone());
                runtime.spawn(async move {
                    for _ in 0..each {
                        assert!(black_box(verifier.verify(&token).await).is_ok(), "a valid token was rejected");
                    }
                })
            };
            let tasks: Vec<_> = (0..threads).map(task).collect();
            runtime.block_on(async {
                for task in tasks {
                    task.await.expect("no panic");
                }
            });
            threads * each
        };
        (threads, Box::new(work))
    });
    Series::measure("threads", "threads", profile, works.collect())
}

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn work<'a>(runtime: &'a Runtime, verifier: Verifier, tokens: Vec<String>, slice: usize) -> Work<'a> {
    Box::new(move |_| {
        runtime.block_on(async {
            for token in tokens.iter().cycle().take(slice) {
                assert!(black_box(verifier.verify(token).await).is_ok(), "a valid token was rejected");
            }
        });
        slice
    })
}

fn pool_id(number: usize) -> String {
    format!("eu-west-1_Pool{number:05}")
}

fn issuer(number: usize) -> String {
    format!("https://cognito-idp.eu-west-1.amazonaws.com/{}", pool_id(number))
}

/// A verifier with `pools` pools, each with `keys` keys.
async fn verifier(pools: usize, keys: usize, instances: usize) -> Verifier {
    let pool = |number| Pool::user_pool(pool_id(number)).client_ids([CLIENT_ID]).token_use(TokenUseRule::Access);
    let mut builder = Verifier::builder().token_cache(0, 0).jwks_limits(1 << 24, 10_000);
    for number in 0..pools {
        builder = builder.pool(pool(number).local_keys_only());
    }
    let builder =
        builder.clock(FixedClock::at(NOW)).call_deadline(Duration::from_secs(30)).disable_background_refresh();
    let instances = NonZeroUsize::new(instances).expect("at least one");
    let verifier = builder.instances(instances).build().await.expect("the verifier builds");
    let jwk = |key| RSA_2048.jwk_for(Algorithm::Rs256, &format!("key {key}"));
    let set = jwks(&(0..keys).map(jwk).collect::<Vec<_>>());
    for number in 0..pools {
        verifier.load_key_set(issuer(number), set.as_str(), NOW).await.expect("the keys are valid");
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
