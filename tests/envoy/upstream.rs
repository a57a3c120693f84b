//! The application behind Envoy. It records the requests that reach it, over HTTP/1.1, HTTP/2 and gRPC on one port.

use axum::{extract::Request, response::IntoResponse};
use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::net::TcpListener;
use tonic_health::ServingStatus;

pub struct Upstream {
    pub port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// A request as it was received.
#[derive(Clone, Debug)]
pub struct Seen {
    pub target: String,
    pub version: String,
    pub headers: Vec<(String, String)>,
}

impl Seen {
    /// The values of a header.
    pub fn header(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect()
    }
}

impl Upstream {
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let noted = Arc::clone(&seen);
        let note = move |request: &Request| {
            let headers = request.headers().iter();
            let text = |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
            noted.lock().unwrap_or_else(PoisonError::into_inner).push(Seen {
                target: request.uri().path_and_query().map(ToString::to_string).unwrap_or_default(),
                version: format!("{:?}", request.version()),
                headers: headers.map(|(name, value)| (name.to_string(), text(value))).collect(),
            });
        };
        let (reporter, health) = tonic_health::server::health_reporter();
        reporter.set_service_status("", ServingStatus::Serving).await;
        let grpc = tonic::service::Routes::new(health).into_axum_router();
        let noting = axum::middleware::from_fn(move |request: Request, next: axum::middleware::Next| {
            note(&request);
            next.run(request)
        });
        // Everything except gRPC.
        let length = |body: axum::body::Bytes| async move { body.len().to_string().into_response() };
        let router =
            grpc.route("/length", axum::routing::any(length).layer(axum::extract::DefaultBodyLimit::disable()));
        let router = router.fallback(|| async { "the application".into_response() });
        let router = router.layer(noting);
        tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { port, seen }
    }

    /// Returns the requests since the last call.
    pub fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
