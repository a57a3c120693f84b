//! Writes the tokens for `benches/peers`: `tokens FILE`.
//!
//! They have the claims of Cognito's access tokens. They are valid for a day from now, because not every library has a settable clock.

use poolgate_core::Algorithm;
use poolgate_tests::{
    keys::{RSA_2048, jwks},
    minting::{CLIENT_ID, Draft, ISSUER, KEY_ID, POOL_ID},
};
use serde_json::{Value, json};
use std::{
    env, fs,
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

const TOKENS: usize = 2_000;

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let (Some(path), None) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: tokens FILE");
        return ExitCode::from(2);
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let token = |number: usize| {
        let draft = Draft::access(&RSA_2048).claim("jti", format!("\"33333333-4444-4555-8666-{number:012}\""));
        draft.claim("iat", now - 60).claim("auth_time", now - 60).claim("exp", now + 86_400).compact()
    };
    let keys = jwks(&[RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID)]);
    let keys: Value = serde_json::from_str(&keys).expect("a JWK Set");
    let tokens: Vec<String> = (0..TOKENS).map(token).collect();
    let all =
        json!({ "issuer": ISSUER, "user_pool_id": POOL_ID, "client_id": CLIENT_ID, "jwks": keys, "tokens": tokens });
    match fs::write(&path, all.to_string()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            ExitCode::FAILURE
        }
    }
}
