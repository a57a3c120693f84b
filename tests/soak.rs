//! A mixed load with faults: no leak, no wrong verdict, every request answered.
//!
//! It takes half a minute. For the long run, ten minutes:
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
/// Keys that come and go, for each pool.
const ROTATING: usize = 4;
/// How much faster than the machine's the verifier's clock goes.
const SPEED: u32 = 20;
/// How often the server changes its mind.
const MOOD: Duration = Duration::from_millis(200);
/// No request may take longer, whatever happens.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
const TASKS: usize = 4;

fn duration() -> Duration {
    let stated = env::var("POOLGATE_SOAK_SECONDS").ok().map(|text| text.parse().expect("seconds"));
    Duration::from_secs(stated.unwrap_or(30))
}

#[derive(Debug)]
struct FastClock(Instant);

impl Clock for FastClock {
    fn now(&self) -> Duration {
        Duration::from_secs(NOW) + self.0.elapsed() * SPEED
    }
}

/// What may become of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Its key is in every good set: it is verified, whatever happens.
    Good,
    /// Its key comes and goes.
    Rotating,
    /// It is never verified.
    Bad,
}

struct Sample {
    token: String,
    fate: Fate,
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

/// Good, rotating and bad tokens of every pool.
fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut add = |fate, token: Draft| samples.push(Sample { token: token.compact(), fate });
    for pool in 0..POOLS {
        for user in 0..8 {
            add(Fate::Good, draft(pool, &RSA_2048, &steady(pool)).claim("username", format!("\"user {user}\"")));
        }
        for number in 0..ROTATING {
            add(Fate::Rotating, draft(pool, &OTHER_RSA_2048, &rotating(pool, number)));
        }
        let good = || draft(pool, &RSA_2048, &steady(pool));
        add(Fate::Bad, draft(pool, &OTHER_RSA_2048, &steady(pool)));
        add(Fate::Bad, good().claim("exp", NOW - 1));
        add(Fate::Bad, good().claim("client_id", "\"another\""));
        add(Fate::Bad, good().claim("token_use", "\"id\""));
        add(Fate::Bad, draft(pool, &RSA_2048, &steady((pool + 1) % POOLS)));
        add(Fate::Bad, draft(pool, &OTHER_RSA_2048, &rotating((pool + 1) % POOLS, 0)));
    }
    samples
}

/// What the server does next at one path: well half of the time.
fn mood(pool: usize, rng: &mut Rng) -> Behaviour {
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
        // More than an instance has memory for: it fails, and is replaced.
        12 if rng.draw(4) == 0 => Behaviour::Serve(poison()),
        _ => Behaviour::Serve(good),
    }
}

/// The most linear memory of an instance, in bytes: less than poison takes.
const MEMORY_LIMIT: u64 = 8 << 20;

fn poison() -> String {
    let key = RSA_2048.jwk_for(Algorithm::Rs256, "").to_string();
    let keys: Vec<String> = (0..9_000).map(|n| key.replace("\"kid\":\"\"", &format!("\"kid\":\"p{n}\""))).collect();
    format!("{{\"keys\":[{}]}}", keys.join(","))
}

/// The second opinion: jsonwebtoken with the only key that the token can be good for.
fn peer_accepts(token: &str) -> bool {
    // A build of the whole workspace has both providers (`benches`), and the crate then takes neither by itself. Only the first time counts.
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let header = decode_header(token).expect("a header");
    let key: &TestKey =
        if header.kid.is_some_and(|kid| kid.starts_with("steady")) { &RSA_2048 } else { &OTHER_RSA_2048 };
    let jwk = serde_json::from_value(key.jwk("")).expect("a JWK");
    let mut validation = Validation::new(PeerAlgorithm::RS256);
    validation.validate_aud = false;
    // It has no clock to set.
    validation.validate_exp = false;
    decode::<Value>(token, &DecodingKey::from_jwk(&jwk).expect("an RSA key"), &validation).is_ok()
}

#[derive(Default)]
struct Tally {
    counts: BTreeMap<String, usize>,
    wrong: Vec<String>,
}

impl Tally {
    fn judge(&mut self, sample: &Sample, verdict: Result<Verified, Denial>) {
        let (name, is_right) = match &verdict {
            Ok(_) => ("verified", sample.fate != Fate::Bad && peer_accepts(&sample.token)),
            Err(denial) => {
                let is_about_the_key =
                    denial.reason.name().starts_with("key-unknown") || denial.error == ErrorCode::Unavailable;
                let is_right = match sample.fate {
                    Fate::Good => false,
                    Fate::Rotating => is_about_the_key,
                    Fate::Bad => true,
                };
                (denial.reason.name(), is_right)
            }
        };
        *self.counts.entry(format!("{:?}: {name}", sample.fate)).or_default() += 1;
        if !is_right {
            self.wrong.push(format!("{:?}: {name}", sample.fate));
        }
    }
}

async fn load(verifier: Verifier, samples: Arc<Vec<Sample>>, is_over: Arc<AtomicBool>, seed: u64) -> Tally {
    let (mut rng, mut tally) = (Rng::new(seed), Tally::default());
    while !is_over.load(Ordering::SeqCst) {
        let stranger;
        let sample = match rng.draw(40) {
            0 => {
                let number = rng.draw(1 << 30);
                let token = draft(0, &RSA_2048, &format!("stranger {number}")).compact();
                stranger = Sample { token, fate: Fate::Bad };
                &stranger
            }
            _ => &samples[rng.draw(samples.len())],
        };
        let verdict = timeout(ANSWER_WITHIN, verifier.verify(&sample.token)).await;
        tally.judge(sample, verdict.unwrap_or_else(|_| panic!("no answer within {ANSWER_WITHIN:?}")));
        tokio::task::yield_now().await;
    }
    tally
}

/// A moment's use of memory, in bytes.
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

/// What keeps glibc from holding on to freed memory: by itself it raises these thresholds to the largest block that was ever freed, so
/// that after a few large key sets RSS is what was once in use at most (70 MiB here) and not what is (20 MiB).
const GIVE_BACK: (&str, &str) =
    ("GLIBC_TUNABLES", "glibc.malloc.mmap_threshold=131072:glibc.malloc.trim_threshold=131072");

/// glibc reads its settings when a process begins, so the test begins one more.
#[test]
fn under_a_mixed_load_with_faults_every_request_is_answered_rightly_and_nothing_leaks() {
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
        let stated = Pool::user_pool(pool_id(pool)).client_ids([CLIENT_ID]).token_use(TokenUseRule::Access);
        builder = builder.pool(stated.jwks_url(server.url(&path(pool))));
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
    let (mut rng, mut moods, begun) = (Rng::new(0x5eed), interval(MOOD), Instant::now());
    while begun.elapsed() < duration() {
        moods.tick().await;
        let pool = rng.draw(POOLS);
        server.path_does(&path(pool), mood(pool, &mut rng));
        let memory = memory(&verifier).await;
        memories.lock().expect("no panic").push(memory);
    }
    is_over.store(true, Ordering::SeqCst);
    let mut all = Tally::default();
    for task in tasks {
        let tally = task.await.expect("every request is answered");
        all.wrong.extend(tally.wrong);
        tally.counts.into_iter().for_each(|(name, count)| *all.counts.entry(name).or_default() += count);
    }
    let memories = memories.into_inner().expect("no panic");
    let (before, last) = memories.split_at(memories.len() * 2 / 3);
    let of = |part: &[Memory]| {
        // One that stands at its limit is being failed by poison at that moment: it says nothing of those that live.
        let most = part.iter().map(|memory| memory.linear).filter(|linear| *linear < MEMORY_LIMIT).max();
        let most = most.expect("a moment without poison");
        (most, median(part, |memory| memory.resident))
    };
    println!("{:#?}", all.counts);
    let series: Vec<u64> =
        memories.iter().step_by(memories.len().div_ceil(40)).map(|memory| memory.resident >> 20).collect();
    println!("RSS over the time, in MiB: {series:?}");
    println!(
        "{} requests, {} fetches, {} sandbox failures in {:.0} s; most linear memory and median RSS: {:?}, then {:?} bytes",
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
    for fate in [Fate::Good, Fate::Rotating] {
        assert!(all.counts.contains_key(&format!("{fate:?}: verified")), "no {fate:?} token was verified");
    }
    assert_eq!(server.fetches_of("/elsewhere"), 0, "a redirect was followed");
    let ((linear, resident), (linear_at_last, resident_at_last)) = (of(before), of(last));
    // An instance that was replaced begins small again, so it is the most that counts.
    assert!(linear_at_last <= linear + linear / 10, "linear memory grows: {linear}, then {linear_at_last}");
    assert!(resident_at_last <= resident + resident / 10, "RSS grows: {resident}, then {resident_at_last}");
    timeout(ANSWER_WITHIN, verifier.shut_down()).await.expect("it ends in good order");
}
