//! Response times: they are delayed to a minimum with jitter, so that they do not reveal whether an account exists. They are measured at the
//! gateway, with the operator's hook, the log and the metrics enabled.

use super::{kolmogorov_smirnov::p_value, operator::Log};
use crate::{
    account_setup::{PASSWORD, account_builder},
    gateway_setup::serve,
    scripted_cognito::{Reply, ScriptedCognito},
};
use poolgate::{
    accounts::{AccountsBuilder, ResponseTimeFloor},
    gateway::Gateway,
};
use poolgate_tests::{ministack::Ministack, rng::Rng, test_pool::PoolOptions};
use reqwest::{Client, StatusCode};
use serde_json::json;
use std::{
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

/// The number of timings for each user.
const TIMINGS: usize = 500;
/// The number of concurrent requests.
const AT_ONCE: usize = 16;
/// How much longer the server takes for a user who exists, minimum and maximum: about the time to hash a password.
const DELAY_MS: std::ops::Range<u64> = 10..30;
/// Far above the server's response time with all delays on a busy machine.
const FLOOR: ResponseTimeFloor =
    ResponseTimeFloor { minimum: Duration::from_millis(250), max_jitter: Duration::from_millis(60) };
/// By chance, one sample in a hundred has p < 0.01, and three in a row one in a million. A real difference has it every time.
const TRIES: usize = 3;
/// Below this p, a difference is real.
const SEEN: f64 = 1e-6;
/// The maximum number of attempts to see the difference.
const ROUNDS: usize = 10;
const EXISTS: &str = "confirmed";

/// The duration of the operator's hook, which is called for the existing user only.
const HOOK: Duration = Duration::from_millis(15);

/// A proxy in front of the emulator. It takes longer for the user who exists, and knows the address of that user.
async fn delaying(upstream: &str) -> ScriptedCognito {
    let rng = Mutex::new(Rng::new(7));
    ScriptedCognito::start(upstream, move |operation, request| {
        let is_about_them = request.to_string().contains(EXISTS);
        let span = (DELAY_MS.end - DELAY_MS.start) as usize;
        if !is_about_them {
            return Reply::Pass;
        }
        let more = rng.lock().expect("no panic").draw(span) as u64;
        let delay = Duration::from_millis(DELAY_MS.start + more);
        match operation {
            "UpdateUserAttributes" => Reply::ExceptionAfter(delay, "AliasExistsException"),
            _ => Reply::PassAfter(delay),
        }
    })
    .await
}

#[derive(Clone, Copy, Debug)]
enum Question {
    SignUp,
    SignIn,
    ForgotPassword,
    /// A signed-in user changes the email address.
    ChangeAddress,
}

/// The gateway, and a client that tries to find out which users exist.
#[derive(Clone)]
struct Asked {
    http: Client,
    public: String,
    token: String,
}

impl Question {
    async fn ask(self, asked: &Asked, username: &str) {
        let post = |path: &str| asked.http.post(format!("{}{path}", asked.public));
        let (request, expected) = match self {
            Self::SignUp => {
                (post("/v1/sign-up").json(&json!({ "username": username, "password": PASSWORD })), StatusCode::OK)
            }
            Self::SignIn => {
                let wrong = json!({ "username": username, "password": "Wrong-Horse-7" });
                (post("/v1/sign-in").json(&wrong), StatusCode::UNAUTHORIZED)
            }
            Self::ForgotPassword => {
                (post("/v1/forgot-password").json(&json!({ "username": username })), StatusCode::OK)
            }
            Self::ChangeAddress => {
                let patch = asked.http.patch(format!("{}/v1/user", asked.public)).bearer_auth(&asked.token);
                let email = json!({ "attributes": { "email": format!("{username}@example.com") } });
                (patch.json(&email), StatusCode::OK)
            }
        };
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), expected, "{self:?}: an unexpected answer");
        answer.bytes().await.expect("a body");
    }
}

/// The response times in seconds, for the user who exists and for users who do not, in turns.
async fn timings(asked: &Asked, question: Question) -> (Vec<f64>, Vec<f64>) {
    static MISSING_USERS: AtomicU32 = AtomicU32::new(0);
    let tasks: Vec<_> = (0..AT_ONCE)
        .map(|task| {
            let gateway = asked.clone();
            tokio::spawn(async move {
                let (mut exists, mut missing) = (Vec::new(), Vec::new());
                for turn in 0..(2 * TIMINGS).div_ceil(AT_ONCE) + 1 {
                    let is_missing = (task + turn) % 2 == 0;
                    let name = match is_missing {
                        // A new name every time, because a sign-up creates the user. It is as long as the other name.
                        true => format!("n{:08}", MISSING_USERS.fetch_add(1, Ordering::Relaxed)),
                        false => EXISTS.into(),
                    };
                    let asked = Instant::now();
                    question.ask(&gateway, &name).await;
                    let took = asked.elapsed().as_secs_f64();
                    if is_missing { missing.push(took) } else { exists.push(took) }
                }
                (exists, missing)
            })
        })
        .collect();
    let (mut exists, mut missing) = (Vec::new(), Vec::new());
    for task in tasks {
        let (of_exists, of_missing) = task.await.expect("no panic");
        exists.extend(of_exists);
        missing.extend(of_missing);
    }
    assert!(exists.len() >= TIMINGS && missing.len() >= TIMINGS, "{} and {}", exists.len(), missing.len());
    (exists, missing)
}

/// The p-value of the difference. On a busy machine, noise hides the delay, so timings are added until the difference is visible.
async fn difference(asked: &Asked, question: Question) -> f64 {
    let (mut exists, mut missing) = timings(asked, question).await;
    for _ in 1..ROUNDS {
        if p_value(&exists, &missing) < SEEN {
            break;
        }
        let (more_exists, more_missing) = timings(asked, question).await;
        exists.extend(more_exists);
        missing.extend(more_missing);
    }
    p_value(&exists, &missing)
}

/// There are enough threads that a hook that blocks one of them does not delay other responses.
#[tokio::test(flavor = "multi_thread", worker_threads = 16)]
async fn response_times_reveal_nothing_with_the_minimum_response_time_and_do_without_it() {
    let _log = Log::default();
    let server = Ministack::start().await;
    let pool = server.create_pool(PoolOptions::default()).await;
    for name in [EXISTS, "caller"] {
        pool.sign_up_user_in_groups(name, PASSWORD, &[]).await;
    }
    let token = pool.sign_in("caller", PASSWORD).await.access_token;
    let proxy = delaying(server.endpoint()).await;
    let builder = account_builder(&proxy.endpoint, &pool).await;
    let builder = builder.on_username_taken(|_| std::thread::sleep(HOOK));
    let http = Client::builder().no_proxy().build().expect("an HTTP client");
    let gateway = async |builder: AccountsBuilder| {
        let accounts = builder.build().await.expect("the accounts build");
        serve(Gateway::new(accounts).rate_limit(None)).await
    };
    let (open_gateway, delayed_gateway) =
        (gateway(builder.clone()).await, gateway(builder.response_time_floor(FLOOR)).await);
    let asked = |public: &String| Asked { http: http.clone(), public: public.clone(), token: token.clone() };
    let (open, delayed) = (asked(&open_gateway.public), asked(&delayed_gateway.public));
    for question in [Question::SignUp, Question::SignIn, Question::ForgotPassword, Question::ChangeAddress] {
        let p = difference(&open, question).await;
        println!("{question:?} without the minimum response time: p = {p:.1e}");
        assert!(p < SEEN, "{question:?}: the server's delay is not visible without the minimum response time: p = {p}");

        let mut tried = Vec::new();
        while tried.len() < TRIES && tried.last().is_none_or(|p| *p <= 0.01) {
            let (exists, missing) = timings(&delayed, question).await;
            tried.push(p_value(&exists, &missing));
        }
        println!("{question:?} with the minimum response time: p = {tried:.3?}");
        assert!(
            tried.last().is_some_and(|p| *p > 0.01),
            "{question:?}: response times reveal who exists: p = {tried:?}"
        );
    }
}
