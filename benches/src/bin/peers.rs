//! Measures poolgate and the Rust libraries with a file of tokens: `peers FILE`. Prints one JSON object per line, as every program of
//! `benches/peers` does.

use poolgate_benches::{
    interleaved::interleaved,
    ours, peers,
    side::{Expected, Side},
};
use poolgate_core::Algorithm;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    env, fs,
    process::ExitCode,
    time::{Duration, Instant},
};

const SLICES: usize = 21;
const SLICE: usize = 200;
/// Verifications of each library before the first slice that counts.
const WARM_UP: Duration = Duration::from_millis(300);

#[derive(Deserialize)]
struct Tokens {
    issuer: String,
    user_pool_id: String,
    client_id: String,
    jwks: Value,
    tokens: Vec<String>,
}

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let (Some(path), None) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: peers FILE");
        return ExitCode::from(2);
    };
    let read = fs::read_to_string(&path).map_err(|error| error.to_string());
    // serde's messages may repeat parts of the input.
    let parsed = read.and_then(|text| serde_json::from_str(&text).map_err(|_| "not a file of tokens".to_owned()));
    match parsed.and_then(|tokens| measure(&tokens)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            ExitCode::FAILURE
        }
    }
}

fn measure(all: &Tokens) -> Result<(), String> {
    let expected = Expected {
        algorithm: Algorithm::Rs256,
        issuer: &all.issuer,
        user_pool_id: &all.user_pool_id,
        client_id: &all.client_id,
        jwks: &all.jwks,
    };
    let mut sides = vec![ours::wide(&expected)?, ours::simd(&expected)?, ours::portable(&expected)?];
    sides.extend(peers::all(&expected)?);
    for side in &sides {
        let begun = Instant::now();
        // Every token is verified once before the measurement, so that a rejected token is noticed.
        let mut is_good = (side.accepts)(&all.tokens);
        while is_good && begun.elapsed() < WARM_UP {
            is_good = (side.accepts)(&all.tokens);
        }
        if !is_good {
            return Err(format!("{}: a valid token was rejected", side.name));
        }
    }
    let slices: Vec<&[String]> = all.tokens.chunks(SLICE).collect();
    if slices.is_empty() {
        return Err("the file contains no tokens".into());
    }
    let figures = interleaved(&mut sides.iter().map(|side| side.work(&slices)).collect::<Vec<_>>(), SLICES);
    for (Side { id, name, version, runtime, .. }, us) in sides.iter().zip(figures) {
        println!("{}", json!({ "id": id, "name": name, "version": version, "runtime": runtime, "us": us }));
    }
    Ok(())
}
