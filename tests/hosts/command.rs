//! What the examples have in common: their commands, and their behavior with JWKS endpoints.

use crate::hosts::example::{Example, blocks_of, printed, replaced, text};
use poolgate_tests::{
    edge_scene,
    faulty_server::{Behaviour, FaultyServer},
    keys::{OTHER_RSA_2048, RSA_2048, jwks},
    minting::{CLIENT_ID, Draft, ISSUER, KEY_ID, NOW, SUBJECT},
};
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};

/// Runs the command of the README with a local server instead of Cognito, at the time of the tests: for an accepted and a rejected token,
/// without keys, and with invalid arguments. Error messages must not contain parts of the token.
pub async fn verifies_with_keys_that_it_fetches(example: &'static Example) {
    let server = FaultyServer::start(Behaviour::Serve(jwks(&[RSA_2048.jwk(KEY_ID)]))).await;
    server.path_does("/none", Behaviour::Status(404, String::new()));
    let token = Draft::access(&RSA_2048).compact();
    let verify = async |url: String, at: u64, client: &str, token: &str| {
        let pool = format!("--issuer {ISSUER} --jwks-url {url} --at {at}");
        let words = [("--user-pool-id eu-west-1_EXAMPLE01", pool.as_str()), ("1example23456789", client)];
        let output = example.verify(&words, token).await;
        let stderr = text(&output.stderr);
        assert!(
            !stderr.contains(token.trim()) && !text(&output.stdout).contains(token.trim()),
            "the output contains the token: {stderr}"
        );
        let printed: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| json!(stderr));
        (output.status.code(), printed)
    };
    let (code, printed) = verify(server.url("/jwks.json"), NOW, CLIENT_ID, &format!("{token}\n")).await;
    assert_eq!((code, &printed["verdict"]), (Some(0), &json!("allow")), "{printed}");
    assert_eq!(printed["claims"]["subject"], SUBJECT);
    assert_eq!(printed["claims"]["payload"]["sub"], SUBJECT);
    let denied = |reason: &str, status: u16| json!({"verdict": "deny", "reason": reason, "status": status});
    assert_eq!(
        verify(server.url("/jwks.json"), NOW + 100_000, CLIENT_ID, &token).await,
        (Some(1), denied("expired", 401))
    );
    assert_eq!(
        verify(server.url("/jwks.json"), NOW, "another", &token).await,
        (Some(1), denied("client-mismatch", 401))
    );
    assert_eq!(verify(server.url("/none"), NOW, CLIENT_ID, &token).await, (Some(3), denied("keys-unavailable", 503)));
    let (code, error) = verify(server.url("/jwks.json"), NOW, "''", &token).await;
    assert_eq!(code, Some(2), "{error}");
    assert!(error.as_str().is_some_and(|error| error.contains("no-client")), "{error}");
}

/// Starts a server with one key, which later also has a key named `rotated`. Other paths of the server simulate failures.
pub async fn server_of_keys() -> FaultyServer {
    let first = RSA_2048.jwk(KEY_ID);
    let (one, both) = (jwks(std::slice::from_ref(&first)), jwks(&[first, OTHER_RSA_2048.jwk("rotated")]));
    let server = FaultyServer::start(Behaviour::Status(404, String::new())).await;
    let in_turn = vec![Behaviour::Serve(one.clone()), Behaviour::Serve(both)];
    server.path_does("/jwks.json", Behaviour::InTurn(in_turn));
    server.path_does("/moved", Behaviour::Redirect(server.url("/jwks.json"), one.clone()));
    server.path_does("/huge", Behaviour::Huge(1 << 20));
    server.path_does("/cut", Behaviour::CloseMidway(one));
    server
}

/// Runs the programs of a page with a local server instead of Cognito, after a line that reads the token. They run with `command` in the
/// example's folder. Each greets the user; with an invalid token, it prints the response and the log line.
pub async fn the_programs_greet(
    example: &'static Example,
    page: &Path,
    language: &str,
    token_line: &str,
    words: [&str; 2],
    command: Command,
) {
    let server = FaultyServer::start(Behaviour::Serve(jwks(&[RSA_2048.jwk(KEY_ID)]))).await;
    let pool = words[1].replace("ISSUER", ISSUER).replace("URL", &server.url("/jwks.json"));
    let blocks = blocks_of(page, language);
    assert!(!blocks.is_empty(), "{}: no program in {language}", page.display());
    let extension = if language == "js" { "mjs" } else { "py" };
    let name = page.file_stem().expect("a name").to_str().expect("UTF-8");
    for (number, block) in blocks.iter().enumerate() {
        let program = replaced(block, &[(words[0], &pool), ("1example23456789", CLIENT_ID)]);
        let file = example.folder().join(format!("{name}-program-{number}.{extension}"));
        fs::write(&file, format!("{token_line}\n{program}")).expect("a file");
        // The program uses the system clock.
        let now = edge_scene::now();
        let output_for = async |expiry: u64| {
            let mut run = Command::new(command.get_program());
            run.args(command.get_args()).arg(&file).arg(Draft::access(&RSA_2048).claim("exp", expiry).compact());
            run.current_dir(example.folder());
            printed(run).await
        };
        let greeting = output_for(now + 3600).await;
        assert!(greeting.starts_with("hello ada") && greeting.contains("writers"), "{greeting}");
        assert_eq!(output_for(now - 10).await, "answer 401 and log expired\n");
    }
}
