//! Concurrent requests. `account_command` tests that the gateway's memory does not grow, because the gateway has its own process there.

use super::{PASSWORD, Stage};
use reqwest::Method;
use serde_json::json;

const SIGN_INS: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_concurrent_sign_ins_succeed() {
    let stage = Stage::new(|gateway| gateway).await;
    stage.pool.sign_up_user_in_groups("anna", PASSWORD, &[]).await;
    let sign_in = json!({ "username": "anna", "password": PASSWORD });
    let tasks: Vec<_> =
        (0..SIGN_INS).map(|_| tokio::spawn(stage.request(Method::POST, "/v1/sign-in").json(&sign_in).send())).collect();
    for task in tasks {
        let answer = task.await.expect("no panic").expect("an answer");
        assert_eq!(answer.status(), 200);
    }
    stage.gateway.stop().await;
}
