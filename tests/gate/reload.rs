//! A configuration that is replaced while requests are decided.

use super::{
    layer,
    requests::Request,
    scene::{builder, configuration, gate_now, get, verdict},
};
use poolgate_tests::{
    discovery_server::{KEYS, document_with, good_keys},
    edge_scene::access,
    faulty_server::{Behaviour, FaultyServer},
    keys::{RSA_2048, jwks},
    minting::{CLIENT_ID, Draft, KEY_ID, POOL_ID},
};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

fn remote(server: &FaultyServer) -> Value {
    let mut configuration = configuration();
    configuration["pools"] = json!([{
        "name": "main", "user_pool_id": POOL_ID, "client_ids": [CLIENT_ID], "token_use": "access",
        "keys": {"cluster": "keys", "url": server.url("/jwks.json"), "timeout_ms": 1_000},
    }]);
    configuration
}

#[tokio::test]
async fn all_clones_have_the_new_configuration_and_the_keys_of_the_old_one() {
    let server = FaultyServer::start(Behaviour::Serve(jwks(&[RSA_2048.jwk(KEY_ID)]))).await;
    let mut configuration = remote(&server);
    let gate = builder(&configuration).build().await.expect("it builds");
    let clone = gate.clone();
    let token = Draft::access(&RSA_2048);
    assert_eq!(verdict(&clone.decide(&get("/any", &token)).await), "verified");
    assert_eq!(verdict(&clone.decide(&get("/admin", &token)).await), "403 group-missing");
    // The key server is down when the configuration changes.
    server.stop_listening().await;
    configuration["routes"] = json!([{"prefix": "/admin", "authenticated": true}]);
    configuration["claims_to_headers"] = json!([{"claim": "sub", "header": "x-subject"}]);
    gate.replace(builder(&configuration).build().await.expect("it builds"));
    assert_eq!(verdict(&clone.decide(&get("/admin", &token)).await), "verified");
    assert_eq!(verdict(&clone.decide(&get("/any", &token)).await), "403 no-rule");
    assert_eq!(clone.claim_headers(), ["x-subject"]);
    assert_eq!(server.fetches(), 1);
}

#[tokio::test]
async fn keys_of_another_url_are_not_taken_over() {
    let server = FaultyServer::start(Behaviour::Serve(jwks(&[RSA_2048.jwk(KEY_ID)]))).await;
    let mut configuration = remote(&server);
    let gate = builder(&configuration).build().await.expect("it builds");
    let token = Draft::access(&RSA_2048);
    assert_eq!(verdict(&gate.decide(&get("/any", &token)).await), "verified");
    server.path_does("/other.json", Behaviour::Status(500, String::new()));
    configuration["pools"][0]["keys"]["url"] = json!(server.url("/other.json"));
    gate.replace(builder(&configuration).build().await.expect("it builds"));
    assert_eq!(verdict(&gate.decide(&get("/any", &token)).await), "503 keys-unavailable");
}

#[tokio::test]
async fn keys_on_a_host_that_is_not_named_any_more_are_not_taken_over() {
    let server = FaultyServer::start(Behaviour::Status(500, String::new())).await;
    let issuer = "https://issuer.example.com/";
    let document = document_with(&server, &[("issuer", issuer.into())]);
    server.path_does("/document", Behaviour::Serve(document));
    server.path_does(KEYS, Behaviour::Serve(good_keys()));
    let mut configuration = configuration();
    configuration["pools"] = json!([{
        "name": "main", "issuer": issuer, "any_client": true, "token_use": "unchecked",
        "keys": {"discovery_url": server.url("/document"), "discover": true, "key_hosts": ["localhost"], "timeout_ms": 1_000},
    }]);
    let gate = builder(&configuration).build().await.expect("it builds");
    let token = Draft::of_issuer(&RSA_2048, issuer);
    assert_eq!(verdict(&gate.decide(&get("/any", &token)).await), "verified");
    gate.replace(builder(&configuration).build().await.expect("it builds"));
    server.path_does("/document", Behaviour::Status(500, String::new()));
    gate.replace(builder(&configuration).build().await.expect("it builds"));
    assert_eq!(verdict(&gate.decide(&get("/any", &token)).await), "verified", "the rules are the same");
    configuration["pools"][0]["keys"]["key_hosts"] = json!(["other.example.com"]);
    gate.replace(builder(&configuration).build().await.expect("it builds"));
    assert_eq!(verdict(&gate.decide(&get("/any", &token)).await), "503 keys-unavailable");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_is_lost_and_each_is_decided_by_one_of_the_configurations() {
    let (old, mut new) = (configuration(), configuration());
    // A request to /admin is rejected by both, for different reasons; one to /any is accepted by both.
    new["policies"][0] = json!({"name": "admins", "scopes": {"any_of": ["administration"]}});
    let gate = gate_now(&old).await;
    let app = layer::serve(gate.clone()).await;
    let (stop, decided) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let bearer = format!("Bearer {}", access().compact());
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let (url, stop, decided, bearer) =
                (app.url.clone(), Arc::clone(&stop), Arc::clone(&decided), bearer.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    for (target, expected) in [("/any", [200, 200]), ("/admin", [403, 403]), ("/nothing", [403, 403])] {
                        let request = Request {
                            name: String::new(),
                            method: "GET",
                            target: target.to_owned(),
                            host: "app.example.com",
                            headers: vec![("authorization", bearer.clone())],
                        };
                        let response = super::exchange::send(&url, &request).await;
                        assert!(expected.contains(&response.status), "{target}: {response:?}");
                        decided.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();
    for number in 0..6 {
        let configuration = if number % 2 == 0 { &new } else { &old };
        gate.replace(gate_now(configuration).await);
        // Some requests are decided by each.
        let before = decided.load(Ordering::Relaxed);
        while decided.load(Ordering::Relaxed) < before + 8 {
            tokio::task::yield_now().await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.expect("no request failed");
    }
}
