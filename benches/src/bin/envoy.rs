//! poolgate's filter and `jwt_authn` in one Envoy: the CPU time that each adds to a request.
//!
//! `cargo run --release -p benches --bin envoy -- --json`. Envoy has one worker. In each round, the requests go to each listener in turn, in
//! a different order. The result is the median of the differences to the listener without a filter within a round. `--rounds N` sets the
//! number of rounds, 45 by default. `--memory` sends a million requests to the filter and
//! watches Envoy's memory instead.

use poolgate_artifacts::{ENVOY_FILTER, ENVOY_FILTER_PLAIN};
use poolgate_tests::{
    envoy::{Envoy, Setup, wasm_filter},
    keys::{RSA_2048, jwks},
    minting::{CLIENT_ID, Draft, ISSUER, KEY_ID, POOL_ID},
    rng::Rng,
    target_folder::target_folder,
};
use serde_json::{Value, json};
use std::{
    env, fs,
    path::Path,
    process::{Command, ExitCode},
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const TOKENS: usize = 2_000;
const ROUNDS: usize = 45;
/// Requests per slice.
const SLICE: usize = 3_000;
/// Concurrent connections.
const CONNECTIONS: usize = 8;

/// The alternatives: a listener, and whether its tokens are repeated.
const RIVALS: [(&str, bool); 8] = [
    ("bare", false),
    ("jwt_authn", false),
    ("poolgate", false),
    ("poolgate-plain", false),
    ("jwt_authn-cached", true),
    ("reader-by-hand", true),
    ("reader-of-the-sdk", true),
    ("poolgate-cached", true),
];

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (mut is_json, mut is_memory, mut rounds) = (false, false, Some(ROUNDS));
    let mut arguments = arguments.iter().map(String::as_str);
    while let Some(argument) = arguments.next() {
        match argument {
            "--json" => is_json = true,
            "--memory" => is_memory = true,
            "--rounds" => rounds = arguments.next().and_then(|number| number.parse().ok()).filter(|number| *number > 0),
            _ => rounds = None,
        }
    }
    let Some(rounds) = rounds else {
        eprintln!("usage: envoy [--json] [--memory] [--rounds N]");
        return ExitCode::from(2);
    };
    let folder = tempfile::TempDir::new().expect("a folder");
    let envoy = Envoy::start(&setup(folder.path())).await;
    let requests: Vec<Vec<u8>> = (0..TOKENS).map(request).collect();
    if is_memory {
        memory(&envoy, &requests, is_json).await
    } else {
        compare(&envoy, &requests, rounds, is_json).await
    }
    ExitCode::SUCCESS
}

fn setup(folder: &Path) -> Setup {
    let write = |name: &str, module: &[u8]| {
        let file = folder.join(name);
        fs::write(&file, module).expect("a file");
        file
    };
    let (simd, plain) = (write("simd.wasm", ENVOY_FILTER), write("plain.wasm", ENVOY_FILTER_PLAIN));
    let by_hand = wat::parse_str(include_str!("../../envoy/reader.wat")).expect("the module is valid");
    let (by_hand, of_the_sdk) = (write("by_hand.wasm", &by_hand), write("of_the_sdk.wasm", &reader_of_the_sdk()));
    let keys = jwks(&[RSA_2048.jwk(KEY_ID)]);
    let ours = |cache: Value| {
        json!({
            "pools": [{"name": "main", "user_pool_id": POOL_ID, "client_ids": [CLIENT_ID], "token_use": "access",
                       "keys": {"jwks": serde_json::from_str::<Value>(&keys).expect("JSON")}}],
            "routes": [{"prefix": "/", "authenticated": true}],
            "cache": cache,
        })
    };
    let authn = |cache: Value| {
        let mut provider = json!({"issuer": ISSUER, "local_jwks": {"inline_string": keys}, "forward": true});
        if !cache.is_null() {
            provider["jwt_cache_config"] = cache;
        }
        json!({
            "name": "envoy.filters.http.jwt_authn",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
                "providers": {"cognito": provider},
                "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "cognito"}}],
            },
        })
    };
    let (none, large) = (json!({"bytes": 0, "entries": 0}), json!({"bytes": 16 << 20, "entries": 4_096}));
    let filter = |name: &str| match name {
        "bare" => vec![],
        "reader-by-hand" => vec![wasm_filter(&by_hand, &json!({}))],
        "reader-of-the-sdk" => vec![wasm_filter(&of_the_sdk, &json!({}))],
        "jwt_authn" => vec![authn(Value::Null)],
        "jwt_authn-cached" => vec![authn(json!({"jwt_cache_size": 4_096}))],
        "poolgate" => vec![wasm_filter(&simd, &ours(none.clone()))],
        "poolgate-plain" => vec![wasm_filter(&plain, &ours(none.clone()))],
        _ => vec![wasm_filter(&simd, &ours(large.clone()))],
    };
    let listeners = RIVALS.iter().map(|(name, _)| ((*name).to_owned(), filter(name))).collect();
    Setup { listeners, clusters: vec![], concurrency: 1, is_dynamic: false, answers_itself: true }
}

/// Builds `benches/envoy/reader` with the profile of the filter.
fn reader_of_the_sdk() -> Vec<u8> {
    let target = target_folder("guest").join("plain");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--locked", "--package=poolgate-reader", "--profile=guest-filter"]);
    cargo.args(["--target=wasm32-unknown-unknown", "--target-dir"]).arg(&target).current_dir(root);
    assert!(cargo.status().expect("cargo runs").success(), "the reader could not be built");
    fs::read(target.join("wasm32-unknown-unknown/guest-filter/poolgate_reader.wasm")).expect("it was built")
}

fn request(number: usize) -> Vec<u8> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let token = Draft::access(&RSA_2048).claim("iat", now).claim("auth_time", now).claim("exp", now + 36_000);
    let token = token.claim("jti", format!("\"{number:08}-bbbb-4ccc-8ddd-eeeeeeeeeeee\"")).compact();
    format!(
        "GET /x HTTP/1.1\r\nHost: app\r\nUser-Agent: benchmark\r\nAccept: */*\r\nAuthorization: Bearer {token}\r\n\r\n"
    )
    .into_bytes()
}

/// Sends requests over a few connections. All must pass.
async fn load(url: &str, requests: &[Vec<u8>], count: usize) {
    let address = url.strip_prefix("http://").expect("a plain URL").to_owned();
    let tasks: Vec<_> = (0..CONNECTIONS)
        .map(|task| {
            let own: Vec<Vec<u8>> = requests.iter().skip(task).step_by(CONNECTIONS).cloned().collect();
            let address = address.clone();
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(address).await.expect("Envoy listens");
                let mut answer = vec![0; 64 << 10];
                for request in own.iter().cycle().take(count / CONNECTIONS) {
                    stream.write_all(request).await.expect("it reads");
                    let mut length = 0;
                    while !answer[..length].windows(4).any(|end| end == b"\r\n\r\n") {
                        let read = stream.read(&mut answer[length..]).await.expect("it answers");
                        assert!(read > 0, "it closed the connection");
                        length += read;
                    }
                    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer[..length]));
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("every request passes");
    }
}

/// The CPU time of all threads of a process, in nanoseconds.
fn cpu(process: u32) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).expect("Linux, and the process runs");
    let texts = tasks.filter_map(Result::ok).filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok());
    texts.filter_map(|text| text.split(' ').next()?.parse::<u64>().ok()).sum()
}

async fn compare(envoy: &Envoy, requests: &[Vec<u8>], rounds: usize, is_json: bool) {
    let mut urls = Vec::new();
    for (name, _) in RIVALS {
        urls.push(envoy.url(name).await);
    }
    let mut times = vec![Vec::new(); RIVALS.len()];
    let mut rng = Rng::new(20_261_124);
    for round in 0..=rounds {
        let mut order: Vec<usize> = (0..RIVALS.len()).collect();
        for place in (1..order.len()).rev() {
            order.swap(place, rng.draw(place + 1));
        }
        for rival in order {
            let tokens = if RIVALS[rival].1 { &requests[..CONNECTIONS * 4] } else { requests };
            let before = cpu(envoy.process_id());
            load(&urls[rival], tokens, SLICE).await;
            let spent = (cpu(envoy.process_id()) - before) as f64 / SLICE as f64 / 1_000.0;
            // The first round is for warming up.
            if round > 0 {
                times[rival].push(spent);
            }
        }
        eprint!("\rround {round} of {rounds}");
    }
    eprintln!();
    let added = |rival: usize| median(times[rival].iter().zip(&times[0]).map(|(own, bare)| own - bare).collect());
    let index = |name: &str| RIVALS.iter().position(|(own, _)| *own == name).expect("a rival");
    let ratio = |name: &str, peer: &str| added(index(name)) / added(index(peer));
    let rows = [
        ("distinct tokens, no cache: poolgate / jwt_authn", ratio("poolgate", "jwt_authn"), 1.0),
        ("the same without SIMD", ratio("poolgate-plain", "jwt_authn"), f64::NAN),
        (
            "repeated tokens, cache: poolgate / a filter of the SDK that reads the header",
            ratio("poolgate-cached", "reader-of-the-sdk"),
            1.3,
        ),
        (
            "repeated tokens, cache: poolgate / a module written by hand that reads the header",
            ratio("poolgate-cached", "reader-by-hand"),
            f64::NAN,
        ),
        ("repeated tokens, cache: poolgate / jwt_authn", ratio("poolgate-cached", "jwt_authn-cached"), f64::NAN),
    ];
    if is_json {
        let rivals: Vec<Value> = (0..RIVALS.len())
            .map(|rival| json!({"name": RIVALS[rival].0, "cpu_us": median(times[rival].clone()), "added_us": added(rival)}))
            .collect();
        let target = |target: f64| if target.is_nan() { Value::Null } else { json!(target) };
        let ratios: Vec<Value> = rows
            .iter()
            .map(|(name, ratio, aim)| json!({"name": name, "ratio": ratio, "target": target(*aim)}))
            .collect();
        println!("{:#}", json!({"requests_a_slice": SLICE, "rounds": rounds, "rivals": rivals, "ratios": ratios}));
        return;
    }
    for (rival, (name, _)) in RIVALS.iter().enumerate() {
        println!("{name:20} {:7.1} µs a request, {:+7.1} above bare", median(times[rival].clone()), added(rival));
    }
    for (name, ratio, _) in rows {
        println!("{ratio:5.2}  {name}");
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Sends a million requests with distinct and with repeated tokens, and prints Envoy's memory after every 100,000.
async fn memory(envoy: &Envoy, requests: &[Vec<u8>], is_json: bool) {
    let (fresh, cached) = (envoy.url("poolgate").await, envoy.url("poolgate-cached").await);
    let mut series = Vec::new();
    for _ in 0..10 {
        load(&fresh, requests, 50_000).await;
        load(&cached, requests, 50_000).await;
        let status = fs::read_to_string(format!("/proc/{}/status", envoy.process_id())).expect("it runs");
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
        let kilobytes: u64 = resident.trim().trim_end_matches(" kB").parse().expect("kB");
        eprint!("\r{kilobytes} kB");
        series.push(kilobytes / 1024);
    }
    eprintln!();
    match is_json {
        true => println!("{}", json!({"rss_mib_every_100000_requests": series})),
        false => println!("RSS in MiB, every 100,000 requests: {series:?}"),
    }
}
