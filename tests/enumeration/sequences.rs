//! Flows one after another: what one has changed is not told by the next.

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

/// What a stranger can do with a name and an address, and nothing else.
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

async fn sequence(pool: &TestPool, endpoint: &str, is_stated: bool, username: &str) -> Vec<String> {
    let builder = account_builder(endpoint, pool).await;
    let builder = if is_stated { builder.credentials_checked_first() } else { builder };
    let gateway = serve(Gateway::new(builder.build().await.expect("the accounts build")).rate_limit(None)).await;
    let mut answers = Vec::new();
    for (path, body) in requests(username) {
        answers.push(format!("{path}: {}", Wire::post(path, body).answer(&gateway).await));
    }
    gateway.stop().await;
    answers
}

/// Also where the operator has stated that Cognito looks at the password first: who has signed up with a free name knows the password of
/// the account that there is then.
#[tokio::test(flavor = "multi_thread")]
async fn who_signs_up_and_then_signs_in_does_not_learn_whether_the_name_was_free() {
    let server = Ministack::start().await;
    for setting in ["ENABLED", "LEGACY"] {
        let options = PoolOptions { prevent_user_existence_errors: setting, ..PoolOptions::default() };
        let pool = server.create_pool(options).await;
        for (is_stated, taken, free) in [(false, "taken-1", "free--1"), (true, "taken-2", "free--2")] {
            pool.sign_up_user_in_groups(taken, PASSWORD, &[]).await;
            let of_taken = sequence(&pool, server.endpoint(), is_stated, taken).await;
            let of_free = sequence(&pool, server.endpoint(), is_stated, free).await;
            assert_eq!(of_taken, of_free, "{setting}, stated: {is_stated}");
        }
    }
}
