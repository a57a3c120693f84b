//! Metrics, log lines and the hook: the operator gets them before the response is delayed, and clients never do.

use crate::{
    account_setup::{PASSWORD, account_builder},
    gateway_setup::serve,
    wire::Wire,
};
use poolgate::{accounts::ResponseTimeFloor, gateway::Gateway};
use poolgate_tests::{microburst::Microburst, ministack::Ministack, test_pool::PoolOptions};
use serde_json::json;
use std::{sync::Mutex, time::Duration};
use tokio::{
    sync::mpsc,
    time::{interval, timeout},
};

/// Longer than any test, so that no response is sent.
const NEVER: ResponseTimeFloor = ResponseTimeFloor { minimum: Duration::from_secs(3_600), max_jitter: Duration::ZERO };
const PATIENCE: Duration = Duration::from_secs(60);

/// Their duration is therefore part of the minimum response time.
#[tokio::test(flavor = "multi_thread")]
async fn metrics_log_and_hook_come_before_the_response_is_delayed() {
    let server = Ministack::start().await;
    let pool = server.create_pool(PoolOptions::default()).await;
    pool.sign_up_user_in_groups("anna", PASSWORD, &[]).await;
    let (calls, mut received) = mpsc::unbounded_channel();
    let log = Log::default();
    let accounts = account_builder(server.endpoint(), &pool).await.response_time_floor(NEVER);
    let accounts = accounts.on_username_taken(move |it| calls.send(it.username).expect("the test listens"));
    let accounts = accounts.build().await.expect("the accounts build");
    let verifier = accounts.verifier().clone();
    let gateway = serve(Gateway::new(accounts).rate_limit(None)).await;
    let public = gateway.public.clone();
    let http = reqwest::Client::builder().no_proxy().build().expect("an HTTP client");
    let ask =
        |path: &str, body: serde_json::Value| tokio::spawn(http.post(format!("{public}{path}")).json(&body).send());
    let asked = [
        ask("/v1/sign-up", json!({ "username": "anna", "password": PASSWORD })),
        ask("/v1/sign-in", json!({ "username": "anna", "password": "Wrong-Horse-7" })),
        ask("/v1/forgot-password", json!({ "username": "nobody" })),
    ];
    let username = timeout(PATIENCE, received.recv()).await.expect("the hook is called before the response is sent");
    assert_eq!(username.as_deref(), Some("anna"));
    let counted = [
        "flow=\"sign-up\",response=\"accepted\",internal=\"UsernameExistsException\"} 1",
        "flow=\"sign-in\",response=\"invalid-credentials\",internal=\"NotAuthorizedException\"} 1",
        // With PreventUserExistenceErrors=ENABLED, the server simulates a delivery.
        "flow=\"forgot-password\",response=\"done\",internal=\"\"} 1",
    ];
    let mut polls = interval(Duration::from_millis(20));
    let all = async {
        loop {
            polls.tick().await;
            let metrics = verifier.metrics();
            let has_logged = ["UsernameExistsException", "NotAuthorizedException"].iter().all(|it| log.has(it));
            if counted.iter().all(|line| metrics.contains(line)) && has_logged {
                return;
            }
        }
    };
    timeout(PATIENCE, all).await.expect("metrics and log come before the response is sent");
    for task in asked {
        assert!(!task.is_finished(), "a response was sent");
        task.abort();
    }
}

/// Otherwise the panic would close the connection of a client that asks for a taken username.
#[tokio::test(flavor = "multi_thread")]
async fn a_panic_of_the_hook_does_not_change_the_response() {
    let server = Ministack::start().await;
    let pool = server.create_pool(PoolOptions::default()).await;
    pool.sign_up_user_in_groups("taken", PASSWORD, &[]).await;
    let accounts = account_builder(server.endpoint(), &pool).await;
    let accounts = accounts.on_username_taken(|_| panic!("a bug in the hook"));
    let gateway = serve(Gateway::new(accounts.build().await.expect("the accounts build")).rate_limit(None)).await;
    let sign_up = |name| Wire::post("/v1/sign-up", json!({ "username": name, "password": PASSWORD }));
    let of_taken = sign_up("taken").answer(&gateway).await;
    assert_eq!(of_taken, sign_up("free1").answer(&gateway).await);
    gateway.stop().await;
}

/// An exception that is not in the table gets the response for no account, and is logged as an error.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_exception_is_logged_as_an_error() {
    let server = Ministack::start().await;
    let proxy = Microburst::start(server.endpoint()).await;
    let pool = server.create_pool(PoolOptions::default()).await;
    let accounts = account_builder(proxy.endpoint(), &pool).await.build().await.expect("the accounts build");
    let gateway = serve(Gateway::new(accounts).rate_limit(None)).await;
    let log = Log::default();
    proxy.inject("InitiateAuth", "QuiteUnheardOfException").await;
    let sign_in = Wire::post("/v1/sign-in", json!({ "username": "anna", "password": PASSWORD }));
    assert!(sign_in.answer(&gateway).await.starts_with("HTTP/1.1 401 "));
    let line = log.line("QuiteUnheardOfException").expect("the exception is in the log");
    assert!(line.contains("ERROR") && line.contains("sign-in") && line.contains("account-errors.md"), "{line}");
    assert!(!line.contains("anna") && !line.contains(PASSWORD), "{line}");
    gateway.stop().await;
}

/// Captures the log of this process.
#[derive(Clone)]
pub struct Log {
    begin: usize,
}

static LOGGED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

impl Default for Log {
    fn default() -> Self {
        static SUBSCRIBED: std::sync::Once = std::sync::Once::new();
        SUBSCRIBED.call_once(|| {
            let subscriber = tracing_subscriber::fmt().with_max_level(tracing_subscriber::filter::LevelFilter::INFO);
            subscriber.with_ansi(false).with_writer(|| Written).init();
        });
        Self { begin: LOGGED.lock().expect("no panic").len() }
    }
}

impl Log {
    fn has(&self, text: &str) -> bool {
        self.line(text).is_some()
    }

    fn line(&self, text: &str) -> Option<String> {
        let logged = LOGGED.lock().expect("no panic");
        String::from_utf8_lossy(&logged[self.begin..]).lines().find(|line| line.contains(text)).map(Into::into)
    }
}

struct Written;

impl std::io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOGGED.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
