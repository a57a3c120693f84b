//! poolgate and the Rust peers over a file of tokens: `peers FILE`. Prints a JSON object a line, as every measurer of `benches/peers` does.

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use poolgate::{Pool, TokenUseRule, Verifier};
use poolgate_artifacts::{TOKEN_VERIFIER_PORTABLE, TOKEN_VERIFIER_SIMD, TOKEN_VERIFIER_WIDE};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    env, fs,
    hint::black_box,
    num::NonZeroUsize,
    process::ExitCode,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

const SLICES: usize = 21;
const SLICE: usize = 200;
const WARM_UP: Duration = Duration::from_millis(300);

#[derive(Deserialize)]
struct Tokens {
    issuer: String,
    user_pool_id: String,
    client_id: String,
    jwks: Value,
    tokens: Vec<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let (Some(path), None) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: peers FILE");
        return ExitCode::from(2);
    };
    let read = fs::read_to_string(&path).map_err(|error| error.to_string());
    // serde's texts may repeat a part of what they read.
    let parsed = read.and_then(|text| serde_json::from_str(&text).map_err(|_| "not a file of tokens".to_owned()));
    let measured = match parsed {
        Ok(tokens) => measure(&tokens).await,
        Err(error) => Err(error),
    };
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            ExitCode::FAILURE
        }
    }
}

async fn measure(all: &Tokens) -> Result<(), String> {
    for (id, name, component) in [
        ("poolgate-wide", "poolgate, in the sandbox, wide", TOKEN_VERIFIER_WIDE),
        ("poolgate-simd", "poolgate, in the sandbox, SIMD", TOKEN_VERIFIER_SIMD),
        ("poolgate-portable", "poolgate, in the sandbox, portable", TOKEN_VERIFIER_PORTABLE),
    ] {
        let verifier = poolgate(all, component).await?;
        let us = slices(&all.tokens, async |token| verifier.verify(token).await.is_ok()).await?;
        print(id, name, env!("CARGO_PKG_VERSION"), "wasmtime 48", &us);
    }
    let key = all.jwks["keys"][0].clone();
    let key = serde_json::from_value(key).map_err(|_| "the key is no JWK")?;
    let key = DecodingKey::from_jwk(&key).map_err(|error| error.to_string())?;
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[&all.issuer]);
    validation.set_required_spec_claims(&["exp", "iss"]);
    validation.validate_aud = false;
    let decode = async |token: &str| jsonwebtoken::decode::<Value>(token, &key, &validation).is_ok();
    let us = slices(&all.tokens, decode).await?;
    print("jsonwebtoken-aws-lc-rs", "jsonwebtoken decode, aws_lc_rs", "11.1.0", "native", &us);
    Ok(())
}

async fn poolgate(all: &Tokens, component: &'static [u8]) -> Result<Verifier, String> {
    let pool = Pool::user_pool(&all.user_pool_id).client_ids([&all.client_id]).token_use(TokenUseRule::Access);
    let builder = Verifier::builder().pool(pool.seeded_keys_only()).component(component).token_cache(0, 0);
    let verifier = builder.instances(NonZeroUsize::MIN).build().await.map_err(|error| error.to_string())?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let seeded = verifier.seed_keys(&all.issuer, all.jwks.to_string(), now).await;
    seeded.map_err(|error| error.to_string())?;
    Ok(verifier)
}

/// Microseconds a token of each slice.
async fn slices(tokens: &[String], mut verify: impl AsyncFnMut(&str) -> bool) -> Result<Vec<f64>, String> {
    let mut next = tokens.iter().cycle();
    let mut slice = async || {
        let begun = Instant::now();
        for token in next.by_ref().take(SLICE) {
            if !black_box(verify(token).await) {
                return Err("a good token was refused".to_owned());
            }
        }
        Ok(begun.elapsed().as_secs_f64() * 1e6 / SLICE as f64)
    };
    let begun = Instant::now();
    while begun.elapsed() < WARM_UP {
        slice().await?;
    }
    let mut us = Vec::new();
    for _ in 0..SLICES {
        us.push(slice().await?);
    }
    Ok(us)
}

fn print(id: &str, name: &str, version: &str, runtime: &str, us: &[f64]) {
    println!("{}", json!({ "id": id, "name": name, "version": version, "runtime": runtime, "us": us }));
}
