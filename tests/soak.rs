//! A mixed load with failures of the JWKS endpoint: no memory leak, no wrong verdict, and a result for every request.
//!
//! The test takes half a minute. For a run of ten minutes:
//! `POOLGATE_SOAK_SECONDS=600 cargo test --test soak -- --nocapture`.

use jsonwebtoken::{Algorithm as PeerAlgorithm, DecodingKey, Validation, decode, decode_header};
use poolgate::{Clock, Denial, ErrorCode, KeyPolicy, Pool, TokenUseRule, Verified, Verifier};
use poolgate_core::Algorithm;
use poolgate_tests::{
    faulty_server::{Behaviour, FaultyServer},
    keys::{OTHER_RSA_2048, RSA_2048, TestKey, jwks},
    minting::{CLIENT_ID, Draft, NOW},
    rng::Rng,
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    env, fs,
    num::NonZeroUsize,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::time::{interval, timeout};

const POOLS: usize = 3;
/// The number of keys of each pool that are published alternately.
const ROTATING: usize = 4;
/// The speed of the verifier's clock, relative to the system clock.
const SPEED: u32 = 20;
/// How often the behaviour of the server changes.
const CHANGE_EVERY: Duration = Duration::from_millis(200);
/// The maximum time of a request.
const MAX_LATENCY: Duration = Duration::from_secs(20);
const TASKS: usize = 4;

fn duration() -> Duration {
    let configured = env::var("POOLGATE_SOAK_SECONDS").ok().map(|text| text.parse().expect("seconds"));
    Duration::from_secs(configured.unwrap_or(30))
}

#[derive(Debug)]
struct FastClock(Instant);

impl Clock for FastClock {
    fn now(&self) -> Duration {
        Duration::from_secs(NOW) + self.0.elapsed() * SPEED
    }
}

/// The kind of a token, which decides the possible results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Its key is in every valid key set, so it is always verified.
    Valid,
    /// Its key is in some of the key sets.
    Rotating,
    /// It is never verified.
    Invalid,
}

struct Sample {
    token: String,
    kind: Kind,
}

fn pool_id(pool: usize) -> String {
    format!("eu-west-1_Soak{pool:05}")
}

fn path(pool: usize) -> String {
    format!("/{pool}")
}

fn steady(pool: usize) -> String {
    format!("steady {pool}")
}

fn rotating(pool: usize, number: usize) -> String {
    format!("rotating {pool} {number}")
}

fn set(pool: usize, second: usize) -> String {
    let keys = [
        RSA_2048.jwk_for(Algorithm::Rs256, &steady(pool)),
        OTHER_RSA_2048.jwk_for(Algorithm::Rs256, &rotating(pool, second)),
    ];
    jwks(&keys)
}

fn draft(pool: usize, key: &'static TestKey, key_id: &str) -> Draft {
    let issuer = format!("https://cognito-idp.eu-west-1.amazonaws.com/{}", pool_id(pool));
    let draft = Draft::access(key).claim("iss", format!("\"{issuer}\"")).claim("exp", NOW + 100 * 86_400);
    draft.header("kid", format!("\"{key_id}\""))
}

/// Creates valid, rotating and invalid tokens of every pool.
fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut add = |kind, token: Draft| samples.push(Sample { token: token.compact(), kind });
    for pool in 0..POOLS {
        for user in 0..8 {
            add(Kind::Valid, draft(pool, &RSA_2048, &steady(pool)).claim("username", format!("\"user {user}\"")));
        }
        for number in 0..ROTATING {
            add(Kind::Rotating, draft(pool, &OTHER_RSA_2048, &rotating(pool, number)));
        }
        let good = || draft(pool, &RSA_2048, &steady(pool));
        add(Kind::Invalid, draft(pool, &OTHER_RSA_2048, &steady(pool)));
        add(Kind::Invalid, good().claim("exp", NOW - 1));
        add(Kind::Invalid, good().claim("client_id", "\"another\""));
        add(Kind::Invalid, good().claim("token_use", "\"id\""));
        add(Kind::Invalid, draft(pool, &RSA_2048, &steady((pool + 1) % POOLS)));
        add(Kind::Invalid, draft(pool, &OTHER_RSA_2048, &rotating((pool + 1) % POOLS, 0)));
    }
    samples
}

/// Draws the next behaviour of the server for one path. Half of the time, it serves a valid key set.
fn behaviour(pool: usize, rng: &mut Rng) -> Behaviour {
    let good = set(pool, rng.draw(ROTATING));
    match rng.draw(20) {
        0 => Behaviour::Status(500, good),
        1 => Behaviour::Status(404, good),
        2 => Behaviour::ResetMidway(good),
        3 => Behaviour::CloseMidway(good),
        4 => Behaviour::Stall,
        5 => Behaviour::StallMidway(good),
        6 => Behaviour::Serve(good[..good.len() / 2].into()),
        7 => Behaviour::Serve("{\"keys\":[]}".into()),
        8 => Behaviour::Huge(100 << 20),
        9 => Behaviour::GzipBomb,
        10 => Behaviour::Redirect("/elsewhere".into(), good),
        11 => Behaviour::Tagged(good, "\"soak\""),
        // A key set that needs more memory than an instance may use: the instance fails and is replaced.
        12 if rng.draw(4) == 0 => Behaviour::Serve(oversized_key_set()),
        _ => Behaviour::Serve(good),
    }
}

/// The tolerance, in bytes, for the growth of the maximum linear memory of an instance: from the first two thirds of the test to the last
/// third, it may grow by 10 % and this number. The memory depends on which key sets one instance has at the same time, which is random. An
/// instance handles about 70,000 tokens in the test.
const LINEAR_SLACK: u64 = 8 * 65_536;
/// The maximum linear memory of an instance, in bytes. It is less than the oversized key set needs.
const MEMORY_LIMIT: u64 = 8 << 20;

/// Returns a key set whose text alone is larger than the memory of an instance. The instance fails at its first allocation, so no sample of its memory is
/// from the time in which it grows.
fn oversized_key_set() -> String {
    let key = RSA_2048.jwk_for(Algorithm::Rs256, "").to_string();
    let keys: Vec<String> = (0..21_000).map(|n| key.replace("\"kid\":\"\"", &format!("\"kid\":\"p{n}\""))).collect();
    format!("{{\"keys\":[{}]}}", keys.join(","))
}

/// Returns whether `jsonwebtoken` accepts the token, with the only key that can have signed it.
fn peer_accepts(token: &str) -> bool {
    // A build of the whole workspace has both providers (because of `benches`), and the crate then selects none. Only
    // the first call has an effect.
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let header = decode_header(token).expect("a header");
    let key: &TestKey =
        if header.kid.is_some_and(|kid| kid.starts_with("steady")) { &RSA_2048 } else { &OTHER_RSA_2048 };
    let jwk = serde_json::from_value(key.jwk("")).expect("a JWK");
    let mut validation = Validation::new(PeerAlgorithm::RS256);
    validation.validate_aud = false;
    // The library cannot use another clock.
    validation.validate_exp = false;
    decode::<Value>(token, &DecodingKey::from_jwk(&jwk).expect("an RSA key"), &validation).is_ok()
}

#[derive(Default)]
struct Tally {
    counts: BTreeMap<String, usize>,
    wrong: Vec<String>,
}

impl Tally {
    fn record(&mut self, sample: &Sample, verdict: Result<Verified, Denial>) {
        let (name, is_right) = match &verdict {
            Ok(_) => ("verified", sample.kind != Kind::Invalid && peer_accepts(&sample.token)),
            Err(denial) => {
                let is_key_problem =
                    denial.reason.name().starts_with("key-unknown") || denial.error == ErrorCode::Unavailable;
                let is_right = match sample.kind {
                    Kind::Valid => false,
                    Kind::Rotating => is_key_problem,
                    Kind::Invalid => true,
                };
                (denial.reason.name(), is_right)
            }
        };
        *self.counts.entry(format!("{:?}: {name}", sample.kind)).or_default() += 1;
        if !is_right {
            self.wrong.push(format!("{:?}: {name}", sample.kind));
        }
    }
}

async fn load(verifier: Verifier, samples: Arc<Vec<Sample>>, is_over: Arc<AtomicBool>, seed: u64) -> Tally {
    let (mut rng, mut tally) = (Rng::new(seed), Tally::default());
    while !is_over.load(Ordering::SeqCst) {
        let unknown;
        let sample = match rng.draw(40) {
            0 => {
                let number = rng.draw(1 << 30);
                let token = draft(0, &RSA_2048, &format!("unknown {number}")).compact();
                unknown = Sample { token, kind: Kind::Invalid };
                &unknown
            }
            _ => &samples[rng.draw(samples.len())],
        };
        let verdict = timeout(MAX_LATENCY, verifier.verify(&sample.token)).await;
        tally.record(sample, verdict.unwrap_or_else(|_| panic!("no result within {MAX_LATENCY:?}")));
        tokio::task::yield_now().await;
    }
    tally
}

/// A sample of the memory use, in bytes.
#[derive(Clone, Copy, Debug)]
struct Memory {
    linear: u64,
    resident: u64,
}

async fn memory(verifier: &Verifier) -> Memory {
    let text = verifier.metrics();
    let line = text.lines().find_map(|line| line.strip_prefix("poolgate_instance_memory_bytes "));
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    let kilobytes: u64 = resident.trim().trim_end_matches(" kB").parse().expect("kB");
    Memory { linear: line.expect("the metric").parse().expect("bytes"), resident: kilobytes * 1024 }
}

fn median(samples: &[Memory], of: impl Fn(&Memory) -> u64) -> u64 {
    let mut values: Vec<u64> = samples.iter().map(of).collect();
    values.sort_unstable();
    values[values.len() / 2]
}

/// Settings that make glibc return freed memory. By default, glibc raises these thresholds to the largest block that
/// was ever freed. After a few large key sets, RSS is then the maximum memory that was ever in use (70 MiB here) and
/// not the memory in use (20 MiB).
const GIVE_BACK: (&str, &str) =
    ("GLIBC_TUNABLES", "glibc.malloc.mmap_threshold=131072:glibc.malloc.trim_threshold=131072");

/// glibc reads its settings when a process starts, so the test starts itself again.
#[test]
fn under_a_mixed_load_with_failures_every_result_is_correct_and_memory_does_not_grow() {
    if env::var(GIVE_BACK.0).is_ok_and(|value| value == GIVE_BACK.1) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        return runtime.expect("a runtime").block_on(soak());
    }
    let ourselves = env::current_exe().expect("a path");
    let mut again = Command::new(ourselves);
    let status = again.args(env::args_os().skip(1)).env(GIVE_BACK.0, GIVE_BACK.1).status().expect("it starts");
    assert!(status.success(), "the soak failed: see above");
}

async fn soak() {
    let server = FaultyServer::start(Behaviour::Stall).await;
    let mut builder = Verifier::builder();
    for pool in 0..POOLS {
        server.path_does(&path(pool), Behaviour::Serve(set(pool, 0)));
        let policy = Pool::user_pool(pool_id(pool)).client_ids([CLIENT_ID]).token_use(TokenUseRule::Access);
        builder = builder.pool(policy.jwks_url(server.url(&path(pool))));
    }
    let policy = KeyPolicy { soft_ttl: 30, soft_ttl_min: 5, soft_ttl_max: 30, retry_max: 20, ..KeyPolicy::default() };
    let verifier = builder
        .allow_http_loopback(true)
        .clock(FastClock(Instant::now()))
        .key_policy(policy)
        .fetch_timeout(Duration::from_millis(500))
        .refresh_check_interval(Duration::from_millis(50))
        .instances(NonZeroUsize::new(2).expect("two"))
        .memory_limit(MEMORY_LIMIT as usize)
        .jwks_limits(16 << 20, 10_000)
        .call_deadline(Duration::from_secs(10))
        .queue_deadline(Duration::from_secs(10))
        .compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"))
        .build()
        .await
        .expect("it builds");
    let hydrated = verifier.hydrate().await.expect("the sandbox works");
    assert!(hydrated.iter().all(|report| report.key_ids.len() == 2), "{hydrated:?}");

    let (samples, is_over) = (Arc::new(samples()), Arc::new(AtomicBool::new(false)));
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            tokio::spawn(load(verifier.clone(), Arc::clone(&samples), Arc::clone(&is_over), 0x9e37 + task as u64))
        })
        .collect();
    let memories = Mutex::new(Vec::new());
    let (mut rng, mut changes, begun) = (Rng::new(0x5eed), interval(CHANGE_EVERY), Instant::now());
    while begun.elapsed() < duration() {
        changes.tick().await;
        let pool = rng.draw(POOLS);
        server.path_does(&path(pool), behaviour(pool, &mut rng));
        let memory = memory(&verifier).await;
        memories.lock().expect("no panic").push(memory);
    }
    is_over.store(true, Ordering::SeqCst);
    let mut all = Tally::default();
    for task in tasks {
        let tally = task.await.expect("every request gets a result");
        all.wrong.extend(tally.wrong);
        tally.counts.into_iter().for_each(|(name, count)| *all.counts.entry(name).or_default() += count);
    }
    let memories = memories.into_inner().expect("no panic");
    let (before, last) = memories.split_at(memories.len() * 2 / 3);
    let of = |part: &[Memory]| {
        let maximum = part.iter().map(|memory| memory.linear).max().expect("a sample");
        (maximum, median(part, |memory| memory.resident))
    };
    println!("{:#?}", all.counts);
    let series: Vec<u64> =
        memories.iter().step_by(memories.len().div_ceil(40)).map(|memory| memory.resident >> 20).collect();
    println!("RSS over the time, in MiB: {series:?}");
    println!(
        "{} requests, {} fetches, {} sandbox failures in {:.0} s; maximum linear memory and median RSS: {:?}, then {:?} bytes",
        all.counts.values().sum::<usize>(),
        server.fetches(),
        verifier.sandbox_failures(),
        begun.elapsed().as_secs_f64(),
        of(before),
        of(last)
    );
    assert!(
        all.wrong.is_empty(),
        "{} wrong verdicts, such as {:?}",
        all.wrong.len(),
        &all.wrong[..all.wrong.len().min(5)]
    );
    for kind in [Kind::Valid, Kind::Rotating] {
        assert!(all.counts.contains_key(&format!("{kind:?}: verified")), "no {kind:?} token was verified");
    }
    assert_eq!(server.fetches_of("/elsewhere"), 0, "a redirect was followed");
    let ((linear, resident), (linear_at_last, resident_at_last)) = (of(before), of(last));
    // A replaced instance starts with little memory, so the maximum is compared.
    assert!(
        linear_at_last <= linear + linear / 10 + LINEAR_SLACK,
        "linear memory grows: {linear}, then {linear_at_last}"
    );
    assert!(resident_at_last <= resident + resident / 10, "RSS grows: {resident}, then {resident_at_last}");
    timeout(MAX_LATENCY, verifier.shut_down()).await.expect("the shutdown completes");
}
