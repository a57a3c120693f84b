//! Many pools in one verifier, and key sets of many keys.

use poolgate::{FixedClock, KeySetError, LoadKeySetError, Pool, TokenUseRule, Verifier};
use poolgate_core::Algorithm;
use poolgate_tests::{
    keys::{OTHER_RSA_2048, RSA_2048, jwks},
    minting::{CLIENT_ID, Draft, NOW},
};
use std::{
    num::NonZeroUsize,
    time::{Duration, Instant},
};

const POOLS: usize = 1_000;
/// The maximum ratio of the time of a verification with many pools to that with one pool.
const MAX_RATIO: f64 = 1.2;
/// The number of measurements before the test fails.
const ATTEMPTS: usize = 5;

fn pool_id(number: usize) -> String {
    format!("eu-west-1_Pool{number:05}")
}

fn issuer(number: usize) -> String {
    format!("https://cognito-idp.eu-west-1.amazonaws.com/{}", pool_id(number))
}

/// Two keys, as Cognito publishes them; the one that signs has this ID.
fn key_set(number: usize) -> (String, String) {
    let key_id = format!("signing key {number}");
    let keys = [
        RSA_2048.jwk_for(Algorithm::Rs256, &key_id),
        OTHER_RSA_2048.jwk_for(Algorithm::Rs256, &format!("spare key {number}")),
    ];
    (key_id, jwks(&keys))
}

async fn verifier_of(pools: usize) -> Verifier {
    let pool = |number| Pool::user_pool(pool_id(number)).client_ids([CLIENT_ID]).token_use(TokenUseRule::Access);
    let mut builder = Verifier::builder();
    for number in 0..pools {
        builder = builder.pool(pool(number).local_keys_only());
    }
    let verifier = builder
        .clock(FixedClock::at(NOW))
        .instances(NonZeroUsize::MIN)
        .disable_background_refresh()
        // The cache is disabled, because the time to find the key is measured.
        .token_cache(0, 0)
        // A thousand pools are configured in one call, which takes longer on a busy machine.
        .call_deadline(Duration::from_secs(30))
        .compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"))
        .build()
        .await
        .expect("it builds");
    for number in 0..pools {
        verifier.load_key_set(issuer(number), key_set(number).1, NOW).await.expect("the keys are valid");
    }
    verifier
}

fn token(number: usize) -> String {
    distinct_token(number, 0)
}

fn distinct_token(number: usize, jti: usize) -> String {
    let draft =
        Draft::access(&RSA_2048).claim("iss", format!("\"{}\"", issuer(number))).claim("jti", format!("\"{jti}\""));
    draft.header("kid", format!("\"{}\"", key_set(number).0)).compact()
}

async fn time_of(verifier: &Verifier, tokens: &[String]) -> f64 {
    let begun = Instant::now();
    for token in tokens {
        verifier.verify(token).await.expect("the token is valid");
    }
    begun.elapsed().as_secs_f64() / tokens.len() as f64
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

async fn memory_of(verifier: &Verifier) -> usize {
    let text = verifier.metrics();
    let line = text.lines().find_map(|line| line.strip_prefix("poolgate_instance_memory_bytes "));
    line.expect("the metric is there").parse().expect("a number")
}

#[tokio::test]
async fn a_verification_with_a_thousand_pools_takes_at_most_a_fifth_longer_than_with_one() {
    let (one, many) = (verifier_of(1).await, verifier_of(POOLS).await);
    let only: Vec<String> = (0..100).map(|index| distinct_token(0, index)).collect();
    let spread: Vec<String> = (0..100).map(|index| distinct_token(index * POOLS / 100 + index % 7, index)).collect();
    // Other processes on the machine can slow down either side, so the best of several measurements counts.
    let (mut of_one, mut of_many) = (1.0, f64::INFINITY);
    for _ in 0..ATTEMPTS {
        let (mut ones, mut manys) = (Vec::new(), Vec::new());
        for _ in 0..31 {
            ones.push(time_of(&one, &only).await);
            manys.push(time_of(&many, &spread).await);
        }
        let (one, many) = (median(ones), median(manys));
        if many / one < of_many / of_one {
            (of_one, of_many) = (one, many);
        }
        if of_many <= of_one * MAX_RATIO {
            break;
        }
    }
    let per_pool = (memory_of(&many).await - memory_of(&one).await) / (POOLS - 1);
    println!(
        "one pool: {:.1} µs, {POOLS} pools: {:.1} µs, ratio {:.3}; {per_pool} bytes of linear memory a pool of two keys",
        of_one * 1e6,
        of_many * 1e6,
        of_many / of_one
    );
    assert!(of_many <= of_one * MAX_RATIO, "{:.3} times the cost with one pool", of_many / of_one);
    assert!(per_pool < 16 * 1024, "{per_pool} bytes a pool");
}

#[tokio::test]
async fn a_set_of_5000_keys_is_rejected_by_size_and_by_count_unless_the_limits_allow_it() {
    let keys: Vec<_> = (0..5_000).map(|n| RSA_2048.jwk_for(Algorithm::Rs256, &format!("signing key {n}"))).collect();
    let set = jwks(&keys);
    for (bytes, count, error) in [
        (256 * 1024, 100, Some(KeySetError::TooLarge)),
        (16 << 20, 100, Some(KeySetError::TooManyKeys)),
        (16 << 20, 5_000, None),
    ] {
        let pool = Pool::user_pool(pool_id(0)).client_ids([CLIENT_ID]).token_use(TokenUseRule::Access);
        let builder = Verifier::builder().pool(pool.local_keys_only()).jwks_limits(bytes, count);
        let builder = builder.clock(FixedClock::at(NOW)).call_deadline(Duration::from_secs(30));
        let builder = builder.compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"));
        let verifier = builder.build().await.expect("it builds");
        let loaded = verifier.load_key_set(issuer(0), set.as_str(), NOW).await;
        assert_eq!(loaded.as_ref().err(), error.map(LoadKeySetError::Rejected).as_ref(), "{bytes} bytes, {count} keys");
        if error.is_none() {
            assert_eq!(loaded.expect("it is accepted").key_ids.len(), 5_000);
            verifier.verify(&token(0)).await.expect("the token is valid");
        }
    }
}
