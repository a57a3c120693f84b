//! The tonic server of `examples/tonic`, over gRPC.

use super::judges::{judges, put};
use crate::example_services::{call, channel};
use example_tonic::generated::accounts_client::AccountsClient;
use poolgate_tests::seen::Seen;
use tonic::{Code, Status};

pub async fn verdicts() -> Vec<Seen> {
    let mut clients = Vec::new();
    for judge in judges().await {
        clients.push(AccountsClient::new(channel(judge.verifier.clone()).await));
    }
    put(|number, case| {
        let mut client = clients[number].clone();
        let call = call(&[format!("Bearer {}", case.token)]);
        async move {
            match client.who_am_i(call).await {
                Ok(_) => Seen::Verified,
                Err(status) => Seen::Refused { reason: None, status: Some(http_status(case.name, &status)) },
            }
        }
    })
    .await
}

/// What the gRPC status stands for.
fn http_status(case: &str, status: &Status) -> u16 {
    match status.code() {
        Code::Unauthenticated => 401,
        Code::PermissionDenied => 403,
        Code::Unavailable => 503,
        code => panic!("{case}: {code:?}, {}", status.message()),
    }
}
