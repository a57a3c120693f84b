//! Requests that wait for keys, or that are rejected, do not use the capacity of the service behind the layer.

use super::scene::{admin, builder, keys, token, verifier};
use axum::{body::Body, extract::Request, response::Response};
use poolgate::{
    Pool, Requirement, TokenUseRule,
    tower::{AuthLayer, RequireLayer, ResponseBody},
};
use poolgate_tests::{
    faulty_server::{Behaviour, FaultyServer},
    minting::{CLIENT_ID, POOL_ID},
};
use std::{convert::Infallible, future::poll_fn, sync::Arc, task::Poll, time::Duration};
use tokio::sync::{Semaphore, watch};
use tower::{ServiceBuilder, service_fn, util::BoxCloneSyncService};
use tower_service::Service;

/// Returns the HTTP status.
type App = BoxCloneSyncService<Request, u16, Infallible>;

fn request(token: Option<&str>) -> Request {
    let mut request = Request::get("/");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(Body::empty()).expect("a request")
}

/// Polls the service until it is ready and then calls it, as a server does.
async fn send(mut app: App, token: Option<&str>) -> u16 {
    let answered = async {
        poll_fn(|context| app.poll_ready(context)).await.expect("it is ready");
        app.call(request(token)).await.expect("an answer")
    };
    tokio::time::timeout(Duration::from_secs(30), answered)
        .await
        .expect("the request gets a response although others wait")
}

/// An application that serves one request at a time, behind layers. It adds a permit to `begun` for each request, and
/// completes it when `open` is true.
fn app(auth: AuthLayer, begun: Arc<Semaphore>, open: watch::Receiver<bool>) -> App {
    let application = service_fn(move |_: Request| {
        let (begun, mut open) = (Arc::clone(&begun), open.clone());
        async move {
            begun.add_permits(1);
            open.wait_for(|open| *open).await.expect("the sender exists");
            Ok::<_, Infallible>(Response::new(Body::empty()))
        }
    });
    let readers = RequireLayer::new(Requirement::new().any_of_groups(["readers"]));
    let guarded = ServiceBuilder::new().layer(auth).layer(readers).concurrency_limit(1).service(application);
    let status = |response: Response<ResponseBody<ResponseBody<Body>>>| response.status().as_u16();
    BoxCloneSyncService::new(ServiceBuilder::new().map_response(status).service(guarded))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_waits_for_keys_does_not_use_the_capacity_of_the_application() {
    let server = FaultyServer::start(Behaviour::Held(Box::new(Behaviour::Serve(keys())))).await;
    let remote = Pool::user_pool(POOL_ID).client_ids([CLIENT_ID]).token_use(TokenUseRule::Access);
    let builder = builder(remote.jwks_url(server.url("/jwks.json"))).allow_http_loopback(true);
    let verifier = builder.build().await.expect("it builds");
    let (_open, opened) = watch::channel(true);
    let app = app(AuthLayer::new(verifier.clone()).allow_anonymous(), Arc::new(Semaphore::new(0)), opened);
    let waiting: Vec<_> = (0..8)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move { send(app, Some(&token())).await })
        })
        .collect();
    while verifier.key_waits() < 8 {
        tokio::task::yield_now().await;
    }
    // This request gets a response although others wait, so they do not hold the application's only permit.
    assert_eq!(send(app.clone(), None).await, 401);
    assert_eq!(send(app, Some("a.b.c")).await, 401);
    server.release();
    for waiting in waiting {
        assert_eq!(waiting.await.expect("no panic"), 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_does_not_wait_for_a_busy_application() {
    let (open, opened) = watch::channel(false);
    let begun = Arc::new(Semaphore::new(0));
    let app = app(AuthLayer::new(verifier().await), Arc::clone(&begun), opened);
    let mut busy = tokio::spawn({
        let app = app.clone();
        async move { send(app, Some(&token())).await }
    });
    begun.acquire().await.expect("it is open").forget();
    let valid = token();
    let mut next = Box::pin(send(app.clone(), Some(&valid)));
    for (rejected, status) in [(None, 401), (Some("a.b.c".to_owned()), 401), (Some(admin()), 403)] {
        assert_eq!(send(app.clone(), rejected.as_deref()).await, status);
    }
    let is_pending = poll_fn(|context| Poll::Ready(next.as_mut().poll(context).is_pending())).await;
    assert_eq!(begun.available_permits(), 0, "one request at a time");
    assert!(is_pending && !busy.is_finished(), "the application serves one request at a time");
    open.send_replace(true);
    assert_eq!((&mut busy).await.expect("no panic"), 200);
    assert_eq!(next.await, 200);
}
