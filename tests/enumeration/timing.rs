//! The time: answers are held to a floor with jitter, so that it tells nothing.

use super::kolmogorov_smirnov::p_value;
use crate::account_setup::{PASSWORD, account_builder, secret};
use axum::{Router, body::Bytes, extract::Request, http::StatusCode, response::IntoResponse};
use poolgate::accounts::{Accounts, Floor};
use poolgate_tests::{dice::Dice, ministack::Ministack, test_pool::PoolOptions};
use reqwest::Client;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::net::TcpListener;

/// Timings each way.
const TIMINGS: usize = 500;
/// Questions at once.
const AT_ONCE: usize = 16;
/// What the server takes longer for a user who exists, at least and at most: as long as hashing a password takes.
const DELAY_MS: std::ops::Range<u64> = 10..30;
/// Far above what the server takes with all of its delays on a busy machine.
const FLOOR: Floor = Floor { least: Duration::from_millis(250), jitter: Duration::from_millis(60) };
/// By chance alone, one sample in a hundred has a p under 0.01; three in a row, one in a million. A real difference has it always.
const TRIES: usize = 3;
const EXISTS: &str = "confirmed";

/// A proxy before a real server, which takes longer for the user who exists.
async fn delaying(upstream: String) -> String {
    let http = Client::builder().no_proxy().build().expect("an HTTP client");
    let dice = Arc::new(Mutex::new(Dice::new(7)));
    let handler = async move |request: Request| {
        let (parts, body) = request.into_parts();
        let body: Bytes = axum::body::to_bytes(body, 1 << 16).await.expect("a body");
        if String::from_utf8_lossy(&body).contains(EXISTS) {
            let span = (DELAY_MS.end - DELAY_MS.start) as usize;
            let more = dice.lock().expect("no panic").roll(span) as u64;
            tokio::time::sleep(Duration::from_millis(DELAY_MS.start + more)).await;
        }
        let post = http.post(&upstream).headers(parts.headers).body(body);
        let answer = post.send().await.expect("the server answers");
        let status = StatusCode::from_u16(answer.status().as_u16()).expect("a status");
        let content_type = [("content-type", "application/x-amz-json-1.1")];
        (status, content_type, answer.bytes().await.expect("a body")).into_response()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(axum::serve(listener, Router::new().fallback(handler)).into_future());
    endpoint
}

#[derive(Clone, Copy, Debug)]
enum Question {
    SignUp,
    SignIn,
    ForgotPassword,
}

impl Question {
    async fn ask(self, accounts: &Accounts, username: &str) {
        let answered = match self {
            Self::SignUp => accounts.sign_up(username, &secret(PASSWORD), &[]).await.is_ok(),
            Self::SignIn => accounts.sign_in(username, &secret("Wrong-Horse-7")).await.is_err(),
            Self::ForgotPassword => accounts.forgot_password(username).await.is_ok(),
        };
        assert!(answered, "{self:?}: an unexpected answer");
    }
}

/// How long the answers took, in seconds: about the user who exists, and about ones who do not, in turns.
async fn timings(accounts: &Accounts, question: Question) -> (Vec<f64>, Vec<f64>) {
    static NOBODY: AtomicU32 = AtomicU32::new(0);
    let tasks: Vec<_> = (0..AT_ONCE)
        .map(|task| {
            let accounts = accounts.clone();
            tokio::spawn(async move {
                let (mut exists, mut nobody) = (Vec::new(), Vec::new());
                for turn in 0..(2 * TIMINGS).div_ceil(AT_ONCE) + 1 {
                    let is_about_nobody = (task + turn) % 2 == 0;
                    let name = match is_about_nobody {
                        // Never the same: who signs up is there afterwards. As long as the other's name.
                        true => format!("n{:08}", NOBODY.fetch_add(1, Ordering::Relaxed)),
                        false => EXISTS.into(),
                    };
                    let asked = Instant::now();
                    question.ask(&accounts, &name).await;
                    let took = asked.elapsed().as_secs_f64();
                    if is_about_nobody { nobody.push(took) } else { exists.push(took) }
                }
                (exists, nobody)
            })
        })
        .collect();
    let (mut exists, mut nobody) = (Vec::new(), Vec::new());
    for task in tasks {
        let (of_exists, of_nobody) = task.await.expect("no panic");
        exists.extend(of_exists);
        nobody.extend(of_nobody);
    }
    assert!(exists.len() >= TIMINGS && nobody.len() >= TIMINGS, "{} and {}", exists.len(), nobody.len());
    (exists, nobody)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_that_an_answer_takes_tells_nothing_and_without_the_floor_it_does() {
    let server = Ministack::start().await;
    let pool = server.create_pool(PoolOptions::default()).await;
    pool.sign_up_user_in_groups(EXISTS, PASSWORD, &[]).await;
    let builder = account_builder(&delaying(server.endpoint().to_owned()).await, &pool).await;
    let open = builder.clone().build().await.expect("the accounts build");
    let held = builder.floor(FLOOR).build().await.expect("the accounts build");
    for question in [Question::SignUp, Question::SignIn, Question::ForgotPassword] {
        let (exists, nobody) = timings(&open, question).await;
        let p = p_value(&exists, &nobody);
        println!("{question:?} without the floor: p = {p:.1e}");
        assert!(p < 1e-6, "{question:?}: the server's delay is not seen without the floor: p = {p}");

        let mut tried = Vec::new();
        while tried.len() < TRIES && tried.last().is_none_or(|p| *p <= 0.01) {
            let (exists, nobody) = timings(&held, question).await;
            tried.push(p_value(&exists, &nobody));
        }
        println!("{question:?} with the floor: p = {tried:.3?}");
        assert!(tried.last().is_some_and(|p| *p > 0.01), "{question:?}: the time tells who exists: p = {tried:?}");
    }
}
