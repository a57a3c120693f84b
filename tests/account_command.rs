//! `poolgate account` and `poolgate serve`: secrets are read from standard input only, exit codes, JSON. At the log level `trace`, the log
//! contains no password, code, session or token.

mod serving;

use poolgate_tests::{
    ministack::Ministack,
    redis::{self, Redis},
    server_process::free_port,
    test_pool::{PoolOptions, TestPool},
};
use reqwest::Client;
use serde_json::{Value, json};
use serving::Serving;
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    process::{Command, Output, Stdio},
    time::Duration,
};
use tempfile::TempDir;

const PASSWORD: &str = "Correct-Horse-7";
const NEW_PASSWORD: &str = "Better-Horse-8";
const SIGN_UP_CODE: &str = "123456";
const RESET_CODE: &str = "654321";

struct Workbench {
    server: Ministack,
    pool: TestPool,
    folder: TempDir,
}

impl Workbench {
    async fn new() -> Self {
        let server = Ministack::start().await;
        let pool = server.create_pool(PoolOptions { has_client_secret: true, ..PoolOptions::default() }).await;
        let folder = TempDir::new().expect("a folder");
        fs::write(folder.path().join("secret"), pool.client_secret.as_deref().expect("a secret")).expect("a file");
        Self { server, pool, folder }
    }

    fn command(&self, subcommand: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_poolgate"));
        command.arg(subcommand).current_dir(self.folder.path());
        command.env("COGNITO_USER_POOL_ID", &self.pool.pool_id).env("COGNITO_CLIENT_ID", &self.pool.client_id);
        command.env("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", self.server.endpoint());
        command.env("POOLGATE_CACHE_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled")).env("RUST_LOG", "trace");
        if subcommand == "serve" {
            command.args(["--min-response-ms", "0"]);
        }
        command.args(["--client-secret-file", "secret", "--jwks", &self.pool.jwks_url, "--allow-http-loopback"]);
        command
    }

    /// Runs a flow with secrets on standard input, one per line.
    fn account(&self, arguments: &[&str], secrets: &[&str]) -> Run {
        let mut command = self.command("account");
        command.arg("--json").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command runs");
        let lines: String = secrets.iter().map(|secret| format!("{secret}\n")).collect();
        child.stdin.take().expect("a pipe").write_all(lines.as_bytes()).expect("it reads");
        Run::of(child.wait_with_output().expect("it ends"), secrets)
    }
}

struct Run {
    code: i32,
    json: Value,
    stderr: String,
}

impl Run {
    /// Checks that the log contains no secret of the input.
    fn of(output: Output, secrets: &[&str]) -> Self {
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        for secret in secrets.iter().filter(|secret| secret.len() > 6) {
            assert!(!stderr.contains(secret), "the log contains {}…", &secret[..6]);
        }
        let json = serde_json::from_slice(&output.stdout).unwrap_or_default();
        Self { code: output.status.code().expect("it was not killed"), json, stderr }
    }

    fn text(&self, name: &str) -> &str {
        self.json[name].as_str().unwrap_or_else(|| panic!("no {name}: {}\n{}", self.json, self.stderr))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_flows_from_sign_up_to_deletion_with_secrets_from_standard_input() {
    let bench = Workbench::new().await;
    let run = bench.account(&["sign-up", "anna", "--attribute", "email=anna@example.com"], &[PASSWORD]);
    assert_eq!((run.code, &run.json["delivery"]), (0, &json!({ "medium": "email", "destination": "a***@e***" })));
    let run = bench.account(&["confirm-sign-up", "anna"], &["000000"]);
    assert_eq!((run.code, run.text("problem")), (1, "invalid-code"));
    assert_eq!(bench.account(&["confirm-sign-up", "anna"], &[SIGN_UP_CODE]).json, json!({ "done": true }));

    let run = bench.account(&["sign-in", "anna"], &["Wrong-Horse-7"]);
    assert_eq!((run.code, run.text("problem")), (1, "invalid-credentials"));
    for srp in [&[][..], &["--srp"]] {
        let run = bench.account(&[&["sign-in", "anna"], srp].concat(), &[PASSWORD]);
        assert_eq!((run.code, run.text("username")), (0, "anna"), "{}", run.stderr);
        for token in ["access_token", "id_token", "refresh_token"] {
            assert!(!run.stderr.contains(run.text(token)), "the log contains the {token}");
        }
    }
    let signed_in = bench.account(&["sign-in", "anna"], &[PASSWORD]);
    let (access, refresh) = (signed_in.text("access_token"), signed_in.text("refresh_token"));
    let run = bench.account(&["get-user"], &[access]);
    assert_eq!(run.json["attributes"]["email"], "anna@example.com");
    assert_eq!(bench.account(&["change-password"], &[access, PASSWORD, NEW_PASSWORD]).json, json!({ "done": true }));
    let run = bench.account(&["refresh"], &[refresh]);
    assert!(!run.text("access_token").is_empty() && !run.stderr.contains(run.text("access_token")));
    assert_eq!(bench.account(&["forgot-password", "anna"], &[]).code, 0);
    let set = bench.account(&["confirm-forgot-password", "anna"], &[RESET_CODE, PASSWORD]);
    assert_eq!(set.json, json!({ "done": true }));
    let signed_in = bench.account(&["sign-in", "anna"], &[PASSWORD]);
    assert_eq!(bench.account(&["delete-user"], &[signed_in.text("access_token")]).code, 0);
    assert_eq!(bench.account(&["sign-in", "anna"], &[PASSWORD]).code, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_usage_exits_with_2_and_an_unreachable_server_with_3() {
    let bench = Workbench::new().await;
    let run = bench.account(&["sign-in", "anna"], &[]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("standard input has no line for: password"), "{}", run.stderr);
    // No option accepts a password.
    let run = bench.account(&["sign-in", "anna", "--password", PASSWORD], &[PASSWORD]);
    assert_eq!(run.code, 2);
    let Workbench { server, pool, folder } = bench;
    let endpoint = server.endpoint().to_owned();
    drop(server);
    let mut command = Command::new(env!("CARGO_BIN_EXE_poolgate"));
    command.args(["account", "--json", "--pool-id", &pool.pool_id, "--client-id", &pool.client_id]);
    command.args(["--endpoint", &endpoint, "--allow-http-loopback", "forgot-password", "anna"]);
    command.env("POOLGATE_CACHE_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled")).current_dir(folder.path());
    let run = Run::of(command.stdin(Stdio::null()).output().expect("the command runs"), &[]);
    assert_eq!((run.code, run.text("problem")), (3, "unavailable"));
}

/// Signs anna in, and returns the access, ID and refresh token.
async fn sign_in(serving: &Serving, method: &str) -> [String; 3] {
    let answer =
        serving.post("/v1/sign-in", json!({ "username": "anna", "password": PASSWORD, "method": method })).await;
    let answer: Value = answer.json().await.expect("JSON");
    ["access_token", "id_token", "refresh_token"]
        .map(|name| answer["tokens"][name].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_prints_its_addresses_logs_no_secrets_and_ends_on_sigterm() {
    let bench = Workbench::new().await;
    let log = bench.folder.path().join("log");
    let mut command = bench.command("serve");
    command.stderr(fs::File::create(&log).expect("a log"));
    let mut serving = Serving::start(command);
    let sign_up = json!({ "username": "anna", "password": PASSWORD });
    assert_eq!(serving.post("/v1/sign-up", sign_up.clone()).await.status(), 200);
    assert_eq!(serving.post("/v1/sign-up", sign_up).await.status(), 200);
    let confirm = json!({ "username": "anna", "code": SIGN_UP_CODE });
    assert_eq!(serving.post("/v1/confirm-sign-up", confirm).await.status(), 204);
    let mut secrets = vec![PASSWORD.to_owned()];
    for method in ["password", "srp"] {
        secrets.extend(sign_in(&serving, method).await);
    }
    let shown = serving.http.get(&serving.metrics).send().await.expect("an answer").text().await.expect("text");
    let taken =
        "poolgate_account_flows_total{flow=\"sign-up\",response=\"accepted\",internal=\"UsernameExistsException\"} 1";
    assert!(shown.contains(taken), "{shown}");
    let asked = Command::new("kill").args(["-TERM", &serving.child.id().to_string()]).status();
    assert!(asked.is_ok_and(|status| status.success()));
    assert_eq!(serving.child.wait().expect("it ends").code(), Some(0));
    let logged = fs::read_to_string(log).expect("the log");
    assert!(logged.contains("UsernameExistsException"), "the reason is in the log: {logged}");
    let client_secret = bench.pool.client_secret.clone().expect("a secret");
    secrets.push(client_secret);
    for secret in &secrets {
        // The signature of a token is secret, and so is the whole token.
        let tail = &secret[secret.len().saturating_sub(40)..];
        assert!(!logged.contains(tail), "the log contains {}…", &secret[..6]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hook_receives_the_taken_username_and_the_flow() {
    let bench = Workbench::new().await;
    let (calls, mut received) = tokio::sync::mpsc::unbounded_channel();
    let hook = axum::Router::new()
        .route("/taken", axum::routing::post(async move |body: String| calls.send(body).expect("the test listens")));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/taken", listener.local_addr().expect("an address"));
    tokio::spawn(axum::serve(listener, hook).into_future());
    let mut command = bench.command("serve");
    command.args(["--username-taken-hook", &url]).stderr(Stdio::null());
    let serving = Serving::start(command);
    let sign_up = json!({ "username": "anna", "password": PASSWORD });
    for _ in 0..2 {
        assert_eq!(serving.post("/v1/sign-up", sign_up.clone()).await.status(), 200);
    }
    // Only the second sign-up calls the hook.
    let call = received.recv().await.expect("the hook is called");
    let call: Value = serde_json::from_str(&call).expect("JSON");
    assert_eq!(call, json!({ "username": "anna", "flow": "sign-up" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_closed_output_a_flow_exits_with_its_outcome_and_a_gateway_serves() {
    let bench = Workbench::new().await;
    let without_a_reader = |mut command: Command| {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the command runs");
        drop(child.stdout.take());
        child
    };
    for (flow, secret, code) in [(["sign-in", "nobody"], PASSWORD, 1), (["forgot-password", "nobody"], "", 0)] {
        for as_json in [&[][..], &["--json"]] {
            let mut command = bench.command("account");
            command.args(flow).args(as_json);
            let mut child = without_a_reader(command);
            child.stdin.take().expect("a pipe").write_all(format!("{secret}\n").as_bytes()).expect("it reads");
            assert_eq!(child.wait().expect("it ends").code(), Some(code), "{flow:?} {as_json:?}");
        }
    }
    let address = format!("127.0.0.1:{}", free_port());
    let mut command = bench.command("serve");
    command.args(["--listen", &address, "--operations-listen", "127.0.0.1:0"]);
    let http = Client::builder().no_proxy().build().expect("an HTTP client");
    let (public, metrics) = (format!("http://{address}"), String::new());
    let mut serving = Serving { child: without_a_reader(command), public, metrics, http };
    let mut polls = tokio::time::interval(Duration::from_millis(20));
    while serving.http.get(format!("{}/healthz", serving.public)).send().await.is_err() {
        assert_eq!(serving.child.try_wait().expect("it can be asked"), None, "the gateway is running");
        polls.tick().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_rejects_tokens_after_a_sign_out_on_the_command_line_with_a_shared_redis() {
    let (bench, redis) = (Workbench::new().await, Redis::start().await);
    bench.pool.sign_up_user_in_groups("anna", PASSWORD, &[]).await;
    let log = bench.folder.path().join("log");
    let knowing = |mut command: Command, mode: &str| {
        command.env("POOLGATE_REVOCATION", redis.url()).env("POOLGATE_REVOCATION_MODE", mode);
        command
    };
    let mut command = knowing(bench.command("serve"), "fail-closed");
    command.stderr(fs::File::create(&log).expect("a log"));
    let serving = Serving::start(command);
    let [access, ..] = sign_in(&serving, "password").await;
    let verify = async || {
        let request = serving.http.get(format!("{}/v1/verify", serving.public)).bearer_auth(&access);
        request.send().await.expect("an answer").status().as_u16()
    };
    assert_eq!(verify().await, 200);
    let mut command = knowing(bench.command("account"), "fail-open");
    command.args(["--json", "sign-out"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command runs");
    child.stdin.take().expect("a pipe").write_all(format!("{access}\n").as_bytes()).expect("it reads");
    let run = Run::of(child.wait_with_output().expect("it ends"), &[&access, redis::PASSWORD]);
    assert_eq!((run.code, &run.json), (0, &json!({ "done": true })), "{}", run.stderr);
    assert_eq!(verify().await, 401);
    let shown = serving.http.get(&serving.metrics).send().await.expect("an answer").text().await.expect("text");
    assert!(shown.contains("poolgate_revocation_checks_total{answer=\"revoked\"} 1"), "{shown}");
    assert!(!fs::read_to_string(log).expect("the log").contains(redis::PASSWORD), "the log contains the password");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_revocation_store_and_one_without_a_mode_exit_with_2() {
    let bench = Workbench::new().await;
    for (arguments, message) in [
        (&["--revocation", "memory"][..], "--revocation-mode"),
        (&["--revocation-mode", "fail-open"], "--revocation"),
        (&["--revocation", "memory", "--revocation-mode", "perhaps"], "fail-closed"),
        (&["--revocation", "http://:Secret-Horse-1@localhost", "--revocation-mode", "fail-open"], "redis[s]://"),
    ] {
        let output = bench.command("serve").args(arguments).output().expect("the command runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(message) && !stderr.contains("Secret-Horse-1"), "{arguments:?}: {stderr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_unreadable_address_missing_path_and_ambiguous_path_are_logged() {
    let bench = Workbench::new().await;
    let log = bench.folder.path().join("log");
    let mut command = bench.command("serve");
    command.args(["--client-ip-header", "x-forwarded-for", "--require", "/admin=admins", "--rate-limit", "10"]);
    command.env_remove("RUST_LOG").stderr(fs::File::create(&log).expect("a log"));
    let serving = Serving::start(command);
    let logged = || fs::read_to_string(&log).expect("the log");
    let ask = async |path: &str, forwarded_for: &str| {
        let request = serving.http.get(format!("{}{path}", serving.public)).header("x-forwarded-for", forwarded_for);
        request.send().await.expect("an answer").status().as_u16()
    };
    assert_eq!(ask("/openapi.json", "192.0.2.1:4711").await, 200);
    assert!(!logged().contains("x-forwarded-for"), "{}", logged());
    for _ in 0..3 {
        assert_eq!(ask("/openapi.json", "not-an-address").await, 200);
    }
    assert_eq!(logged().matches("all such clients share one rate limit").count(), 1, "{}", logged());
    assert!(logged().contains("not an IP address") && !logged().contains("not-an-address"), "{}", logged());
    for _ in 0..3 {
        assert_eq!(ask("/v1/verify", "192.0.2.1").await, 500);
    }
    assert_eq!(logged().matches("in nginx, set X-Original-URI and X-Original-Method").count(), 1, "{}", logged());
    for _ in 0..3 {
        let request =
            serving.http.get(format!("{}/v1/verify", serving.public)).header("x-forwarded-uri", "/ADMIN/secret");
        assert_eq!(request.send().await.expect("an answer").status().as_u16(), 400);
    }
    assert_eq!(logged().matches("two interpretations of it select different rules").count(), 1, "{}", logged());
    assert!(logged().contains("prefix /admin") && !logged().contains("secret"), "{}", logged());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_without_a_configured_client_address_is_logged() {
    let bench = Workbench::new().await;
    let log = bench.folder.path().join("log");
    let mut command = bench.command("serve");
    command.args(["--rate-limit", "10"]).env_remove("RUST_LOG").stderr(fs::File::create(&log).expect("a log"));
    let serving = Serving::start(command);
    let logged =
        || fs::read_to_string(&log).expect("the log").matches("all clients of a proxy share one rate limit").count();
    let ask = async |headers: &[(&str, &str)]| {
        let request = serving.http.get(format!("{}/openapi.json", serving.public));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.send().await.expect("an answer").status().as_u16()
    };
    assert_eq!((ask(&[]).await, logged()), (200, 0));
    for _ in 0..2 {
        assert_eq!((ask(&[("x-forwarded-for", "192.0.2.1")]).await, logged()), (200, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_rules_cookies_and_origins_exit_with_2() {
    let bench = Workbench::new().await;
    for (arguments, message) in [
        (&["--require", "admin=admins"][..], "must begin with /"),
        (&["--require", "/admin="], "groups separated by commas"),
        (&["--require", "/admin=admins,"], "groups separated by commas"),
        (&["--require", "/admin=%2"], "groups separated by commas"),
        (&["--require", "/admin=a", "--require", "/admin/=b"], "has two rules"),
        (&["--require", "/a", "--public", "/a"], "--public \"/a\" has two rules"),
        (&["--public", "/a/../b"], "--public"),
        (&["--preflight", "*"], "--preflight"),
        (&["--cors-origin", "*"], "wildcards are not supported"),
        (&["--cors-origin", "https://app.example.com/"], "as browsers send it"),
        (&["--refresh-cookie", "--cookie-path", "v1"], "--cookie-path"),
        (&["--refresh-cookie", "--cookie-domain", ".example.com"], "--cookie-domain"),
        (&["--refresh-cookie", "--refresh-token-validity", "60"], "--refresh-token-validity"),
        (&["--cookie-path", "/auth"], "--refresh-cookie"),
        (&["--trusted-hops", "2"], "--client-ip-header"),
        (&["--client-ip-header", "x", "--trusted-hops", "0"], "--trusted-hops"),
        (&["--shutdown-timeout", "0"], "--shutdown-timeout"),
    ] {
        let output = bench.command("serve").args(arguments).output().expect("the command runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(message), "{arguments:?}: {stderr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incomplete_request_does_not_delay_the_end_after_sigterm() {
    let bench = Workbench::new().await;
    let mut command = bench.command("serve");
    command.env_remove("RUST_LOG").args(["--shutdown-timeout", "1"]);
    let mut serving = Serving::start(command);
    let mut streams = Vec::new();
    for address in [&serving.public, serving.metrics.trim_end_matches("/metrics")] {
        let mut stream = TcpStream::connect(address.trim_start_matches("http://")).expect("it listens");
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: app\r\n\r\n").expect("it reads");
        stream.read_exact(&mut [0; 15]).expect("it answers");
        stream.write_all(b"POST /v1/sign-in HTTP/1.1\r\nHost:").expect("it reads");
        streams.push(stream);
    }
    let asked = Command::new("kill").args(["-TERM", &serving.child.id().to_string()]).status();
    assert!(asked.is_ok_and(|status| status.success()));
    assert_eq!(serving.child.wait().expect("it ends").code(), Some(0));
}

/// The number of verifications, and of verifications per round. The memory is measured after each round.
const VERIFICATIONS: usize = 20_000;
const ROUND: usize = 2_000;
const AT_ONCE: usize = 16;

#[tokio::test(flavor = "multi_thread")]
async fn the_gateways_memory_does_not_grow_over_twenty_thousand_verifications() {
    let bench = Workbench::new().await;
    let mut command = bench.command("serve");
    command.env_remove("RUST_LOG");
    let serving = Serving::start(command);
    assert_eq!(serving.post("/v1/sign-up", json!({ "username": "anna", "password": PASSWORD })).await.status(), 200);
    let confirm = json!({ "username": "anna", "code": SIGN_UP_CODE });
    assert_eq!(serving.post("/v1/confirm-sign-up", confirm).await.status(), 204);
    let [access, ..] = sign_in(&serving, "password").await;
    let mut after = Vec::new();
    for _ in 0..VERIFICATIONS / ROUND {
        let tasks: Vec<_> = (0..AT_ONCE)
            .map(|_| {
                let request = serving.http.get(format!("{}/v1/verify", serving.public)).bearer_auth(&access);
                tokio::spawn(async move {
                    for _ in 0..ROUND / AT_ONCE {
                        let request = request.try_clone().expect("it has no body");
                        assert_eq!(request.send().await.expect("an answer").status(), 200);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("no request is lost");
        }
        after.push(serving.resident());
    }
    println!("resident after each {ROUND} verifications, kB: {after:?}");
    // The first rounds fill the buffers of the allocator and of the connections.
    let (early, late) = (after[2], after[after.len() - 1]);
    assert!(late <= early + early / 50 + 1_024, "it grew from {early} to {late} kB: {after:?}");
}
