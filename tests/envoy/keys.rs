//! Key fetches, sharing between workers, rotation, and floods of unknown key IDs.

use crate::{
    scene::{Files, Scene, remote_pool},
    upstream::Upstream,
};
use poolgate_tests::edge_scene::{access, access_of, guarded, now, reason};
use poolgate_tests::exact_client::{get, send};
use poolgate_tests::{
    envoy::{Envoy, Setup, cluster, wasm_filter},
    faulty_server::{Behaviour, FaultyServer},
    keys::{OTHER_RSA_2048, RSA_2048, jwks},
    minting::KEY_ID,
};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::{io::AsyncReadExt, time::interval};

const PATH: &str = "/jwks.json";

fn both() -> String {
    jwks(&[RSA_2048.jwk(KEY_ID), OTHER_RSA_2048.jwk("other")])
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_requests_wait_for_keys_and_one_fetch_serves_all_workers() {
    for workers in [1, 2] {
        let server = FaultyServer::start(Behaviour::Stall).await;
        server.path_does(PATH, Behaviour::Held(Box::new(Behaviour::Serve(both()))));
        let scene = Scene::of(&[guarded(remote_pool())], &[cluster("keys", server.port())], workers, false).await;
        server.wait_for_fetches(1).await;
        let (token, invalid) = (access().compact(), access().claim("exp", 1).compact());
        let requests: Vec<_> = (0..20)
            .map(|number| {
                let (url, token) = (scene.url.clone(), if number % 4 == 0 { invalid.clone() } else { token.clone() });
                tokio::spawn(async move { (number, get(&url, "/x", Some(&token)).await) })
            })
            .collect();
        // A client that disconnects while it waits does not affect the others.
        let gone = tokio::net::TcpStream::connect(scene.url.strip_prefix("http://").expect("plain")).await;
        let gone = gone.expect("it listens");
        gone.try_write(format!("GET /gone HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n").as_bytes())
            .expect("it reads");
        scene.envoy.waits_for("poolgate_requests_paused{} 16", "/stats/prometheus").await;
        drop(gone);
        server.release();
        for request in requests {
            let (number, response) = request.await.expect("no panic");
            let expected = if number % 4 == 0 { 401 } else { 200 };
            assert_eq!(response.status, expected, "{workers} workers, {number}: {response:?}");
        }
        for _ in 0..20 {
            assert_eq!(get(&scene.url, "/x", Some(&token)).await.status, 200);
        }
        assert_eq!(server.fetches(), 1, "{workers} workers");
        assert_eq!(scene.envoy.metric("poolgate_key_fetches_outcome_taken").await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_of_waiting_requests_is_limited_and_disconnected_clients_do_not_count() {
    let server = FaultyServer::start(Behaviour::Stall).await;
    server.path_does(PATH, Behaviour::Held(Box::new(Behaviour::Serve(both()))));
    let mut configuration = guarded(remote_pool());
    configuration["limits"] = json!({"waiting_requests": 2, "wait_ms": 30_000});
    let scene = Scene::of(&[configuration], &[cluster("keys", server.port())], 1, false).await;
    server.wait_for_fetches(1).await;
    let token = access().compact();
    let wait = async || {
        let connection = tokio::net::TcpStream::connect(scene.url.strip_prefix("http://").expect("plain")).await;
        let connection = connection.expect("it listens");
        let request = format!("GET /x HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n");
        connection.try_write(request.as_bytes()).expect("it reads");
        connection
    };
    let (mut stays, goes) = (wait().await, wait().await);
    scene.envoy.waits_for("poolgate_requests_paused{} 2", "/stats/prometheus").await;
    let response = get(&scene.url, "/x", Some(&token)).await;
    assert_eq!((response.status, reason(&response.body).as_str()), (503, "overloaded"));
    drop(goes);
    // Envoy notices the disconnect after a moment.
    let (mut rejected, mut connections) = (1, vec![]);
    let mut polls = interval(Duration::from_millis(20));
    connections.push(wait().await);
    while scene.envoy.metric("poolgate_requests_paused").await < 3 {
        polls.tick().await;
        let now_rejected = scene.envoy.metric("poolgate_requests_verdict_refused_reason_overloaded").await;
        if now_rejected > rejected {
            assert!(now_rejected < 1_000, "no waiting request was removed");
            rejected = now_rejected;
            connections.push(wait().await);
        }
    }
    server.release();
    // Another worker may have fetched. The limit applies until this worker has applied the result and resumed its requests.
    let mut answer = [0; 12];
    stays.read_exact(&mut answer).await.expect("a response");
    assert_eq!(&answer, b"HTTP/1.1 200");
    let response = get(&scene.url, "/x", Some(&token)).await;
    assert_eq!(response.status, 200, "{response:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_first_fetch_is_retried() {
    let server = FaultyServer::start(Behaviour::Serve(both())).await;
    server.stop_listening().await;
    let mut configuration = guarded(remote_pool());
    configuration["key_policy"] = json!({"retry_min": 1, "retry_max": 1});
    let scene = Scene::of(&[configuration], &[cluster("keys", server.port())], 1, false).await;
    let token = access().compact();
    let response = get(&scene.url, "/x", Some(&token)).await;
    assert_eq!((response.status, reason(&response.body).as_str()), (503, "keys-unavailable"));
    server.listen_again().await;
    // The retry needs no request.
    scene.envoy.waits_for("poolgate_keys_pool_main{} 2", "/stats/prometheus").await;
    assert_eq!(get(&scene.url, "/x", Some(&token)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_cluster_is_logged_and_requests_are_rejected() {
    let scene = Scene::of(&[guarded(remote_pool())], &[], 1, false).await;
    let response = get(&scene.url, "/x", Some(&access().compact())).await;
    assert_eq!((response.status, reason(&response.body).as_str()), (503, "keys-unavailable"));
    assert!(
        scene.envoy.output().contains("keys can't be fetched from the cluster \"keys\""),
        "{}",
        scene.envoy.output()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_valid_token_is_rejected_during_a_key_rotation_under_load() {
    let server = FaultyServer::start(Behaviour::Serve(jwks(&[RSA_2048.jwk(KEY_ID)]))).await;
    let scene = Scene::of(&[guarded(remote_pool())], &[cluster("keys", server.port())], 2, false).await;
    let (old, new) = (access().compact(), access_of(&OTHER_RSA_2048, "other").compact());
    assert_eq!(get(&scene.url, "/x", Some(&old)).await.status, 200);
    let load = |token: String, count: usize| {
        let url = scene.url.clone();
        tokio::spawn(async move {
            for _ in 0..count {
                assert_eq!(get(&url, "/x", Some(&token)).await.status, 200, "a valid token was rejected");
            }
        })
    };
    let steady = load(old.clone(), 200);
    server.now_does(Behaviour::Serve(both()));
    let rotated: Vec<_> = (0..4).map(|_| load(new.clone(), 50)).collect();
    for task in rotated.into_iter().chain([steady]) {
        task.await.expect("no token was rejected");
    }
    // Each worker may have fetched the new key, but not more than once.
    assert!((2..=3).contains(&server.fetches()), "{} fetches", server.fetches());
    // The next fetch removes the old key. An unknown kid causes that fetch.
    server.now_does(Behaviour::Serve(jwks(&[OTHER_RSA_2048.jwk("other")])));
    get(&scene.url, "/x", Some(&access_of(&RSA_2048, "unknown").compact())).await;
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut rejected_in_a_row = 0;
    while rejected_in_a_row < 20 {
        assert!(Instant::now() < deadline, "a worker still accepts a removed key");
        rejected_in_a_row =
            if get(&scene.url, "/x", Some(&old)).await.status == 401 { rejected_in_a_row + 1 } else { 0 };
    }
    assert_eq!(get(&scene.url, "/x", Some(&new)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_fetch_of_another_worker_does_not_make_a_key_unknown() {
    let server = FaultyServer::start(Behaviour::Serve(jwks(&[RSA_2048.jwk(KEY_ID)]))).await;
    let scene = Scene::of(&[guarded(remote_pool())], &[cluster("keys", server.port())], 4, false).await;
    let (old, new) = (access().compact(), access_of(&OTHER_RSA_2048, "other").compact());
    for _ in 0..40 {
        assert_eq!(get(&scene.url, "/x", Some(&old)).await.status, 200);
    }
    // One worker fetches. The others have not applied its result when the key is published.
    let unknown = get(&scene.url, "/x", Some(&access_of(&RSA_2048, "unknown").compact())).await;
    assert_eq!((unknown.status, reason(&unknown.body).as_str()), (401, "key-unknown"));
    server.now_does(Behaviour::Serve(both()));
    let requests: Vec<_> = (0..16)
        .map(|_| {
            let (url, token) = (scene.url.clone(), new.clone());
            tokio::spawn(async move { get(&url, "/x", Some(&token)).await })
        })
        .collect();
    for request in requests {
        let response = request.await.expect("no panic");
        assert_eq!(response.status, 200, "{response:?}");
    }
}

/// The fetch of a worker that no longer exists: the others cannot know what it would have returned.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_fetch_does_not_make_a_key_unknown() {
    let server = FaultyServer::start(Behaviour::Serve(jwks(&[RSA_2048.jwk(KEY_ID)]))).await;
    let mut pool = remote_pool();
    pool["keys"]["timeout_ms"] = json!(10_500);
    let mut configuration = guarded(pool);
    configuration["limits"] = json!({"wait_ms": 60_000});
    let scene = Scene::of(&[configuration], &[cluster("keys", server.port())], 1, true).await;
    let (old, new) = (access().compact(), access_of(&OTHER_RSA_2048, "other").compact());
    assert_eq!(get(&scene.url, "/x", Some(&old)).await.status, 200);
    server.now_does(Behaviour::Held(Box::new(Behaviour::Serve(both()))));
    let now = now();
    let get_at = |now: u64, token: &str| {
        let (url, bearer, now) = (scene.url.clone(), format!("Bearer {token}"), now.to_string());
        tokio::spawn(async move {
            let headers = [("authorization", bearer.as_str()), ("x-poolgate-test-now", now.as_str())];
            send(&url, "GET", "/x", &headers).await
        })
    };
    let waits = get_at(now, &new);
    server.wait_for_fetches(2).await;
    assert_eq!(get_at(now + 12, &old).await.expect("no panic").status, 200);
    let response = waits.await.expect("no panic");
    assert_eq!((response.status, reason(&response.body).as_str()), (503, "keys-unavailable"));
    // The result arrives late and is applied.
    server.release();
    scene.envoy.waits_for("poolgate_keys_pool_main{} 2", "/stats/prometheus").await;
    assert_eq!(get(&scene.url, "/x", Some(&new)).await.status, 200);
}

/// The clock is set forward before or after the tick that starts a fetch. The fetch is made in either case.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_forward_loses_no_requested_fetch() {
    let server = FaultyServer::start(Behaviour::Serve(jwks(&[RSA_2048.jwk(KEY_ID)]))).await;
    let mut configuration = guarded(remote_pool());
    configuration["limits"] = json!({"wait_ms": 60_000});
    let scene = Scene::of(&[configuration], &[cluster("keys", server.port())], 1, true).await;
    let (old, new) = (access().compact(), access_of(&OTHER_RSA_2048, "other").compact());
    assert_eq!(get(&scene.url, "/x", Some(&old)).await.status, 200);
    server.now_does(Behaviour::Serve(both()));
    let now = now();
    let get_at = async |now: u64, token: &str| {
        let (bearer, now) = (format!("Bearer {token}"), now.to_string());
        let headers = [("authorization", bearer.as_str()), ("x-poolgate-test-now", now.as_str())];
        send(&scene.url, "GET", "/x", &headers).await
    };
    let (waits, old) = tokio::join!(get_at(now, &new), get_at(now + 45, &old));
    assert_eq!(old.status, 200);
    // The keys have arrived, or the fetch counts as lost.
    assert!([200, 503].contains(&waits.status), "{waits:?}");
    scene.envoy.waits_for("poolgate_keys_pool_main{} 2", "/stats/prometheus").await;
    assert_eq!(get(&scene.url, "/x", Some(&new)).await.status, 200);
}

/// An issuer publishes a key while a slow fetch for an unknown kid is in progress.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_published_during_a_slow_fetch_is_found() {
    for workers in [1, 4] {
        let first = Behaviour::Serve(jwks(&[RSA_2048.jwk(KEY_ID)]));
        let server = FaultyServer::start(first.clone()).await;
        let mut pool = remote_pool();
        pool["keys"]["timeout_ms"] = json!(30_000);
        let mut configuration = guarded(pool);
        configuration["limits"] = json!({"wait_ms": 60_000});
        let scene = Scene::of(&[configuration], &[cluster("keys", server.port())], workers, false).await;
        assert_eq!(get(&scene.url, "/x", Some(&access().compact())).await.status, 200);
        server.now_does(Behaviour::Held(Box::new(first)));
        let ask = |token: String| {
            let url = scene.url.clone();
            tokio::spawn(async move { get(&url, "/x", Some(&token)).await })
        };
        let unknown = ask(access_of(&RSA_2048, "unknown").compact());
        server.wait_for_fetches(2).await;
        server.now_does(Behaviour::Serve(both()));
        let paused = scene.envoy.metric("poolgate_requests_paused").await;
        let requests: Vec<_> = (0..8).map(|_| ask(access_of(&OTHER_RSA_2048, "other").compact())).collect();
        scene.envoy.waits_for(&format!("poolgate_requests_paused{{}} {}", paused + 8), "/stats/prometheus").await;
        server.release();
        for request in requests {
            let response = request.await.expect("no panic");
            assert_eq!(response.status, 200, "{workers} workers: {response:?}");
        }
        let unknown = unknown.await.expect("no panic");
        assert_eq!((unknown.status, reason(&unknown.body).as_str()), (401, "key-unknown"), "{workers} workers");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_unknown_key_ids_causes_few_fetches_and_rejects_no_valid_token() {
    let server = FaultyServer::start(Behaviour::Serve(both())).await;
    let scene = Scene::of(&[guarded(remote_pool())], &[cluster("keys", server.port())], 1, false).await;
    let valid = access().compact();
    let template = access().compact();
    let (_, rest) = template.split_once('.').expect("three parts");
    let begun = Instant::now();
    for number in 0..500 {
        let header =
            poolgate_tests::minting::base64url(format!("{{\"alg\":\"RS256\",\"kid\":\"k{number}\"}}").as_bytes());
        let response = get(&scene.url, "/x", Some(&format!("{header}.{rest}"))).await;
        assert_eq!(response.status, 401, "{response:?}");
        assert!(reason(&response.body).starts_with("key-unknown"), "{response:?}");
        if number % 10 == 0 {
            assert_eq!(get(&scene.url, "/x", Some(&valid)).await.status, 200);
        }
    }
    let allowed = 1 + 5 + 1 + usize::try_from(begun.elapsed().as_secs() / 10).expect("few");
    assert!(server.fetches() <= allowed, "{} fetches, and {allowed} are allowed", server.fetches());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_configuration_keeps_the_keys_and_loses_no_request() {
    let server = FaultyServer::start(Behaviour::Serve(both())).await;
    let (upstream, files) = (Upstream::start().await, Files::new());
    let setup = |configuration: serde_json::Value| Setup {
        listeners: vec![("0".to_owned(), vec![wasm_filter(&files.filter, &configuration)])],
        clusters: vec![cluster("app", upstream.port), cluster("keys", server.port())],
        concurrency: 1,
        is_dynamic: true,
        answers_itself: false,
    };
    let envoy = Envoy::start(&setup(guarded(remote_pool()))).await;
    envoy.waits_for("127.0.0.1", "/listeners").await;
    envoy.waits_for("poolgate_keys_pool_main{} 2", "/stats/prometheus").await;
    let (url, token) = (envoy.url("0").await, access().compact());
    assert_eq!(get(&url, "/x", Some(&token)).await.status, 200);
    let mut stricter = guarded(remote_pool());
    stricter["policies"] = json!([{"name": "admins", "groups": {"any_of": ["admin"]}}]);
    stricter["routes"] = json!([{"prefix": "/", "any_of": ["admins"]}]);
    server.now_does(Behaviour::Status(500, String::new()));
    envoy.update(&setup(stricter));
    let (deadline, mut polls) = (Instant::now() + Duration::from_secs(60), interval(Duration::from_millis(20)));
    loop {
        polls.tick().await;
        // The new policy applies to cached tokens, too. The port may have changed.
        let url = envoy.url("0").await;
        let bearer = format!("Bearer {token}");
        let response = send(&url, "GET", "/x", &[("authorization", &bearer)]).await;
        match response.status {
            200 => assert!(Instant::now() < deadline, "the new configuration is not applied"),
            status => {
                assert_eq!((status, reason(&response.body).as_str()), (403, "group-missing"));
                break;
            }
        }
    }
    assert_eq!(server.fetches(), 1, "the keys must come from the previous configuration");
}
