//! No token, key or secret appears in an error, a log or a `Debug` output.

use axum::{Router, body::Body, extract::Request, routing};
use poolgate::{
    FixedClock, JwsVerifier, LoadKeySetError, Pool, TokenUseRule, Verifier,
    tower::{AuthLayer, Claims},
};
use poolgate_core::Algorithm;
use poolgate_edge::{Decision, RequestAuthorizer, RequestHead, config};
use poolgate_tests::{
    corpus::cases,
    keys::{RSA_2048, jwks},
    minting::{CLIENT_ID, Draft, ISSUER, KEY_ID, NOW, POOL_ID},
};
use serde_json::json;
use std::{
    borrow::Cow,
    fs,
    io::{self, Write},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
};
use tempfile::TempDir;
use tower_service::Service;
use tracing::subscriber::DefaultGuard;

const CACHE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled");

/// Used instead of a private exponent.
const PRIVATE: &str = "VGhpcy1pcy1hLXByaXZhdGUtZXhwb25lbnQtYW5kLW11c3Qtbm90LWxlYWs";

/// The parts of a token that are too long to occur by accident.
fn parts(token: &str) -> impl Iterator<Item = &str> {
    token.split('.').filter_map(|part| part.get(..24))
}

fn assert_no_secret(what: &str, text: &str, secrets: &[&str]) {
    for secret in secrets {
        assert!(!text.contains(secret), "{what} contains {}…", &secret[..8]);
    }
}

/// Collects the log at the level *trace*.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no test panics while logging").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Collects the log of this thread while the guard lives.
    fn collect(&self) -> DefaultGuard {
        let writer = self.clone();
        let subscriber =
            tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone());
        tracing::subscriber::set_default(subscriber.finish())
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("no test panics while logging")).into_owned()
    }
}

#[test]
fn the_command_prints_no_part_of_a_rejected_token() {
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("jwks.json"), jwks(&[RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID)])).expect("a file");
    // The input is read from a file: with two pipes, each side could wait for the other.
    let run = |arguments: &[&str], input: &str| {
        let path = folder.path().join("input.txt");
        fs::write(&path, input).expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_poolgate"));
        command.args(arguments).current_dir(folder.path()).env("RUST_LOG", "trace").env("POOLGATE_CACHE_DIR", CACHE);
        let output = command.stdin(fs::File::open(&path).expect("the file")).output().expect("the command runs");
        [output.stdout, output.stderr].concat()
    };
    let verify =
        ["verify", "--pool-id", POOL_ID, "--client-id", CLIENT_ID, "--token-use", "access", "--jwks", "jwks.json"];
    // Every token of the corpus has expired at this time, or is rejected before that check.
    let tokens: Vec<&str> =
        cases().iter().map(|case| case.token.as_str()).filter(|token| !token.contains('\n')).collect();
    let text = run(&[&verify[..], &["--at", "253402300799", "--batch", "-"]].concat(), &(tokens.join("\n") + "\n"));
    let text = String::from_utf8_lossy(&text);
    assert!(text.lines().filter(|line| line.starts_with('{')).count() >= tokens.len());
    assert!(!text.contains("\"allow\""), "a token of the corpus is valid in the year 9999");
    for token in tokens {
        assert_no_secret("verify --batch", &text, &parts(token).collect::<Vec<_>>());
    }
    let token = Draft::access(&RSA_2048).compact();
    let signature = token.rsplit('.').next().and_then(|part| part.get(..24)).expect("a signature");
    for arguments in [
        &[&verify[..], &["--at", "1700000000", "-"]].concat()[..],
        &["inspect", "-"],
        &["jws", "--jwks", "jwks.json", "-"],
    ] {
        let text = String::from_utf8_lossy(&run(arguments, &token)).into_owned();
        assert_no_secret(&arguments.join(" "), &text, &[signature]);
    }
}

#[test]
fn a_token_in_the_wrong_argument_is_not_repeated() {
    let token = Draft::access(&RSA_2048).compact();
    let t = token.as_str();
    let with_value = format!("--token-use={t}");
    for (arguments, hint) in [
        (&[t][..], "unrecognized subcommand"),
        (&["verify", t, t], "unexpected argument"),
        (&["verify", "--token-use", t, "x"], "invalid value"),
        (&["verify", &with_value, "x"], "invalid value"),
        (&["verify", "--token-use", "id", "--pool-id", t, "--client-id", "c", "x"], "user pool ID"),
        (
            &["verify", "--token-use", "id", "--pool-id", POOL_ID, "--client-id", "c", "--jwks", t, "x"],
            "could not read",
        ),
        (&["verify", "--token-use", "id", "--pool-id", POOL_ID, "--client-id", "c", "--batch", t], "could not read"),
        (&["jws", "--jwks", t, "x"], "could not read"),
        (&["jws", "--alg", t, "--jwks", "x", "x"], "could not read"),
        (&["inspect", t, t], "unexpected argument"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_poolgate")).args(arguments).stdin(Stdio::null()).output();
        let output = output.expect("the command runs");
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let shown: Vec<&str> = arguments.iter().map(|argument| &argument[..argument.len().min(12)]).collect();
        assert_eq!(output.status.code(), Some(2), "{shown:?}");
        assert!(text.contains(hint), "{shown:?}: no {hint:?}");
        assert_no_secret(&format!("{shown:?}"), &text, &parts(&token).collect::<Vec<_>>());
    }
}

#[test]
fn a_private_key_in_a_key_set_is_rejected_and_not_repeated() {
    let folder = TempDir::new().expect("a folder");
    let mut key = RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID);
    key["d"] = json!(PRIVATE);
    fs::write(folder.path().join("jwks.json"), jwks(&[key])).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_poolgate"));
    command.args(["jws", "--jwks", "jwks.json", "-"]).current_dir(folder.path()).stdin(Stdio::null());
    let output = command.env("RUST_LOG", "trace").env("POOLGATE_CACHE_DIR", CACHE).output().expect("the command runs");
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(text.contains("private-member"), "{text}");
    assert_no_secret("jws", &text, &[PRIVATE]);
}

#[tokio::test]
async fn debug_outputs_errors_and_logs_contain_no_secret() {
    let log = Log::default();
    let _guard = log.collect();

    let pool = Pool::user_pool(POOL_ID).client_ids([CLIENT_ID]).token_use(TokenUseRule::Access).local_keys_only();
    let builder =
        Verifier::builder().pool(pool).clock(FixedClock::at(NOW)).memory_limit(2 << 20).compilation_cache(CACHE);
    let builder = builder.jwks_limits(1 << 24, 10_000);
    let mut text = format!("{builder:?}");
    let verifier = builder.build().await.expect("it builds");

    let mut secret = RSA_2048.jwk_for(Algorithm::Rs256, "private");
    secret["d"] = json!(PRIVATE);
    let keys = jwks(&[RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID), secret]);
    let report = verifier.load_key_set(ISSUER, keys.as_str(), NOW).await.expect("one key is valid");
    text += &format!("{verifier:?} {report:?}");
    let many: Vec<_> = (0..4_000).map(|index| RSA_2048.jwk_for(Algorithm::Rs256, &format!("{index}"))).collect();
    let trap =
        verifier.load_key_set(ISSUER, jwks(&many), NOW + 1).await.expect_err("the key set needs too much memory");
    assert_eq!(trap, LoadKeySetError::Sandbox);
    text += &format!("{trap:?} {trap}");
    let malformed =
        verifier.load_key_set(ISSUER, format!("{{\"keys\":[\"{PRIVATE}\""), NOW).await.expect_err("no JSON");
    text += &format!("{malformed:?} {malformed}");

    let token = Draft::access(&RSA_2048).compact();
    let verified = verifier.verify(&token).await.expect("the token is valid");
    text += &format!("{verified:?}");
    let mut tokens = vec![token];
    for draft in [
        Draft::access(&RSA_2048).claim("exp", 1),
        Draft::id(&RSA_2048),
        Draft::access(&RSA_2048).claim("sub", 1),
        Draft::access(&RSA_2048).claim("iss", format!("\"{ISSUER}/\"")),
        Draft::access(&RSA_2048).claim("iss", format!("\"{ISSUER}/\"")).claim("jti", "\"again\""),
    ] {
        let token = draft.compact();
        let denial = verifier.verify(&token).await.expect_err("it is rejected");
        text += &format!("{denial:?} {denial}");
        tokens.push(token);
    }
    let mut jws = JwsVerifier::new(Some(CACHE.into()), keys.as_str(), []).await.expect("it builds");
    text += &format!("{:?}", jws.verify(&tokens[0]).await.expect("it is signed"));

    let logged = log.text();
    assert!(logged.contains("the sandbox failed"), "the log was not collected: {logged}");
    // The reason and the hint are logged, and a probable configuration error is logged as a warning once.
    assert!(logged.contains("`sub` is not a string"), "{logged}");
    let warnings = logged.lines().filter(|line| line.contains("WARN") && line.contains("`/` at the end"));
    assert_eq!(warnings.count(), 1, "{logged}");
    let modulus = RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID)["n"].as_str().map(|n| n[..24].to_owned()).expect("n");
    let secrets: Vec<&str> = tokens.iter().flat_map(|token| parts(token)).chain([PRIVATE, modulus.as_str()]).collect();
    assert_no_secret("a Debug output or an error", &text, &secrets);
    assert_no_secret("the log", &logged, &secrets);
    for personal in
        ["aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee", "33333333-4444-4555-8666-777777777777", "\"ada\"", "\"exp\""]
    {
        assert!(!text.contains(personal) && !logged.contains(personal), "{personal} is in the output");
    }
}

#[tokio::test]
async fn the_layer_keeps_the_token_out_of_the_debug_output_of_the_request() {
    let log = Log::default();
    let _guard = log.collect();
    let pool = Pool::user_pool(POOL_ID).client_ids([CLIENT_ID]).token_use(TokenUseRule::Access).local_keys_only();
    let builder = Verifier::builder().pool(pool).clock(FixedClock::at(NOW)).compilation_cache(CACHE);
    let verifier = builder.build().await.expect("it builds");
    let keys = jwks(&[RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID)]);
    verifier.load_key_set(ISSUER, keys, NOW).await.expect("the key is valid");
    let layer = AuthLayer::new(verifier);
    let mut text = format!("{layer:?}");
    let printing = async |claims: Claims, request: Request| {
        tracing::info!(?claims, ?request, "a handler that logs everything");
    };
    let mut app = Router::new().route("/", routing::get(printing)).layer(layer);
    let (valid, invalid) = (Draft::access(&RSA_2048).compact(), Draft::access(&RSA_2048).claim("exp", 1).compact());
    for (sent, status) in [(&[&valid][..], 200), (&[&invalid], 401), (&[&valid, &invalid], 400)] {
        let mut request = Request::get("/");
        for token in sent {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = app.call(request.body(Body::empty()).expect("a request")).await.expect("an answer");
        assert_eq!(response.status(), status);
        text += &format!("{response:?}");
        text +=
            &String::from_utf8_lossy(&axum::body::to_bytes(response.into_body(), 4_096).await.expect("a short body"));
    }
    let logged = log.text();
    assert!(logged.contains("a handler that logs everything") && logged.contains("Sensitive"), "{logged}");
    let secrets: Vec<&str> = parts(&valid).chain(parts(&invalid)).collect();
    assert_no_secret("a response or a Debug output", &text, &secrets);
    assert_no_secret("the log", &logged, &secrets);
}

/// A request with a token in a cookie, and another cookie.
struct WithCookies<'t>(&'t str);

impl RequestHead for WithCookies<'_> {
    fn method(&self) -> &str {
        "GET"
    }

    fn target(&self) -> &str {
        "/"
    }

    fn header(&self, name: &str) -> Result<Option<Cow<'_, str>>, ()> {
        Ok((name == "cookie").then(|| format!("session={}; token={}", PRIVATE, self.0).into()))
    }

    fn each_header(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        visit(b"cookie", format!("session={}; token={}", PRIVATE, self.0).as_bytes());
    }
}

#[test]
fn the_authorizer_and_its_decisions_show_no_token_and_no_cookie() {
    let token = Draft::access(&RSA_2048).compact();
    let secrets: Vec<&str> = parts(&token).chain([PRIVATE, "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"]).collect();
    let set: serde_json::Value =
        serde_json::from_str(&jwks(&[RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID)])).expect("JSON");
    for keys in [json!({"jwks": set}), json!({"cluster": "cognito"})] {
        let has_keys = keys.get("jwks").is_some();
        let configuration = json!({
            "pools": [{"name": "main", "user_pool_id": POOL_ID, "client_ids": [CLIENT_ID], "token_use": "access", "keys": keys}],
            "routes": [{"prefix": "/", "authenticated": true}],
            "tokens": {"from": [{"cookie": "token"}], "forward": false},
            "claims_to_headers": [{"claim": "sub", "header": "x-user"}],
        });
        let configuration = config::read(configuration.to_string().as_bytes()).expect("a valid configuration");
        let mut authorizer = RequestAuthorizer::new(&configuration, NOW, 0).expect("a valid configuration");
        for _ in 0..2 {
            let decision = authorizer.authorize(NOW, &WithCookies(&token));
            match &decision {
                Decision::Admit(_) => assert!(has_keys),
                Decision::Pause(_) => assert!(!has_keys),
                Decision::Reject(rejection) => panic!("{}", rejection.name()),
                Decision::AskRevocation(_) => panic!("no revocations are configured"),
                Decision::Respond(_) => panic!("no resource is configured"),
            }
            assert_no_secret("a decision", &format!("{decision:?}"), &secrets);
            // The authorizer caches the token.
            assert_no_secret("an authorizer", &format!("{authorizer:?}"), &secrets);
        }
    }
}
