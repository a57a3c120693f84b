//! Keys that are fetched: while requests wait, in good time, again after a failure; in one instance and in one a request.

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
async fn requests_at_the_same_time_wait_in_one_instance_for_the_same_fetch() {
    let server = FaultyServer::start(Behaviour::Held(Box::new(Behaviour::Serve(both())))).await;
    let serving = served(&guarded(remote_pool(&server.url(PATH)))).await;
    let (token, bad) = (access().compact(), access().claim("exp", 1).compact());
    let mut requests = Vec::new();
    for number in 0..20 {
        let (url, token) = (serving.url.clone(), if number % 4 == 0 { bad.clone() } else { token.clone() });
        requests.push(tokio::spawn(async move { (number, get(&url, "/x", Some(&token)).await) }));
        // One that needs no keys is answered meanwhile. (The server starts another instance where one is busy; so not all at once.)
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

/// An issuer publishes a key while its server is slow.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_published_during_a_slow_fetch_is_found() {
    let first = Behaviour::Serve(jwks(&[RSA_2048.jwk(KEY_ID)]));
    let server = FaultyServer::start(Behaviour::Held(Box::new(first))).await;
    let mut configuration = guarded(remote_pool(&server.url(PATH)));
    // Not the usual number, of which an instance has but a few at its start.
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
    // One that needs no keys is answered after those before it have begun to wait.
    assert_eq!(get(&serving.url, "/x", None).await.status, 401);
    server.release();
    for request in new.into_iter().chain([old]) {
        let response = request.await.expect("no panic");
        assert_eq!(response.status, 200, "{response:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_requests_wait_than_are_allowed_to() {
    let server = FaultyServer::start(Behaviour::Held(Box::new(Behaviour::Serve(both())))).await;
    let mut configuration = guarded(remote_pool(&server.url(PATH)));
    configuration["limits"] = json!({"waiting_requests": 0});
    let serving = served(&configuration).await;
    let response = get(&serving.url, "/x", Some(&access().compact())).await;
    assert_eq!((response.status, reason(&response.body).as_str()), (503, "overloaded"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_a_request_fetches_for_itself_and_judges_alike() {
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
async fn a_server_that_fails_is_a_503_and_is_asked_again() {
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
    let said = serving.said();
    let faults: Vec<_> = said.lines().filter_map(|line| line.rsplit_once(": ")).map(|(_, fault)| fault).collect();
    // A body that broke off has not been read, and so is not malformed.
    assert_eq!(faults, ["BadStatus", "BadStatus", "Unreachable", "TooLarge", "Malformed"], "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_taken_however_the_answer_is_cut_into_pieces() {
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
            assert_eq!(response.status, status, "{behaviour:?}: {response:?} {}", serving.said());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_answers_is_given_up() {
    let server = FaultyServer::start(Behaviour::Stall).await;
    let mut pool = remote_pool(&server.url(PATH));
    pool["keys"]["timeout_ms"] = json!(200);
    let response = get(&served(&guarded(pool)).await.url, "/x", Some(&access().compact())).await;
    assert_eq!((response.status, reason(&response.body).as_str()), (503, "keys-unavailable"));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_renewed_in_good_time_and_a_new_one_is_found() {
    let server = FaultyServer::start(Behaviour::Serve(jwks(&[RSA_2048.jwk(KEY_ID)]))).await;
    let mut configuration = guarded(remote_pool(&server.url(PATH)));
    configuration["key_policy"] = json!({"soft_ttl": 60, "soft_ttl_min": 60, "soft_ttl_max": 60});
    let serving = served(&configuration).await;
    let start = now();
    serving.set_now(start);
    let (old, new) = (access().compact(), access_of(&OTHER_RSA_2048, "other").compact());
    assert_eq!(get(&serving.url, "/x", Some(&old)).await.status, 200);
    // A key that it does not know is looked for.
    server.now_does(Behaviour::Serve(both()));
    assert_eq!(get(&serving.url, "/x", Some(&new)).await.status, 200);
    assert_eq!(server.fetches(), 2);
    // Keys that are growing old are fetched while a request goes on, and none waits.
    server.now_does(Behaviour::Held(Box::new(Behaviour::Serve(jwks(&[OTHER_RSA_2048.jwk("other")])))));
    serving.set_now(start + 100);
    assert_eq!(get(&serving.url, "/x", Some(&old)).await.status, 200);
    server.wait_for_fetches(3).await;
    server.release();
    // With the new set the old key is gone.
    let mut polls = tokio::time::interval(std::time::Duration::from_millis(10));
    let gone = async {
        while get(&serving.url, "/x", Some(&old)).await.status == 200 {
            polls.tick().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), gone).await.expect("the renewed set counts");
    assert_eq!(get(&serving.url, "/x", Some(&new)).await.status, 200);
    assert_eq!(serving.instances(), 1);
}
