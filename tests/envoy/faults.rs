//! Failures: a request that was not verified is never forwarded.

use crate::scene::{Scene, remote_pool};
use poolgate_tests::edge_scene::{access, guarded, pool, reason};
use poolgate_tests::exact_client::{get, send};
use poolgate_tests::{
    envoy::cluster,
    faulty_server::{Behaviour, FaultyServer},
    keys::{RSA_2048, jwks},
    minting::KEY_ID,
};
use std::time::{Duration, Instant};
use tokio::time::interval;

async fn recovers(scene: &Scene, token: &str) {
    let (deadline, mut polls) = (Instant::now() + Duration::from_secs(60), interval(Duration::from_millis(50)));
    loop {
        polls.tick().await;
        let response = get(&scene.url, "/x", Some(token)).await;
        if response.status == 200 {
            return;
        }
        assert_eq!(response.status, 503, "{response:?}");
        assert!(Instant::now() < deadline, "it does not recover: {}", scene.envoy.output());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_traps_forwards_nothing_and_recovers() {
    let scene = Scene::of(&[guarded(pool())], &[], 1, true).await;
    let token = access().compact();
    let bearer = format!("Bearer {token}");
    assert_eq!(get(&scene.url, "/x", Some(&token)).await.status, 200);
    for fault in ["trap", "memory"] {
        scene.upstream.seen();
        let failed =
            send(&scene.url, "GET", "/x", &[("authorization", &bearer), ("x-poolgate-test-fault", fault)]).await;
        assert!(failed.status >= 500, "{fault}: {failed:?}");
        let without_token = get(&scene.url, "/x", None).await;
        assert!(matches!(without_token.status, 401 | 503), "{fault}: {without_token:?}");
        assert!(scene.upstream.seen().is_empty(), "{fault}");
        recovers(&scene, &token).await;
        assert_eq!(get(&scene.url, "/x", None).await.status, 401, "{fault}");
    }
    assert!(!scene.envoy.output().contains(&token), "the log contains a token");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_keys_no_request_is_forwarded() {
    let keys = jwks(&[RSA_2048.jwk(KEY_ID)]);
    let cases = [
        ("500", Behaviour::Status(500, keys.clone())),
        ("404", Behaviour::Status(404, keys.clone())),
        ("redirect", Behaviour::Redirect("/elsewhere".into(), keys.clone())),
        ("reset", Behaviour::ResetMidway(keys.clone())),
        ("closed", Behaviour::CloseMidway(keys.clone())),
        ("stalled", Behaviour::Stall),
        ("stalled midway", Behaviour::StallMidway(keys.clone())),
        ("cut short", Behaviour::Serve(keys[..keys.len() / 2].into())),
        ("empty set", Behaviour::Serve("{\"keys\":[]}".into())),
        ("not JSON", Behaviour::Serve("<html>".into())),
        ("too large", Behaviour::Huge(8 << 20)),
    ];
    let server = FaultyServer::start(Behaviour::Stall).await;
    let configurations: Vec<_> = cases
        .iter()
        .enumerate()
        .map(|(number, (_, behaviour))| {
            let path = format!("/{number}");
            server.path_does(&path, behaviour.clone());
            let mut pool = remote_pool();
            pool["keys"] =
                serde_json::json!({"cluster": "keys", "url": format!("https://keys{path}"), "timeout_ms": 500});
            let mut configuration = guarded(pool);
            configuration["key_policy"] = serde_json::json!({"retry_min": 1, "retry_max": 1});
            configuration
        })
        .collect();
    let scene = Scene::of(&configurations, &[cluster("keys", server.port())], 1, false).await;
    let token = access().compact();
    for (number, (name, _)) in cases.iter().enumerate() {
        let url = scene.envoy.url(&number.to_string()).await;
        let response = get(&url, "/x", Some(&token)).await;
        assert_eq!((response.status, reason(&response.body).as_str()), (503, "keys-unavailable"), "{name}");
        assert_eq!(response.header("retry-after"), Some("1"), "{name}");
        assert!(scene.upstream.seen().is_empty(), "{name}");
        assert_eq!(server.fetches_of("/elsewhere"), 0);
        // When the server recovers, the filter recovers.
        server.path_does(&format!("/{number}"), Behaviour::Serve(keys.clone()));
        let (deadline, mut polls) = (Instant::now() + Duration::from_secs(30), interval(Duration::from_millis(50)));
        while get(&url, "/x", Some(&token)).await.status != 200 {
            assert!(Instant::now() < deadline, "{name}: it does not recover");
            polls.tick().await;
        }
        scene.upstream.seen();
    }
}
