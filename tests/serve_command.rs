//! The options of `poolgate serve` that say which tokens `/v1/verify` accepts: one verifier, two verifiers, no account flows, and combinations that
//! are refused at the start.

mod scripted_cognito;
mod serving;

use poolgate_core::Algorithm;
use poolgate_tests::{
    faulty_server::{Behaviour, FaultyServer},
    keys::{OTHER_RSA_2048, RSA_2048, jwks},
    minting::{CLIENT_ID, Draft, ISSUER, KEY_ID, POOL_ID},
};
use scripted_cognito::{Reply, ScriptedCognito};
use serde_json::{Value, json};
use serving::Serving;
use std::{
    process::{Command, Stdio},
    time::{SystemTime, UNIX_EPOCH},
};

const LOGIN: &str = "https://login.example.com/realms/shop";
const API: &str = "https://orders.example.com";
const MACHINE: &str = "1example23456789exampleapi";
const USER_POOL: [&str; 4] = ["--pool-id", POOL_ID, "--client-id", CLIENT_ID];

/// The issuers' key sets, and a user pools API that accepts every request.
struct Scene {
    keys: FaultyServer,
    cognito: ScriptedCognito,
}

impl Scene {
    async fn new() -> Self {
        let keys = FaultyServer::start(Behaviour::Status(404, String::new())).await;
        keys.path_does("/cognito", Behaviour::Serve(jwks(&[RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID)])));
        keys.path_does("/login", Behaviour::Serve(jwks(&[OTHER_RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID)])));
        let cognito = ScriptedCognito::start("http://unused.example.com", |_, _| Reply::Body(json!({}))).await;
        Self { keys, cognito }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(arguments);
        command.args(["--allow-http-loopback"]);
        command.env("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", &self.cognito.endpoint);
        command
    }

    fn start(&self, arguments: &[&str], keys: &[(&str, &str)]) -> Serving {
        let mut command = self.command(arguments);
        for (option, path) in keys {
            command.args([option, &*self.keys.url(path)]);
        }
        command.stderr(Stdio::null());
        Serving::start(command)
    }
}

/// `poolgate serve` without anything of this process's environment that configures it.
fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_poolgate"));
    command.arg("serve").args(arguments);
    for name in ["COGNITO_USER_POOL_ID", "COGNITO_CLIENT_ID", "COGNITO_REGION", "COGNITO_CLIENT_SECRET", "RUST_LOG"] {
        command.env_remove(name);
    }
    command.env("POOLGATE_CACHE_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"));
    command
}

/// Runs a command that must be refused, and returns its message.
fn refusal(mut command: Command) -> String {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command runs");
    // A command that serves does not end.
    let started = std::time::Instant::now();
    while child.try_wait().expect("the command runs").is_none() {
        if started.elapsed().as_secs() > 120 {
            child.kill().expect("it is running");
            panic!("{command:?} was not refused");
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let output = child.wait_with_output().expect("the command has ended");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{command:?}: {stderr}");
    assert!(output.stdout.is_empty(), "{command:?}: it has served");
    stderr
}

/// The gateway has no option for its clock.
fn valid_now(draft: Draft) -> Draft {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    draft.claim("iat", now - 60).claim("auth_time", now - 60).claim("exp", now + 3_540)
}

fn access() -> Draft {
    valid_now(Draft::access(&RSA_2048))
}

fn of_login() -> Draft {
    let draft = valid_now(Draft::of_issuer(&OTHER_RSA_2048, LOGIN));
    draft.claim("azp", "\"web\"").claim("aud", format!("\"{API}\""))
}

/// Sends a token to `/v1/verify` and `/v1/ext-authz`, and returns the status, which is the same at both.
async fn checked(serving: &Serving, token: &Draft) -> u16 {
    let mut statuses = Vec::new();
    for path in ["/v1/verify", "/v1/ext-authz/orders"] {
        let get = serving.http.get(format!("{}{path}", serving.public)).bearer_auth(token.compact());
        statuses.push(get.send().await.expect("an answer").status().as_u16());
    }
    assert_eq!(statuses[0], statuses[1], "/v1/verify and /v1/ext-authz differ");
    statuses[0]
}

async fn signed_out(serving: &Serving, token: &Draft) -> u16 {
    let post = serving.http.post(format!("{}/v1/sign-out", serving.public)).bearer_auth(token.compact());
    post.send().await.expect("an answer").status().as_u16()
}

/// The status of `/v1/verify`, while it may change.
async fn verified(serving: &Serving, token: &Draft) -> u16 {
    let get = serving.http.get(format!("{}/v1/verify", serving.public)).bearer_auth(token.compact());
    get.send().await.expect("an answer").status().as_u16()
}

async fn metrics(serving: &Serving) -> String {
    serving.http.get(&serving.metrics).send().await.expect("an answer").text().await.expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn one_verifier_serves_both_unless_verify_accepts_other_tokens() {
    let scene = Scene::new().await;
    for (arguments, has_two) in [
        (&[][..], false),
        (&["--token-use", "any", "--max-token-bytes", "8192", "--instances", "1", "--token-cache-bytes", "0"], false),
        (&["--account-pool-id", POOL_ID, "--account-client-id", CLIENT_ID], false),
        (&["--client-id", MACHINE, "--account-client-id", CLIENT_ID], true),
        (&["--leeway", "1"], true),
        (&["--group", "readers"], true),
        (&["--alg", "RS256"], true),
    ] {
        let serving = scene.start(&[&USER_POOL[..], arguments].concat(), &[("--jwks", "/cognito")]);
        assert_eq!(checked(&serving, &access()).await, 200, "{arguments:?}");
        assert_eq!(signed_out(&serving, &access()).await, 204, "{arguments:?}");
        let id_token = valid_now(Draft::id(&RSA_2048));
        let expected = if arguments.contains(&"any") { 200 } else { 401 };
        assert_eq!(checked(&serving, &id_token).await, expected, "{arguments:?}");
        assert_eq!(metrics(&serving).await.contains("verifier=\""), has_two, "{arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_for_tokens_apply_to_verify_and_a_token_for_an_api_can_sign_out() {
    let scene = Scene::new().await;
    let rule = r#"{"claim":"tenant","any_of":["acme"]}"#;
    let arguments = ["--resource", API, "--claim", rule, "--revocation", "memory", "--revocation-mode", "fail-closed"];
    let serving = scene.start(&[&USER_POOL[..], &arguments].concat(), &[("--jwks", "/cognito")]);
    let user = |name: &str| access().claim("sub", format!("\"{name}\"")).claim("tenant", "\"acme\"");
    let bound = user("bound").claim("aud", format!("\"{API}\""));
    let unbound = user("unbound");
    let foreign = user("foreign").claim("aud", "\"https://other.example.com\"");
    let evil = user("evil").claim("aud", format!("\"{API}\"")).claim("tenant", "\"evil\"");
    for (token, before, sign_out) in [(&bound, 200, 204), (&unbound, 401, 204), (&foreign, 401, 401), (&evil, 401, 204)]
    {
        assert_eq!(checked(&serving, token).await, before, "{}", token.signing_input());
        assert_eq!(signed_out(&serving, token).await, sign_out, "{}", token.signing_input());
    }
    assert_eq!(checked(&serving, &bound).await, 401, "revoked at /v1/verify");
    assert_eq!(signed_out(&serving, &bound).await, 401, "revoked in the account flows");
    let text = metrics(&serving).await;
    for line in [
        "poolgate_revocation_checks_total{verifier=\"verify\",answer=\"revoked\"} 2",
        "poolgate_revocation_checks_total{verifier=\"accounts\",answer=\"revoked\"} 1",
        "poolgate_revocations_total{verifier=\"accounts\",outcome=\"remembered\"} 3",
    ] {
        assert!(text.lines().any(|own| own == line), "{line}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_flows_of_a_user_pool_and_the_tokens_of_another_issuer() {
    let scene = Scene::new().await;
    let arguments = [
        &[
            "--issuer",
            LOGIN,
            "--token-use",
            "unchecked",
            "--client-id",
            "web",
            "--client-claim",
            "azp",
            "--resource",
            API,
        ][..],
        &["--account-pool-id", POOL_ID, "--account-client-id", CLIENT_ID],
    ];
    let serving = scene.start(&arguments.concat(), &[("--jwks", "/login"), ("--account-jwks", "/cognito")]);
    assert_eq!((checked(&serving, &of_login()).await, signed_out(&serving, &of_login()).await), (200, 401));
    assert_eq!((checked(&serving, &access()).await, signed_out(&serving, &access()).await), (401, 204));
    let bound = access().claim("aud", format!("\"{API}\""));
    assert_eq!(signed_out(&serving, &bound).await, 401, "an API of the other issuer is none of the user pool");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_is_seen_if_verify_knows_the_user_pool_by_the_first_form_of_its_issuer() {
    let scene = Scene::new().await;
    let arguments = [
        &["--issuer", ISSUER, "--token-use", "access", "--any-client", "--revocation", "memory"][..],
        &["--revocation-mode", "fail-closed", "--account-pool-id", POOL_ID, "--account-client-id", CLIENT_ID],
    ];
    let serving = scene.start(&arguments.concat(), &[("--jwks", "/cognito"), ("--account-jwks", "/cognito")]);
    assert_eq!(checked(&serving, &access()).await, 200);
    assert_eq!(signed_out(&serving, &access()).await, 204);
    assert_eq!(checked(&serving, &access()).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_is_seen_by_another_gateway_and_by_the_command_that_read_the_feed() {
    let scene = Scene::new().await;
    let memory = ["--revocation", "memory", "--revocation-mode", "fail-closed"];
    let serving = scene.start(&[&USER_POOL[..], &memory].concat(), &[("--jwks", "/cognito")]);
    let feed = serving.metrics.replace("/metrics", "/v1/revocations");
    let reading = ["--revocation", &feed, "--revocation-mode", "fail-closed"];
    let options = ["--no-accounts", "--revocation-poll", "1", "--revocation-max-stale", "3"];
    let reader = scene.start(&[&USER_POOL[..], &reading, &options].concat(), &[("--jwks", "/cognito")]);
    let verify = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_poolgate"));
        command.arg("verify").args(USER_POOL).args(reading).args(["--token-use", "access", "--allow-http-loopback"]);
        command.args(["--jwks", &scene.keys.url("/cognito"), "--json"]).arg(access().compact());
        command.env("POOLGATE_CACHE_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"));
        let output = command.output().expect("the command runs");
        let shown: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        (output.status.code(), shown["reason"].as_str().map(str::to_owned))
    };
    let reason = |text: &str| Some(text.to_owned());
    assert_eq!(checked(&reader, &access()).await, 200);
    assert_eq!(verify(), (Some(0), None));
    assert_eq!(signed_out(&serving, &access()).await, 204);
    let started = std::time::Instant::now();
    let mut polls = tokio::time::interval(std::time::Duration::from_millis(20));
    while verified(&reader, &access()).await != 401 {
        assert!(started.elapsed().as_secs() < 60, "the sign-out was never seen");
        polls.tick().await;
    }
    println!("the sign-out was seen after {:?}", started.elapsed());
    assert_eq!(verify(), (Some(1), reason("revoked")));

    // Without the feed, the mode decides, and what is known to be revoked stays revoked.
    let other = access().claim("sub", "\"bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee\"");
    assert_eq!(checked(&reader, &other).await, 200);
    drop(serving);
    let started = std::time::Instant::now();
    while verified(&reader, &other).await != 503 {
        assert!(started.elapsed().as_secs() < 60, "the feed never became too old");
        polls.tick().await;
    }
    assert_eq!(checked(&reader, &access()).await, 401);
    assert_eq!(verify(), (Some(3), reason("revocation-unavailable")));
    let shown = metrics(&reader).await;
    assert!(shown.contains("poolgate_revocation_checks_total{answer=\"stale\"}"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_issuer_without_account_flows() {
    let scene = Scene::new().await;
    let arguments =
        ["--issuer", LOGIN, "--token-use", "unchecked", "--any-client", "--client-claim", "azp", "--resource", API];
    let mut command = scene.command(&arguments);
    command.args(["--jwks", &scene.keys.url("/login")]).stderr(Stdio::null());
    // They name what `poolgate verify` takes from the environment; the account flows need options.
    command.env("COGNITO_USER_POOL_ID", POOL_ID).env("COGNITO_CLIENT_SECRET", "a-secret");
    let mut serving = Serving::start(command);
    assert_eq!(checked(&serving, &of_login()).await, 200);
    assert_eq!(checked(&serving, &of_login().claim("aud", "\"web\"")).await, 401);
    assert_eq!(checked(&serving, &access()).await, 401);
    let body = json!({ "username": "anna", "password": "Correct-Horse-7" });
    assert_eq!(serving.post("/v1/sign-in", body).await.status(), 404);
    assert_eq!(signed_out(&serving, &access()).await, 404);
    let document = serving.http.get(format!("{}/openapi.json", serving.public)).send().await.expect("an answer");
    let document: Value = document.json().await.expect("JSON");
    assert_eq!(document["paths"].as_object().map(|paths| paths.len()), Some(1));
    assert!(!metrics(&serving).await.contains("verifier=\""));
    let asked = Command::new("kill").args(["-TERM", &serving.child.id().to_string()]).status();
    assert!(asked.is_ok_and(|status| status.success()));
    assert_eq!(serving.child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn wrong_combinations_are_refused_with_a_hint() {
    let issuer = ["--issuer", LOGIN, "--token-use", "unchecked", "--client-id", "web"];
    let pools = ["--pool-id", POOL_ID, "--pool-id", "eu-west-1_EXAMPLE02", "--client-id", CLIENT_ID];
    let account = ["--account-pool-id", POOL_ID, "--account-client-id", CLIENT_ID];
    let memory = ["--revocation", "memory", "--revocation-mode", "fail-closed"];
    let feed = |url| ["--revocation", url, "--revocation-mode", "fail-closed"];
    let gateway = "https://gateway.example.com/v1/revocations";
    for (arguments, message) in [
        ([&USER_POOL[..], &feed(gateway)].concat(), "a feed can only be read"),
        ([&issuer[..], &account, &feed(gateway)].concat(), "a feed can only be read"),
        ([&issuer[..], &feed("http://gateway.example.com/v1/revocations")].concat(), "must use https"),
        ([&issuer[..], &feed("https://gateway.example.com/v1/revocations?x=1")].concat(), "a query"),
        ([&issuer[..], &feed(gateway), &["--revocation-max-stale", "5"]].concat(), "longer than its poll interval"),
        ([&issuer[..], &["--revocation-poll", "5"]].concat(), "--revocation"),
        (vec![], "--client-id or --any-client"),
        (vec!["--client-id", CLIENT_ID], "--pool-id or --issuer"),
        (vec!["--pool-id", POOL_ID], "--client-id or --any-client"),
        (
            [&USER_POOL[..], &["--issuer", LOGIN]].concat(),
            "name the user pool of the account flows with --account-pool-id",
        ),
        (pools.to_vec(), "there are several --pool-id"),
        ([&USER_POOL[..], &["--client-id", MACHINE]].concat(), "--account-client-id"),
        (vec!["--pool-id", POOL_ID, "--any-client"], "--no-accounts"),
        ([&issuer[..], &account[..2]].concat(), "the app client is not known"),
        ([&issuer[..], &account[2..]].concat(), "--account-client-id has no use without account flows"),
        ([&USER_POOL[..], &["--no-accounts"], &account[..2]].concat(), "--account-pool-id"),
        ([&pools[..], &account, &["--account-region", "eu-west-2"]].concat(), "--account-region is for"),
        ([&pools[..], &account, &["--jwks", "https://example.com/jwks"]].concat(), "each user pool has its own keys"),
        ([&USER_POOL[..], &["--no-accounts", "--account-jwks", "https://example.com/jwks"]].concat(), "--account-jwks"),
        ([&USER_POOL[..], &["--no-accounts", "--account-region", "eu-west-1"]].concat(), "--account-region"),
        (vec!["--issuer", LOGIN, "--any-client"], "--token-use is required"),
        ([&issuer[..], &["--jwks", "keys.json"]].concat(), "--jwks must be a URL"),
        ([&USER_POOL[..], &["--jwks", "keys.json"]].concat(), "--jwks must be a URL"),
        ([&issuer[..], &["--resource", API]].concat(), "no claim names the client"),
        ([&issuer[..], &["--refresh-cookie"]].concat(), "--refresh-cookie has no use without account flows"),
        ([&issuer[..], &["--cors-origin", "https://app.example.com"]].concat(), "--cors-origin has no use"),
        ([&issuer[..], &["--endpoint", "https://example.com"]].concat(), "--endpoint has no use"),
        ([&USER_POOL[..], &["--no-accounts", "--max-calls", "7"]].concat(), "--max-calls has no use"),
        ([&issuer[..], &memory].concat(), "nothing else can write to it"),
        (
            [
                &["--any-issuer", "--jwks", "https://example.com/jwks", "--token-use", "any", "--any-client"][..],
                &account,
                &memory,
            ]
            .concat(),
            "accept its tokens with --pool-id",
        ),
        (
            [
                &["--issuer", "https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE01"][..],
                &["--token-use", "access", "--any-client"],
                &account,
                &memory,
            ]
            .concat(),
            "accept its tokens with --pool-id",
        ),
        (
            [
                &["--issuer", LOGIN, "--issuer", "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE01"][..],
                &["--jwks", "https://example.com/jwks"],
                &["--token-use", "access", "--any-client"],
                &account,
                &memory,
            ]
            .concat(),
            "accept its tokens with --pool-id",
        ),
        (
            [
                &["--issuer", "https://cognito-idp.us-east-1.amazonaws.com/eu-west-1_EXAMPLE01"][..],
                &["--token-use", "access", "--any-client"],
                &account,
                &memory,
            ]
            .concat(),
            "accept its tokens with --pool-id",
        ),
        ([&USER_POOL[..], &["--claim", "{}"]].concat(), "--claim"),
        ([&USER_POOL[..], &["--max-json-depth", "3"]].concat(), "invalid"),
        ([&USER_POOL[..], &["--token-use", "id", "--resource", API]].concat(), "accepts only ID tokens"),
    ] {
        let stderr = refusal(command(&arguments));
        assert!(stderr.contains(message), "{arguments:?}: {stderr}");
    }
    let mut several = command(&["--pool-id", POOL_ID]);
    several.env("COGNITO_CLIENT_ID", "a,b");
    assert!(refusal(several).contains("--account-client-id"), "the environment lists several clients");
}

/// A configuration whose rules for `/admin` are those that a test changes.
fn configuration(scene: &Scene, admin: Value) -> Value {
    json!({
        "pools": [{
            "name": "main", "user_pool_id": POOL_ID, "client_ids": [CLIENT_ID], "token_use": "access",
            "keys": {"cluster": "keys", "url": scene.keys.url("/cognito")},
        }],
        "policies": [{"name": "admins", "groups": {"any_of": ["admins"]}}],
        "routes": [{"prefix": "/public", "public": true}, admin],
    })
}

/// Asks about a path as Caddy does.
async fn asked(serving: &Serving, path: &str, token: Option<&Draft>) -> u16 {
    let mut get = serving.http.get(format!("{}/v1/verify", serving.public));
    get = get.header("x-forwarded-uri", path).header("x-forwarded-method", "GET");
    if let Some(token) = token {
        get = get.bearer_auth(token.compact());
    }
    get.send().await.expect("an answer").status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_decides_and_the_account_flows_have_a_verifier_of_their_own() {
    let scene = Scene::new().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("poolgate.json");
    let admins = configuration(&scene, json!({"prefix": "/admin", "any_of": ["admins"]}));
    std::fs::write(&file, admins.to_string()).expect("a file");
    let file = file.to_str().expect("UTF-8");
    let serving = scene.start(&["--config", file], &[]);
    assert_eq!(asked(&serving, "/public", None).await, 200);
    assert_eq!(asked(&serving, "/admin", None).await, 401);
    assert_eq!(asked(&serving, "/admin", Some(&access())).await, 403);
    assert_eq!(asked(&serving, "/admin", Some(&access().claim("cognito:groups", "[\"admins\"]"))).await, 200);
    assert_eq!(asked(&serving, "/public/../admin", Some(&access())).await, 400);
    assert_eq!(signed_out(&serving, &access()).await, 404, "there are no account flows");
    assert!(metrics(&serving).await.contains("poolgate_requests_total{decision=\"verified\""));

    let flows = ["--account-pool-id", POOL_ID, "--account-client-id", CLIENT_ID];
    let revocation = ["--revocation", "memory", "--revocation-mode", "fail-closed"];
    let arguments = [&["--config", file][..], &flows, &revocation].concat();
    let serving = scene.start(&arguments, &[("--account-jwks", "/cognito")]);
    let admin = access().claim("cognito:groups", "[\"admins\"]");
    assert_eq!(asked(&serving, "/admin", Some(&admin)).await, 200);
    assert_eq!(signed_out(&serving, &admin).await, 204);
    assert_eq!(asked(&serving, "/admin", Some(&admin)).await, 401, "the user has signed out");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_configuration_decides_is_no_option_beside_it() {
    let scene = Scene::new().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("poolgate.json");
    let rule = json!({"prefix": "/", "authenticated": true});
    std::fs::write(&file, configuration(&scene, rule.clone()).to_string()).expect("a file");
    let mut another = configuration(&scene, rule);
    another["pools"][0] = json!({
        "name": "main", "issuers": ["https://login.example.com/x", ISSUER], "any_client": true, "token_use": "access",
        "keys": {"cluster": "keys", "url": scene.keys.url("/cognito")},
    });
    let unnamed = folder.path().join("unnamed.json");
    std::fs::write(&unnamed, another.to_string()).expect("a file");
    let (file, unnamed) = (file.to_str().expect("UTF-8"), unnamed.to_str().expect("UTF-8"));
    let flows = ["--account-pool-id", POOL_ID, "--account-client-id", CLIENT_ID];
    let memory = ["--revocation", "memory", "--revocation-mode", "fail-closed"];
    for (arguments, text) in [
        (&["--config", file, "--pool-id", POOL_ID][..], "cannot be used with"),
        (&["--config", file, "--require", "/admin=admins"], "cannot be used with"),
        (&["--config", file, "--group", "admins"], "cannot be used with"),
        (&["--config", file, "--max-token-bytes", "8192"], "cannot be used with"),
        (&["--config", file, "--refresh-cookie"], "--refresh-cookie has no use"),
        (&["--config", file, "--account-pool-id", POOL_ID], "--account-client-id"),
        (&[&["--config", file][..], &memory].concat(), "--revocation memory has no use"),
        (&[&["--config", unnamed][..], &flows, &memory].concat(), "user_pool_id"),
        (&["--watch", "--pool-id", POOL_ID, "--client-id", CLIENT_ID], "--config"),
        (&["--config", "nothing.json"], "nothing.json"),
    ] {
        let message = refusal(scene.command(arguments));
        assert!(message.contains(text), "{arguments:?}: {message}");
    }
}

/// Asks until the answer is this one.
async fn asked_until(serving: &Serving, path: &str, token: &Draft, expected: u16) {
    let asking = async {
        while asked(serving, path, Some(token)).await != expected {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let limit = std::time::Duration::from_secs(120);
    tokio::time::timeout(limit, asking).await.unwrap_or_else(|_| panic!("{path} never got {expected}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_configuration_is_read_on_sighup_and_by_watching_and_a_wrong_one_changes_nothing() {
    let scene = Scene::new().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("poolgate.json");
    let write = |admin: Value| {
        // In one step, as editors and Kubernetes do.
        let next = folder.path().join("next.json");
        std::fs::write(&next, configuration(&scene, admin).to_string()).expect("a file");
        std::fs::rename(next, &file).expect("a file");
    };
    let (strict, open) =
        (json!({"prefix": "/admin", "any_of": ["admins"]}), json!({"prefix": "/admin", "authenticated": true}));
    for watches in [false, true] {
        write(strict.clone());
        let mut arguments = vec!["--config", file.to_str().expect("UTF-8")];
        arguments.extend(watches.then_some("--watch"));
        let serving = scene.start(&arguments, &[]);
        let hang_up = || {
            if !watches {
                let pid = serving.child.id().to_string();
                let sent = Command::new("kill").args(["-HUP", &pid]).status().expect("kill runs");
                assert!(sent.success());
            }
        };
        let token = access();
        assert_eq!(asked(&serving, "/admin", Some(&token)).await, 403);
        write(open.clone());
        hang_up();
        asked_until(&serving, "/admin", &token, 200).await;
        // A wrong configuration is followed by a right one, so that it is known to have been read.
        write(json!({"prefix": "/admin", "any_of": ["nobody"]}));
        hang_up();
        for _ in 0..20 {
            assert_eq!(asked(&serving, "/admin", Some(&token)).await, 200);
        }
        // Neither a folder nor a pipe that nobody writes to stops it.
        std::fs::remove_file(&file).expect("a file");
        let made = Command::new("mkfifo").arg(&file).status().expect("mkfifo runs");
        assert!(made.success());
        hang_up();
        for _ in 0..20 {
            assert_eq!(asked(&serving, "/admin", Some(&token)).await, 200);
        }
        write(strict.clone());
        hang_up();
        asked_until(&serving, "/admin", &token, 403).await;
        assert_eq!(asked(&serving, "/public", None).await, 200);
    }
}
