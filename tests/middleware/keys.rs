//! Key fetches: while requests wait, in the background, and after a failure; in one instance for all requests and in one per request.

use crate::{
    scene::{protected_echo, remote_pool, served},
    serving::{Instances, Serving},
};
use poolgate_tests::{
    edge_scene::{access, access_of, guarded, now, reason},
    exact_client::get,
    faulty_server::{Behaviour, FaultyServer},
    keys::{OTHER_RSA_2048, RSA_2048, jwks},
    minting::KEY_ID,
};
use serde_json::json;

const PATH: &str = "/jwks.json";

fn both() -> String {
    jwks(&[RSA_2048.jwk(KEY_ID), OTHER_RSA_2048.jwk("other")])
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_requests_in_one_instance_wait_for_the_same_fetch() {
    let server = FaultyServer::start(Behaviour::Held(Box::new(Behaviour::Serve(both())))).await;
    let serving = served(&guarded(remote_pool(&server.url(PATH)))).await;
    let (token, invalid) = (access().compact(), access().claim("exp", 1).compact());
    let mut requests = Vec::new();
    for number in 0..20 {
        let (url, token) = (serving.url.clone(), if number % 4 == 0 { invalid.clone() } else { token.clone() });
        requests.push(tokio::spawn(async move { (number, get(&url, "/x", Some(&token)).await) }));
        // A request that needs no keys gets its response meanwhile. Not all requests are sent at once, because the server would start another
        // instance.
        assert_eq!(get(&serving.url, "/x", None).await.status, 401);
    }
    server.wait_for_fetches(1).await;
    server.release();
    for request in requests {
        let (number, response) = request.await.expect("no panic");
        assert_eq!(response.status, if number % 4 == 0 { 401 } else { 200 }, "{number}: {response:?}");
    }
    let (fetches, instances) = (server.fetches(), serving.instances());
    assert!(
        fetches <= instances && instances <= 5,
        "{fetches} fetches of {instances} instances for 15 requests that wait"
    );
}

/// An issuer publishes a key while a slow fetch is in progress.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_published_during_a_slow_fetch_is_found() {
    let first = Behaviour::Serve(jwks(&[RSA_2048.jwk(KEY_ID)]));
    let server = FaultyServer::start(Behaviour::Held(Box::new(first))).await;
    let mut configuration = guarded(remote_pool(&server.url(PATH)));
    // Not the default, with which a new instance may make only a few fetches.
    configuration["key_policy"] = json!({"unknown_key_fetches": 6});
    let serving = served(&configuration).await;
    let ask = |token: String| {
        let url = serving.url.clone();
        tokio::spawn(async move { get(&url, "/x", Some(&token)).await })
    };
    let old = ask(access().compact());
    server.wait_for_fetches(1).await;
    server.now_does(Behaviour::Serve(both()));
    let new: Vec<_> = (0..4).map(|_| ask(access_of(&OTHER_RSA_2048, "other").compact())).collect();
    // A request that needs no keys gets its response after the earlier ones have started to wait.
    assert_eq!(get(&serving.url, "/x", None).await.status, 401);
    server.release();
    for request in new.into_iter().chain([old]) {
        let response = request.await.expect("no panic");
        assert_eq!(response.status, 200, "{response:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_of_waiting_requests_is_limited() {
    let server = FaultyServer::start(Behaviour::Held(Box::new(Behaviour::Serve(both())))).await;
    let mut configuration = guarded(remote_pool(&server.url(PATH)));
    configuration["limits"] = json!({"waiting_requests": 0});
    let serving = served(&configuration).await;
    let response = get(&serving.url, "/x", Some(&access().compact())).await;
    assert_eq!((response.status, reason(&response.body).as_str()), (503, "overloaded"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_per_request_fetches_its_own_keys_and_returns_the_same_verdicts() {
    let server = FaultyServer::start(Behaviour::Serve(both())).await;
    let configuration = guarded(remote_pool(&server.url(PATH))).to_string();
    let serving = Serving::start(protected_echo(), &configuration, Instances::OneARequest).await;
    for _ in 0..3 {
        assert_eq!(get(&serving.url, "/x", Some(&access().compact())).await.status, 200);
        assert_eq!(get(&serving.url, "/x", Some(&access().claim("exp", 1).compact())).await.status, 401);
    }
    assert_eq!(serving.instances(), 6);
    assert!(server.fetches() >= 3, "{} fetches", server.fetches());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_fetch_causes_503_and_is_retried() {
    let server = FaultyServer::start(Behaviour::Status(500, String::new())).await;
    let mut configuration = guarded(remote_pool(&server.url(PATH)));
    configuration["key_policy"] = json!({"retry_min": 1, "retry_max": 1});
    let start = now();
    let serving = served(&configuration).await;
    serving.set_now(start);
    let token = access().compact();
    for (number, behaviour) in [
        Behaviour::Status(500, String::new()),
        Behaviour::Redirect(server.url("/elsewhere"), String::new()),
        Behaviour::CloseMidway(both()),
        Behaviour::Huge(1 << 30),
        Behaviour::Serve("{}".to_owned()),
    ]
    .into_iter()
    .enumerate()
    {
        server.now_does(behaviour);
        serving.set_now(start + 10 * number as u64);
        let response = get(&serving.url, "/x", Some(&token)).await;
        assert_eq!((response.status, reason(&response.body).as_str()), (503, "keys-unavailable"), "{number}");
        assert_eq!(response.header("retry-after"), Some("1"));
    }
    server.now_does(Behaviour::Serve(both()));
    serving.set_now(start + 100);
    assert_eq!(get(&serving.url, "/x", Some(&token)).await.status, 200);
    let said = serving.output();
    let errors: Vec<_> = said.lines().filter_map(|line| line.rsplit_once(": ")).map(|(_, error)| error).collect();
    // A truncated body was not read completely, so it is not reported as malformed.
    assert_eq!(errors, ["BadStatus", "BadStatus", "Unreachable", "TooLarge", "Malformed"], "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_accepted_for_any_split_of_the_response() {
    let pause = std::time::Duration::from_millis(20);
    for behaviour in [
        Behaviour::Pausing(both(), pause),
        Behaviour::Chunked(both()),
        Behaviour::Drip(both(), std::time::Duration::from_micros(10)),
    ] {
        let server = FaultyServer::start(behaviour.clone()).await;
        let configuration = guarded(remote_pool(&server.url(PATH))).to_string();
        let serving = Serving::start(protected_echo(), &configuration, Instances::OneARequest).await;
        for (token, status) in [(access(), 200), (access().claim("exp", 1), 401)] {
            let response = get(&serving.url, "/x", Some(&token.compact())).await;
            assert_eq!(response.status, status, "{behaviour:?}: {response:?} {}", serving.output());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_without_a_response_times_out() {
    let server = FaultyServer::start(Behaviour::Stall).await;
    let mut pool = remote_pool(&server.url(PATH));
    pool["keys"]["timeout_ms"] = json!(200);
    let response = get(&served(&guarded(pool)).await.url, "/x", Some(&access().compact())).await;
    assert_eq!((response.status, reason(&response.body).as_str()), (503, "keys-unavailable"));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_refreshed_in_the_background_and_a_new_key_is_found() {
    let server = FaultyServer::start(Behaviour::Serve(jwks(&[RSA_2048.jwk(KEY_ID)]))).await;
    let mut configuration = guarded(remote_pool(&server.url(PATH)));
    configuration["key_policy"] = json!({"soft_ttl": 60, "soft_ttl_min": 60, "soft_ttl_max": 60});
    let serving = served(&configuration).await;
    let start = now();
    serving.set_now(start);
    let (old, new) = (access().compact(), access_of(&OTHER_RSA_2048, "other").compact());
    assert_eq!(get(&serving.url, "/x", Some(&old)).await.status, 200);
    // An unknown kid causes a fetch.
    server.now_does(Behaviour::Serve(both()));
    assert_eq!(get(&serving.url, "/x", Some(&new)).await.status, 200);
    assert_eq!(server.fetches(), 2);
    // A key set that is about to become stale is fetched in the background. No request waits.
    server.now_does(Behaviour::Held(Box::new(Behaviour::Serve(jwks(&[OTHER_RSA_2048.jwk("other")])))));
    serving.set_now(start + 100);
    assert_eq!(get(&serving.url, "/x", Some(&old)).await.status, 200);
    server.wait_for_fetches(3).await;
    server.release();
    // The new set does not contain the old key.
    let mut polls = tokio::time::interval(std::time::Duration::from_millis(10));
    let gone = async {
        while get(&serving.url, "/x", Some(&old)).await.status == 200 {
            polls.tick().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), gone).await.expect("the new set is applied");
    assert_eq!(get(&serving.url, "/x", Some(&new)).await.status, 200);
    assert_eq!(serving.instances(), 1);
}
