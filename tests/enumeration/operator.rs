//! What the operator learns of a flow, when, and that no caller does.

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

/// Longer than any test: an answer does not go out.
const NEVER: ResponseTimeFloor = ResponseTimeFloor { minimum: Duration::from_secs(3_600), max_jitter: Duration::ZERO };
const PATIENCE: Duration = Duration::from_secs(60);

/// So that the time of all of it is within the floor.
#[tokio::test(flavor = "multi_thread")]
async fn the_count_the_log_line_and_the_hook_come_before_the_answer_is_held() {
    let server = Ministack::start().await;
    let pool = server.create_pool(PoolOptions::default()).await;
    pool.sign_up_user_in_groups("anna", PASSWORD, &[]).await;
    let (told, mut hears) = mpsc::unbounded_channel();
    let log = Log::default();
    let accounts = account_builder(server.endpoint(), &pool).await.response_time_floor(NEVER);
    let accounts = accounts.on_username_taken(move |it| told.send(it.username).expect("the test listens"));
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
    let heard = timeout(PATIENCE, hears.recv()).await.expect("the hook is called before the answer goes out");
    assert_eq!(heard.as_deref(), Some("anna"));
    let counted = [
        "flow=\"sign-up\",response=\"accepted\",internal=\"UsernameExistsException\"} 1",
        "flow=\"sign-in\",response=\"invalid-credentials\",internal=\"NotAuthorizedException\"} 1",
        // With ENABLED, the server makes a delivery up.
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
    timeout(PATIENCE, all).await.expect("it is counted and logged before the answer goes out");
    for task in asked {
        assert!(!task.is_finished(), "an answer has gone out");
        task.abort();
    }
}

/// A panic would end the connection of who has asked for a name that is taken.
#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_panics_does_not_tell_the_caller() {
    let server = Ministack::start().await;
    let pool = server.create_pool(PoolOptions::default()).await;
    pool.sign_up_user_in_groups("taken", PASSWORD, &[]).await;
    let accounts = account_builder(server.endpoint(), &pool).await;
    let accounts = accounts.on_username_taken(|_| panic!("the operator's mistake"));
    let gateway = serve(Gateway::new(accounts.build().await.expect("the accounts build")).rate_limit(None)).await;
    let sign_up = |name| Wire::post("/v1/sign-up", json!({ "username": name, "password": PASSWORD }));
    let of_taken = sign_up("taken").answer(&gateway).await;
    assert_eq!(of_taken, sign_up("free1").answer(&gateway).await);
    gateway.stop().await;
}

/// An exception that the table does not have is answered as for nobody, and is an error in the log.
#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_has_foreseen_is_an_error_in_the_log() {
    let server = Ministack::start().await;
    let proxy = Microburst::start(server.endpoint()).await;
    let pool = server.create_pool(PoolOptions::default()).await;
    let accounts = account_builder(proxy.endpoint(), &pool).await.build().await.expect("the accounts build");
    let gateway = serve(Gateway::new(accounts).rate_limit(None)).await;
    let log = Log::default();
    proxy.inject("InitiateAuth", "QuiteUnheardOfException").await;
    let sign_in = Wire::post("/v1/sign-in", json!({ "username": "anna", "password": PASSWORD }));
    assert!(sign_in.answer(&gateway).await.starts_with("HTTP/1.1 401 "));
    let line = log.line("QuiteUnheardOfException").expect("it is in the log");
    assert!(line.contains("ERROR") && line.contains("sign-in") && line.contains("account-errors.md"), "{line}");
    assert!(!line.contains("anna") && !line.contains(PASSWORD), "{line}");
    gateway.stop().await;
}

/// What is logged in this process from now on.
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
