//! A body or trailers never release the head of a paused or rejected request, even if Envoy passes them to the filters meanwhile
//! (`allow_on_headers_stop_iteration`, <https://github.com/proxy-wasm/proxy-wasm-cpp-host/issues/143>).

use crate::{
    scene::{Files, Scene, remote_pool},
    upstream::Upstream,
};
use hyper::{
    Request,
    body::{Body, Bytes, Frame},
    client::conn::http2,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use poolgate_tests::{
    edge_scene::{access, access_of, guarded, pool},
    envoy::{Envoy, Setup, cluster, wasm_filter},
    exact_client::{Exchange, Response, get, send},
    faulty_server::{Behaviour, FaultyServer},
    keys::{OTHER_RSA_2048, RSA_2048, jwks},
    minting::{KEY_ID, SUBJECT},
};
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::net::TcpStream;

const LARGE: usize = 3 << 20;

fn keys() -> String {
    jwks(&[RSA_2048.jwk(KEY_ID)])
}

fn on_hold() -> Behaviour {
    Behaviour::Held(Box::new(Behaviour::Serve(keys())))
}

/// Claims are forwarded as headers. Requests wait longer than a test takes.
fn configuration(pool: Value) -> Value {
    let mut configuration = guarded(pool);
    configuration["claims_to_headers"] = json!([{"claim": "sub", "header": "x-user"}]);
    configuration["limits"] = json!({"wait_ms": 60_000});
    configuration
}

fn remote() -> Value {
    let mut pool = remote_pool();
    pool["keys"]["timeout_ms"] = json!(60_000);
    configuration(pool)
}

/// The filter with `allow_on_headers_stop_iteration` set to `flag`.
fn filter(module: &std::path::Path, configuration: &Value, flag: bool) -> Value {
    let mut filter = wasm_filter(module, configuration);
    filter["typed_config"]["config"]["allow_on_headers_stop_iteration"] = json!(flag);
    filter
}

/// Starts one listener without the flag and one with it.
async fn scene(configuration: &Value, server: &FaultyServer) -> Scene {
    let chains = |files: &Files| [false, true].map(|flag| vec![filter(&files.filter, configuration, flag)]).into();
    Scene::of_chains(chains, &[cluster("keys", server.port())], 1).await
}

/// A token with a known key ID, signed by another key.
fn forged() -> String {
    access_of(&OTHER_RSA_2048, KEY_ID).compact()
}

/// A token with a key ID that does not exist.
fn made_up() -> String {
    access_of(&OTHER_RSA_2048, "made-up").compact()
}

struct Sent {
    what: String,
    answer: tokio::task::JoinHandle<Response>,
    statuses: &'static [u16],
}

/// How a body is sent.
#[derive(Clone, Copy, Debug)]
enum Sends {
    None,
    Small,
    Large,
    /// The head first, and the body once the request is paused.
    Later,
    LaterWithTrailers,
}

async fn waits_for_paused(scene: &Scene, count: u64) {
    scene.envoy.waits_for(&format!("poolgate_requests_paused{{}} {count}\n"), "/stats/prometheus").await;
}

/// Sends a request that must wait for keys, and its body: completely, if Envoy reads it while the head is paused.
async fn sent(scene: &Scene, flag: bool, token: &str, body: Sends, statuses: &'static [u16], before: u64) -> Sent {
    let url = scene.envoy.url(if flag { "1" } else { "0" }).await;
    let bearer = format!("Bearer {token}");
    let (method, length) = match body {
        Sends::None => ("GET", None),
        Sends::Small => ("POST", Some(("content-length", "4"))),
        Sends::Large => ("POST", Some(("content-length", "3145728"))),
        Sends::Later | Sends::LaterWithTrailers => ("POST", Some(("transfer-encoding", "chunked"))),
    };
    let mut headers = vec![("authorization", bearer.as_str()), ("x-user", "root"), ("X-User", "admin")];
    headers.extend(length);
    let exchange = Exchange::begin(&url, method, "/length", &headers).await;
    if let Sends::Later | Sends::LaterWithTrailers = body {
        waits_for_paused(scene, before + 1).await;
    }
    let rest = match body {
        Sends::None => Vec::new(),
        Sends::Small => b"body".to_vec(),
        Sends::Large => vec![b'x'; LARGE],
        Sends::Later => b"4\r\nbody\r\n0\r\n\r\n".to_vec(),
        Sends::LaterWithTrailers => b"4\r\nbody\r\n0\r\nx-trailer: 1\r\n\r\n".to_vec(),
    };
    let answer = tokio::spawn(async move { exchange.finish(&rest).await });
    waits_for_paused(scene, before + 1).await;
    Sent { what: format!("flag {flag}, {body:?}"), answer, statuses }
}

/// Checks that no request was forwarded. Everything that Envoy has read so far has passed its filters, because a later request has got its
/// response.
async fn nothing_is_forwarded(scene: &Scene) {
    for name in ["0", "1"] {
        assert_eq!(get(&scene.envoy.url(name).await, "/x", None).await.status, 401);
    }
    let seen = scene.upstream.seen();
    assert!(seen.is_empty(), "requests were forwarded without verification: {seen:?}");
}

/// None of these requests is forwarded, with or without the flag.
#[tokio::test(flavor = "multi_thread")]
async fn no_body_releases_a_request_that_waits_for_keys() {
    let server = FaultyServer::start(on_hold()).await;
    let scene = scene(&remote(), &server).await;
    server.wait_for_fetches(1).await;
    let (invalid, valid) = (forged(), access().compact());
    let mut all = Vec::new();
    for flag in [false, true] {
        // With the flag, Envoy buffers the body and responds with 413 if it is longer than its buffer (1 MiB).
        let large: &[u16] = if flag { &[413] } else { &[200] };
        let large_bad: &[u16] = if flag { &[413] } else { &[401] };
        for (token, body, statuses) in [
            (&invalid, Sends::None, &[401][..]),
            (&invalid, Sends::Small, &[401]),
            (&invalid, Sends::Large, large_bad),
            (&invalid, Sends::Later, &[401]),
            (&invalid, Sends::LaterWithTrailers, &[401]),
            (&valid, Sends::None, &[200]),
            (&valid, Sends::Small, &[200]),
            (&valid, Sends::Large, large),
            (&valid, Sends::Later, &[200]),
            (&valid, Sends::LaterWithTrailers, &[200]),
        ] {
            let before = all.len() as u64;
            all.push(sent(&scene, flag, token, body, statuses, before).await);
            nothing_is_forwarded(&scene).await;
        }
    }
    server.release();
    let mut passed = 0;
    for Sent { what, answer, statuses } in all {
        let response = answer.await.expect("no panic");
        assert!(statuses.contains(&response.status), "{what}: {response:?}");
        passed += usize::from(response.status == 200);
        if response.status == 200 {
            assert!(["0", "4", "3145728"].contains(&response.body.as_str()), "{what}: {response:?}");
        }
    }
    let seen = scene.upstream.seen();
    assert_eq!((passed, seen.len()), (9, 9));
    assert!(seen.iter().all(|one| one.header("x-user") == [SUBJECT]), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_body_releases_a_request_whose_unknown_key_is_being_fetched() {
    let server = FaultyServer::start(Behaviour::Serve(keys())).await;
    let scene = scene(&remote(), &server).await;
    for name in ["0", "1"] {
        let url = scene.envoy.url(name).await;
        assert_eq!(get(&url, "/x", Some(&access().compact())).await.status, 200, "the keys are loaded");
    }
    let before = scene.envoy.metric("poolgate_requests_paused").await;
    scene.upstream.seen();
    server.now_does(on_hold());
    let mut all = Vec::new();
    for (number, flag) in [false, true, false, true].into_iter().enumerate() {
        let body = if number < 2 { Sends::Small } else { Sends::Later };
        let forged_with_known_key = send_body(&scene, flag, &forged()).await;
        assert_eq!(forged_with_known_key.status, 401, "{forged_with_known_key:?}");
        all.push(sent(&scene, flag, &made_up(), body, &[401], before + number as u64).await);
        nothing_is_forwarded(&scene).await;
    }
    server.release();
    for Sent { what, answer, statuses } in all {
        let response = answer.await.expect("no panic");
        assert!(statuses.contains(&response.status), "{what}: {response:?}");
    }
    nothing_is_forwarded(&scene).await;
}

async fn send_body(scene: &Scene, flag: bool, token: &str) -> Response {
    let url = scene.envoy.url(if flag { "1" } else { "0" }).await;
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-length", "4")];
    Exchange::begin(&url, "POST", "/length", &headers).await.finish(b"body").await
}

/// The frames of an HTTP/2 body, all at once.
struct Frames(VecDeque<Frame<Bytes>>);

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(Ok))
    }
}

/// HTTP/2: trailers with and without a body, and a stream that is reset while it waits.
#[tokio::test(flavor = "multi_thread")]
async fn no_trailers_release_a_request_that_waits_for_keys() {
    let server = FaultyServer::start(on_hold()).await;
    let scene = scene(&remote(), &server).await;
    server.wait_for_fetches(1).await;
    let data = || Frame::data(Bytes::from_static(b"body"));
    let trailers = || {
        Frame::trailers(
            [("x-trailer", "1")]
                .map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")))
                .into_iter()
                .collect(),
        )
    };
    let mut all = Vec::new();
    for name in ["0", "1"] {
        let url = scene.envoy.url(name).await;
        let address = url.strip_prefix("http://").expect("plain").to_owned();
        let stream = TokioIo::new(TcpStream::connect(&address).await.expect("it listens"));
        let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.expect("HTTP/2");
        tokio::spawn(connection);
        for (token, frames, status) in [
            (forged(), vec![data(), trailers()], Some(401)),
            (forged(), vec![trailers()], Some(401)),
            (access().compact(), vec![data(), trailers()], Some(200)),
            (access().compact(), vec![trailers()], Some(200)),
            (access().compact(), vec![data(), trailers()], None),
        ] {
            let request = Request::post(format!("{url}/length")).header("authorization", format!("Bearer {token}"));
            let request = request.header("x-user", "root").body(Frames(frames.into())).expect("a request");
            let mut sender = sender.clone();
            let answer = tokio::spawn(async move { sender.send_request(request).await.expect("an answer").status() });
            waits_for_paused(&scene, all.len() as u64 + 1).await;
            if status.is_none() {
                answer.abort();
            }
            all.push((name, status, answer));
        }
    }
    nothing_is_forwarded(&scene).await;
    server.release();
    for (name, status, answer) in all {
        match (status, answer.await) {
            (Some(status), answer) => assert_eq!(answer.expect("no panic").as_u16(), status, "{name}"),
            (None, answer) => assert!(answer.is_err_and(|error| error.is_cancelled())),
        }
    }
    // A request that was reset may or may not be forwarded: its token was valid.
    let seen = scene.upstream.seen();
    assert!((4..=6).contains(&seen.len()) && seen.iter().all(|one| one.header("x-user") == [SUBJECT]), "{seen:?}");
}

/// A rejection is final, whether the body arrives with the head or after the response.
#[tokio::test(flavor = "multi_thread")]
async fn no_body_is_forwarded_after_a_rejection() {
    let server = FaultyServer::start(Behaviour::Stall).await;
    let scene = scene(&configuration(pool()), &server).await;
    for flag in [false, true] {
        let url = scene.envoy.url(if flag { "1" } else { "0" }).await;
        assert_eq!(send_body(&scene, flag, &forged()).await.status, 401);
        assert_eq!(send_body(&scene, flag, &made_up()).await.status, 401);
        let rejected = Exchange::begin(&url, "POST", "/length", &[("transfer-encoding", "chunked")]).await;
        // The response arrives before the body has ended. Then the rest of the body is sent, or as much as Envoy still reads.
        scene.envoy.waits_for(&format!("http.{}.downstream_rq_4xx: {}\n", usize::from(flag), 3), "/stats").await;
        assert_eq!(rejected.finish(b"4\r\nbody\r\n0\r\n\r\n").await.status, 401);
        let expecting = [("expect", "100-continue"), ("content-length", "4")];
        let answer = Exchange::begin(&url, "POST", "/length", &expecting).await.finish(b"body").await;
        assert!(answer.status == 401 || answer.status == 100 && answer.body.starts_with("HTTP/1.1 401"), "{answer:?}");
        assert_eq!(send(&url, "HEAD", "/length", &[("content-length", "0")]).await.status, 401);
        let passes = send_body(&scene, flag, &access().compact()).await;
        assert_eq!((passes.status, passes.body.as_str()), (200, "4"));
        assert_eq!(scene.upstream.seen().len(), 1);
    }
}

/// The table of streams has a fixed size. A paused stream must stay in it while many other streams start and end.
#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_request_is_not_lost_among_many_others() {
    let server = FaultyServer::start(on_hold()).await;
    let scene = scene(&remote(), &server).await;
    server.wait_for_fetches(1).await;
    let url = scene.envoy.url("1").await;
    let begin = async |token: String| {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("transfer-encoding", "chunked"), ("x-user", "root")];
        Exchange::begin(&url, "POST", "/length", &headers).await
    };
    let invalid = begin(forged()).await;
    waits_for_paused(&scene, 1).await;
    let valid = begin(access().compact()).await;
    waits_for_paused(&scene, 2).await;
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    for _ in 0..2_100 {
        assert_eq!(client.get(format!("{url}/x")).send().await.expect("an answer").status(), 401);
    }
    let (invalid, valid) = tokio::join!(
        tokio::spawn(invalid.finish(b"4\r\nbody\r\n0\r\n\r\n")),
        tokio::spawn(async move {
            let mut valid = valid;
            valid.write(b"4\r\nbody\r\n").await;
            nothing_is_forwarded(&scene).await;
            server.release();
            (valid.finish(b"0\r\n\r\n").await, scene.upstream.seen())
        })
    );
    assert_eq!(invalid.expect("no panic").status, 401);
    let (valid, seen) = valid.expect("no panic");
    assert_eq!((valid.status, valid.body.as_str()), (200, "4"), "{valid:?}");
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!(seen[0].header("x-user"), [SUBJECT]);
}

/// After a trap, the filter no longer knows the waiting requests. They must not be forwarded.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_arrives_after_a_trap_releases_nothing() {
    let server = FaultyServer::start(on_hold()).await;
    let chains = |files: &Files| vec![vec![filter(&files.test_filter, &remote(), true)]];
    let scene = Scene::of_chains(chains, &[cluster("keys", server.port())], 1).await;
    server.wait_for_fetches(1).await;
    let bearer = format!("Bearer {}", access().compact());
    let headers = [("authorization", bearer.as_str()), ("transfer-encoding", "chunked")];
    let waits = Exchange::begin(&scene.url, "POST", "/length", &headers).await;
    waits_for_paused(&scene, 1).await;
    let failed = send(&scene.url, "GET", "/x", &[("x-poolgate-test-fault", "trap")]).await;
    assert!(failed.status >= 500, "{failed:?}");
    let answer = waits.finish(b"4\r\nbody\r\n0\r\n\r\n").await;
    assert_eq!(answer.status, 503, "{answer:?}");
    let seen = scene.upstream.seen();
    assert!(seen.is_empty(), "{seen:?}");
}

/// The filter in one chain with filters that read bodies, and the filter twice in one chain.
#[tokio::test(flavor = "multi_thread")]
async fn other_filters_in_the_chain_release_nothing() {
    let server = FaultyServer::start(on_hold()).await;
    let buffer = json!({
        "name": "envoy.filters.http.buffer",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer", "max_request_bytes": 65_536,
        },
    });
    let chains = |files: &Files| {
        let ours = filter(&files.filter, &remote(), true);
        vec![
            vec![buffer.clone(), ours.clone()],
            vec![ours.clone(), buffer.clone()],
            vec![ours.clone(), ours.clone()],
            vec![buffer.clone(), ours.clone(), buffer.clone(), ours],
        ]
    };
    let scene = Scene::of_chains(chains, &[cluster("keys", server.port())], 1).await;
    server.wait_for_fetches(1).await;
    let mut all = Vec::new();
    for chain in 0..4 {
        let url = scene.envoy.url(&chain.to_string()).await;
        for (token, status) in [(forged(), 401), (access().compact(), 200)] {
            let bearer = format!("Bearer {token}");
            let headers = [("authorization", bearer.as_str()), ("content-length", "4"), ("x-user", "root")];
            let exchange = Exchange::begin(&url, "POST", "/length", &headers).await;
            all.push((chain, status, tokio::spawn(exchange.finish(b"body"))));
            waits_for_paused(&scene, all.len() as u64).await;
        }
    }
    nothing_is_forwarded(&scene).await;
    server.release();
    for (chain, status, answer) in all {
        let response = answer.await.expect("no panic");
        assert_eq!(response.status, status, "{chain}: {response:?}");
    }
    let seen = scene.upstream.seen();
    assert!(seen.len() == 4 && seen.iter().all(|one| one.header("x-user") == [SUBJECT]), "{seen:?}");
}

/// A waiting request is checked by the configuration under which it arrived, even if a new one is applied meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_configuration_releases_no_waiting_request() {
    let server = FaultyServer::start(on_hold()).await;
    let (upstream, files) = (Upstream::start().await, Files::new());
    let setup = |configuration: &Value| Setup {
        listeners: vec![("0".to_owned(), vec![filter(&files.filter, configuration, true)])],
        clusters: vec![cluster("app", upstream.port), cluster("keys", server.port())],
        concurrency: 1,
        is_dynamic: true,
        answers_itself: false,
    };
    let envoy = Envoy::start(&setup(&remote())).await;
    envoy.waits_for("127.0.0.1", "/listeners").await;
    let url = envoy.url("0").await;
    server.wait_for_fetches(1).await;
    let mut waiting = Vec::new();
    for (token, status) in [(forged(), 401), (access().compact(), 200)] {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("transfer-encoding", "chunked")];
        waiting.push((Exchange::begin(&url, "POST", "/length", &headers).await, status));
        envoy.waits_for(&format!("poolgate_requests_paused{{}} {}\n", waiting.len()), "/stats/prometheus").await;
    }
    let mut open = remote();
    open["routes"] = json!([{"prefix": "/", "public": true}]);
    envoy.update(&setup(&open));
    let mut polls = tokio::time::interval(Duration::from_millis(20));
    let changed = async {
        // The port may have changed.
        while get(&envoy.url("0").await, "/x", None).await.status != 200 {
            polls.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), changed).await.expect("the new configuration is applied");
    upstream.seen();
    for (exchange, _) in &mut waiting {
        exchange.write(b"4\r\nbody\r\n").await;
    }
    assert_eq!(get(&envoy.url("0").await, "/x", None).await.status, 200);
    assert!(
        upstream.seen().iter().all(|one| one.target == "/x"),
        "a waiting request was forwarded without verification"
    );
    server.release();
    for (exchange, status) in waiting {
        let response = exchange.finish(b"0\r\n\r\n").await;
        assert_eq!(response.status, status, "{response:?}");
    }
}
