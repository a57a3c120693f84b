//! `grpc.health.v1.Health/Check`.

use super::client::Service;
use crate::scene::{builder, configuration};
use poolgate::gateway::Gateway;
use poolgate_tests::{
    faulty_server::{Behaviour, FaultyServer},
    keys::{RSA_2048, jwks},
    minting::{CLIENT_ID, KEY_ID, POOL_ID},
};
use serde_json::json;
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

#[tokio::test(flavor = "multi_thread")]
async fn the_service_is_serving_once_it_has_keys() {
    let server = FaultyServer::start(Behaviour::Status(500, String::new())).await;
    let mut configuration = configuration();
    configuration["pools"] = json!([{
        "name": "main", "user_pool_id": POOL_ID, "client_ids": [CLIENT_ID], "token_use": "access",
        "keys": {"url": server.url("/jwks.json")},
    }]);
    let gate = builder(&configuration).build().await.expect("it builds");
    let gateway = Gateway::without_accounts(gate.verifier()).gate(gate).expect("one verifier");
    let service = Service::of(gateway.clone()).await;
    let mut client = HealthClient::new(service.channel.clone());
    let mut ask = async |name: &str| {
        let response = client.check(HealthCheckRequest { service: name.to_owned() }).await;
        response.map(|response| response.into_inner().status()).map_err(|status| status.code())
    };
    assert_eq!(ask("").await, Ok(ServingStatus::NotServing));
    server.now_does(Behaviour::Serve(jwks(&[RSA_2048.jwk(KEY_ID)])));
    gateway.hydrate().await.expect("keys");
    for name in ["", "envoy.service.auth.v3.Authorization"] {
        assert_eq!(ask(name).await, Ok(ServingStatus::Serving), "{name}");
    }
    assert_eq!(ask("envoy.service.auth.v2.Authorization").await, Err(Code::NotFound));
    service.stop().await;
}
