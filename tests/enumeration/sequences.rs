//! Sequences of flows: a response does not reveal what an earlier flow changed.

use crate::{
    account_setup::{PASSWORD, account_builder},
    gateway_setup::serve,
    wire::Wire,
};
use poolgate::gateway::Gateway;
use poolgate_tests::{
    ministack::Ministack,
    test_pool::{PoolOptions, TestPool},
};
use serde_json::{Value, json};

const STRANGERS_PASSWORD: &str = "Strange-Horse-7";

/// The requests that are possible with a username and an email address alone.
fn requests(username: &str) -> Vec<(&'static str, Value)> {
    let credentials = json!({ "username": username, "password": STRANGERS_PASSWORD });
    let sign_up =
        json!({ "username": username, "password": STRANGERS_PASSWORD, "attributes": { "email": "a@example.com" } });
    let srp = json!({ "username": username, "password": STRANGERS_PASSWORD, "method": "srp" });
    let new_password = json!({ "username": username, "code": "000000", "password": PASSWORD });
    vec![
        ("/v1/sign-up", sign_up.clone()),
        ("/v1/sign-in", credentials.clone()),
        ("/v1/sign-in", srp),
        ("/v1/sign-up", sign_up),
        ("/v1/resend-code", json!({ "username": username })),
        ("/v1/confirm-sign-up", json!({ "username": username, "code": "000000" })),
        ("/v1/forgot-password", json!({ "username": username })),
        ("/v1/sign-in", credentials),
        ("/v1/confirm-forgot-password", new_password),
    ]
}

async fn sequence(pool: &TestPool, endpoint: &str, checked_first: bool, username: &str) -> Vec<String> {
    let builder = account_builder(endpoint, pool).await;
    let builder = if checked_first { builder.credentials_checked_first() } else { builder };
    let gateway = serve(Gateway::new(builder.build().await.expect("the accounts build")).rate_limit(None)).await;
    let mut answers = Vec::new();
    for (path, body) in requests(username) {
        answers.push(format!("{path}: {}", Wire::post(path, body).answer(&gateway).await));
    }
    gateway.stop().await;
    answers
}

/// This also holds with `credentials_checked_first`: a client that signs up with a free username knows the password of the new account.
#[tokio::test(flavor = "multi_thread")]
async fn signing_up_and_then_signing_in_does_not_reveal_whether_the_username_was_free() {
    let server = Ministack::start().await;
    for setting in ["ENABLED", "LEGACY"] {
        let options = PoolOptions { prevent_user_existence_errors: setting, ..PoolOptions::default() };
        let pool = server.create_pool(options).await;
        for (checked_first, taken, free) in [(false, "taken-1", "free--1"), (true, "taken-2", "free--2")] {
            pool.sign_up_user_in_groups(taken, PASSWORD, &[]).await;
            let of_taken = sequence(&pool, server.endpoint(), checked_first, taken).await;
            let of_free = sequence(&pool, server.endpoint(), checked_first, free).await;
            assert_eq!(of_taken, of_free, "{setting}, credentials checked first: {checked_first}");
        }
    }
}
