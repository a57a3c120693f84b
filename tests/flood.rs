//! A flood of tokens with random key IDs does not slow down valid tokens.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use poolgate::{Clock, Pool, Reason, TokenUseRule, Verifier};
use poolgate_core::Algorithm;
use poolgate_tests::{
    faulty_server::{Behaviour, FaultyServer},
    keys::{RSA_2048, jwks},
    minting::{CLIENT_ID, Draft, KEY_ID, NOW, POOL_ID},
};
use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    time::{Duration, Instant},
};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

/// The number of tokens with random key IDs, without further windows.
const FLOOD: usize = 50_000;
/// The number of measurement windows with the flood. They alternate with as many windows without it, and with as many in which the same
/// number of expired tokens arrives.
const WINDOWS: usize = 5;
/// The maximum number of windows. On a busy machine, the median of five is not that of the verifier: then more windows are measured. If the flood slows
/// valid tokens down, it does so in all of them.
const MOST_WINDOWS: usize = 25;
/// The interval between valid tokens.
const PACE: Duration = Duration::from_millis(2);
const VALID_A_WINDOW: usize = 1_000;
/// The maximum ratio of the p99 latency of valid tokens with the flood to that with as many expired tokens. Both windows need the same CPU
/// time, so that other load on the machine slows both alike.
const MAX_RATIO: f64 = 2.0;

/// A clock that starts at the time of the test tokens and advances in real time.
#[derive(Debug)]
struct RunningClock(Instant);

impl Clock for RunningClock {
    fn now(&self) -> Duration {
        Duration::from_secs(NOW) + self.0.elapsed()
    }
}

struct Bench {
    server: FaultyServer,
    verifier: Verifier,
    begun: Instant,
}

impl Bench {
    async fn start() -> Self {
        let server = FaultyServer::start(Behaviour::Serve(jwks(&[RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID)]))).await;
        let pool = Pool::user_pool(POOL_ID).client_ids([CLIENT_ID]).token_use(TokenUseRule::Access);
        let begun = Instant::now();
        let verifier = Verifier::builder()
            .pool(pool.jwks_url(server.url("/jwks.json")))
            .allow_http_loopback(true)
            .clock(RunningClock(begun))
            .instances(NonZeroUsize::new(2).expect("two"))
            .call_deadline(Duration::from_secs(30))
            .compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"))
            .build()
            .await
            .expect("it builds");
        verifier.hydrate().await.expect("the keys are fetched");
        Self { server, verifier, begun }
    }

    /// Sends valid tokens at a fixed rate, without waiting for results, and returns the sorted latencies.
    async fn valid_stream(&self) -> Vec<Duration> {
        let token = Draft::access(&RSA_2048).compact();
        let mut ticks = interval(PACE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut calls = JoinSet::new();
        for _ in 0..VALID_A_WINDOW {
            ticks.tick().await;
            let (verifier, token, sent) = (self.verifier.clone(), token.clone(), Instant::now());
            calls.spawn(async move {
                verifier.verify(&token).await.unwrap_or_else(|denial| panic!("a valid token was rejected: {denial}"));
                sent.elapsed()
            });
        }
        let mut latencies = calls.join_all().await;
        latencies.sort_unstable();
        latencies
    }

    /// Returns the number of fetches that the token bucket has allowed so far, including the first fetch by `hydrate`.
    fn allowed_fetches(&self) -> usize {
        1 + 5 + usize::try_from(self.begun.elapsed().as_secs() / 10).expect("it fits")
    }
}

/// Sends invalid tokens, five per millisecond, and counts the reasons of the denials.
async fn flood(verifier: Verifier, first: usize, token: impl Fn(usize) -> String) -> BTreeMap<&'static str, usize> {
    let mut reasons = BTreeMap::new();
    let mut ticks = interval(Duration::from_millis(1));
    for number in first..first + FLOOD / WINDOWS {
        if number % 5 == 0 {
            ticks.tick().await;
        }
        let denial = verifier.verify(&token(number)).await.expect_err("an invalid token");
        *reasons.entry(denial.reason.name()).or_default() += 1;
    }
    reasons
}

/// Creates tokens with random key IDs. Their signatures are not valid, so no key is needed.
struct RandomKeyIds {
    rest: String,
}

impl RandomKeyIds {
    fn new() -> Self {
        let good = Draft::access(&RSA_2048).compact();
        Self { rest: good.split_once('.').expect("three parts").1.to_owned() }
    }

    fn token(&self, number: usize) -> String {
        let random = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bd1_e995;
        let header = URL_SAFE_NO_PAD.encode(format!("{{\"kid\":\"random {random:016x}\",\"alg\":\"RS256\"}}"));
        format!("{header}.{}", self.rest)
    }
}

fn p99(latencies: &[Duration]) -> f64 {
    latencies[latencies.len() * 99 / 100].as_secs_f64() * 1e6
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_thousand_random_key_ids_do_not_slow_a_stream_of_valid_tokens() {
    let bench = Bench::start().await;
    bench.valid_stream().await;
    let (mut quiet, mut with_expired, mut flooded) = (Vec::new(), Vec::new(), Vec::new());
    let mut reasons = BTreeMap::<&str, usize>::new();
    let mut windows = 0;
    let ratio = |flooded: &[f64], with_expired: &[f64]| median(flooded) / median(with_expired);
    while windows < WINDOWS || (windows < MOST_WINDOWS && ratio(&flooded, &with_expired) > MAX_RATIO) {
        let first = windows * FLOOD / WINDOWS;
        windows += 1;
        quiet.push(p99(&bench.valid_stream().await));
        let expired = Draft::access(&RSA_2048).claim("exp", NOW - 1_000).compact();
        let others = tokio::spawn(flood(bench.verifier.clone(), first, move |_| expired.clone()));
        with_expired.push(p99(&bench.valid_stream().await));
        let denials = others.await.expect("no panic");
        assert_eq!(denials, BTreeMap::from([("expired", FLOOD / WINDOWS)]));
        let random_key_ids = RandomKeyIds::new();
        let flood = tokio::spawn(flood(bench.verifier.clone(), first, move |number| random_key_ids.token(number)));
        flooded.push(p99(&bench.valid_stream().await));
        for (reason, count) in flood.await.expect("no panic") {
            *reasons.entry(reason).or_default() += count;
        }
    }
    let (quiet, with_expired, flooded) = (median(&quiet), median(&with_expired), median(&flooded));
    let fetches = bench.server.fetches();
    println!(
        "p99 of valid tokens in {windows} windows: quiet {quiet:.0} µs, with expired tokens {with_expired:.0} µs, flooded {flooded:.0} µs, ratio {:.2}; \
         {fetches} fetches in {:.0} s, {} allowed; the flood got {reasons:?}",
        flooded / with_expired,
        bench.begun.elapsed().as_secs_f64(),
        bench.allowed_fetches()
    );
    assert_eq!(reasons.values().sum::<usize>(), windows * FLOOD / WINDOWS, "every token gets a result");
    assert!(reasons.keys().all(|reason| reason.starts_with("key-unknown")), "{reasons:?}");
    assert!(fetches <= bench.allowed_fetches(), "{fetches} fetches, {} allowed", bench.allowed_fetches());
    assert!(
        flooded <= with_expired * MAX_RATIO,
        "with random key IDs, the p99 is {:.2} times as long as with expired tokens",
        flooded / with_expired
    );
    assert_eq!(bench.verifier.sandbox_failures(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_issuer_does_not_respond_a_flood_does_not_block_valid_tokens() {
    let bench = Bench::start().await;
    bench.server.now_does(Behaviour::Stall);
    let random_key_ids = RandomKeyIds::new();
    let mut flood = JoinSet::new();
    for number in 0..5_000 {
        let (verifier, token) = (bench.verifier.clone(), random_key_ids.token(number));
        flood.spawn(async move { verifier.verify(&token).await.expect_err("no such key").reason });
    }
    bench.server.wait_for_fetches(2).await;
    let latencies = bench.valid_stream().await;
    assert_eq!(latencies.len(), VALID_A_WINDOW);
    assert_eq!(bench.server.fetches(), 2, "one fetch, which is in progress");
    drop(bench.server);
    // The connection is lost, so it is unknown whether the keys exist.
    let reasons = flood.join_all().await;
    assert!(reasons.iter().all(|reason| *reason == Reason::KeysUnavailable || *reason == Reason::Overloaded));
}
