//! The middleware in `wasmtime serve`, with tokens and keys of oidc-provider: from a sign-in to a verdict, and through a rotation.

use crate::{
    composing::plugged,
    oidc_provider::{API, MACHINE, OidcProvider},
};
use poolgate_artifacts::{ECHO, MIDDLEWARE};
use poolgate_tests::{
    edge_scene::{guarded, reason},
    exact_client::get,
    wasmtime_serve::{WASMTIME_VERSIONS, WasmtimeServe},
};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_of_oidc_provider_are_discovered_and_a_rotation_is_followed() {
    let provider = OidcProvider::start().await;
    // Access tokens of machines for the API, as RFC 9068 has them.
    let mut configuration = guarded(json!({
        "name": "machines", "issuer": provider.issuer, "resources": [API], "client_ids": [MACHINE],
        "client_claim": "client_id", "types": ["at+jwt"], "token_use": "unchecked", "keys": {"discover": true},
    }));
    // A new instance otherwise has one fetch for unknown key IDs, and this test needs two.
    configuration["key_policy"] = json!({"unknown_key_fetches": 20});
    let configuration = poolgate_edge::component::of(&configuration.to_string()).expect("a component");
    let component = plugged(MIDDLEWARE, &[&configuration, ECHO]);
    for version in WASMTIME_VERSIONS {
        let options = ["--max-instance-reuse-count", "1000000", "--idle-instance-timeout", "3600s"];
        let serving = WasmtimeServe::start(version, &component, &options).await;
        let ask = async |token: &str| {
            let response = get(&serving.url, "/x", Some(token)).await;
            (response.status, reason(&response.body))
        };
        let (first, (id_token, _)) = (provider.machine_token().await, provider.user_tokens("anna").await);
        assert_eq!(ask(&first).await.0, 200, "{version}: {}", serving.output());
        assert_eq!(ask(&id_token).await, (401, "type-not-allowed".to_owned()), "{version}");
        // The new key is at the same URL: an unknown key ID fetches it.
        provider.replaces_keys("/jwks").await;
        assert_eq!(ask(&provider.machine_token().await).await.0, 200, "{version}: {}", serving.output());
        assert_eq!(ask(&first).await, (401, "key-unknown".to_owned()), "{version}: a token of the old key");
    }
}
