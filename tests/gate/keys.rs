//! Keys that are fetched: waiting requests, failures, and a route that only reports.

use super::scene::{builder, configuration, get, verdict};
use poolgate_tests::{
    faulty_server::{Behaviour, FaultyServer},
    keys::{OTHER_RSA_2048, RSA_2048, jwks},
    minting::{CLIENT_ID, Draft, KEY_ID, POOL_ID},
};
use serde_json::{Value, json};

fn remote(server: &FaultyServer) -> Value {
    let mut configuration = configuration();
    configuration["pools"] = json!([{
        "name": "main", "user_pool_id": POOL_ID, "client_ids": [CLIENT_ID], "token_use": "access",
        "keys": {"url": server.url("/jwks.json"), "timeout_ms": 2_000},
    }]);
    configuration["limits"] = json!({"wait_ms": 10_000});
    configuration
}

fn keys() -> Behaviour {
    Behaviour::Serve(jwks(&[RSA_2048.jwk(KEY_ID)]))
}

#[tokio::test]
async fn the_first_request_waits_for_the_keys_and_the_next_do_not() {
    let server = FaultyServer::start(keys()).await;
    let gate = builder(&remote(&server)).build().await.expect("it builds");
    let token = Draft::access(&RSA_2048);
    assert_eq!(verdict(&gate.decide(&get("/any", &token)).await), "verified");
    assert_eq!(verdict(&gate.decide(&get("/any/more", &token)).await), "verified");
    assert_eq!((server.fetches(), gate.verifier().key_waits()), (1, 1));
    // A request that needs no token waits for nothing.
    assert_eq!(verdict(&gate.decide(&get("/public", &token)).await), "anonymous");
}

#[tokio::test]
async fn an_unknown_key_is_fetched_once_and_then_found() {
    let server = FaultyServer::start(keys()).await;
    let gate = builder(&remote(&server)).build().await.expect("it builds");
    assert_eq!(verdict(&gate.decide(&get("/any", &Draft::access(&RSA_2048))).await), "verified");
    let new = Draft::access(&OTHER_RSA_2048).header("kid", "\"new\"");
    server.now_does(Behaviour::Serve(jwks(&[RSA_2048.jwk(KEY_ID), OTHER_RSA_2048.jwk("new")])));
    assert_eq!(verdict(&gate.decide(&get("/any", &new)).await), "verified");
    assert_eq!(server.fetches(), 2);
}

#[tokio::test]
async fn without_keys_a_request_is_rejected_unless_its_route_only_reports() {
    let server = FaultyServer::start(Behaviour::Status(500, String::new())).await;
    let gate = builder(&remote(&server)).build().await.expect("it builds");
    let token = Draft::access(&RSA_2048);
    assert_eq!(verdict(&gate.decide(&get("/any", &token)).await), "503 keys-unavailable");
    assert_eq!(verdict(&gate.decide(&get("/reported", &token)).await), "reported keys-unavailable");
    assert_eq!(verdict(&gate.decide(&get("/public", &token)).await), "anonymous");
}

#[tokio::test]
async fn a_request_does_not_wait_longer_than_the_configuration_says() {
    let server = FaultyServer::start(Behaviour::Stall).await;
    let mut configuration = remote(&server);
    configuration["limits"]["wait_ms"] = json!(50);
    configuration["pools"][0]["keys"]["timeout_ms"] = json!(60_000);
    let gate = builder(&configuration).build().await.expect("it builds");
    let token = Draft::access(&RSA_2048);
    assert_eq!(verdict(&gate.decide(&get("/any", &token)).await), "503 keys-unavailable");
    assert_eq!(verdict(&gate.decide(&get("/reported", &token)).await), "reported keys-unavailable");
}
