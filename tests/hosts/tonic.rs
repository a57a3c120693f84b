//! The tonic server of `examples/tonic`, over gRPC.

use super::verifiers::{send_all, verifiers};
use crate::example_services::{call, channel};
use example_tonic::generated::accounts_client::AccountsClient;
use poolgate_tests::seen::Seen;
use tonic::{Code, Status};

pub async fn verdicts() -> Vec<Seen> {
    let mut clients = Vec::new();
    for configured in verifiers().await {
        clients.push(AccountsClient::new(channel(configured.verifier.clone()).await));
    }
    send_all(|number, case| {
        let mut client = clients[number].clone();
        let call = call(&[format!("Bearer {}", case.token)]);
        async move {
            match client.who_am_i(call).await {
                Ok(_) => Seen::Verified,
                Err(status) => Seen::Rejected { reason: None, status: Some(http_status(case.name, &status)) },
            }
        }
    })
    .await
}

/// Returns the HTTP status that corresponds to a gRPC status.
fn http_status(case: &str, status: &Status) -> u16 {
    match status.code() {
        Code::Unauthenticated => 401,
        Code::PermissionDenied => 403,
        Code::Unavailable => 503,
        code => panic!("{case}: {code:?}, {}", status.message()),
    }
}
