//! A proxy in front of a Cognito emulator that responds to some requests by a script, and records all requests. Each test that needs it
//! includes this file.
#![allow(dead_code)]

use axum::{
    Router,
    extract::Request,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use reqwest::Client;
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::net::TcpListener;

const TARGET: &str = "x-amz-target";
const CONTENT_TYPE: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/x-amz-json-1.1")];

/// The reply to a request.
pub enum Reply {
    /// The emulator's reply.
    Pass,
    /// The emulator's reply, delayed by this time.
    PassAfter(Duration),
    /// This exception, without calling the emulator.
    Exception(&'static str),
    /// This exception, delayed by this time, after calling the emulator.
    ExceptionAfter(Duration, &'static str),
    /// This body, without calling the emulator.
    Body(Value),
}

/// A running proxy. It ends with the test's runtime.
pub struct ScriptedCognito {
    /// The URL of the proxy, without a trailing slash.
    pub endpoint: String,
    asked: Arc<Mutex<Vec<(String, Value)>>>,
}

impl ScriptedCognito {
    /// Starts a proxy in front of `upstream`. The script receives the name of the operation and the request.
    pub async fn start(upstream: &str, script: impl Fn(&str, &Value) -> Reply + Send + Sync + 'static) -> Self {
        let http = Client::builder().no_proxy().build().expect("an HTTP client");
        let (upstream, script, asked) = (upstream.to_owned(), Arc::new(script), Arc::new(Mutex::new(Vec::new())));
        let seen = Arc::clone(&asked);
        let handler = async move |request: Request| -> Response {
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, 1 << 16).await.expect("a body");
            let target = parts.headers[TARGET].to_str().expect("ASCII");
            let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
            let asked: Value = serde_json::from_slice(&body).expect("JSON");
            let reply = script(&operation, &asked);
            seen.lock().expect("no panic").push((operation, asked));
            let exception = |name: &str| {
                let body = json!({ "__type": name, "message": "by the script" }).to_string();
                (StatusCode::BAD_REQUEST, CONTENT_TYPE, body).into_response()
            };
            let mut instead = None;
            match reply {
                Reply::Exception(name) => return exception(name),
                Reply::ExceptionAfter(delay, name) => {
                    tokio::time::sleep(delay).await;
                    instead = Some(name);
                }
                Reply::Body(body) => return (StatusCode::OK, CONTENT_TYPE, body.to_string()).into_response(),
                Reply::PassAfter(delay) => tokio::time::sleep(delay).await,
                Reply::Pass => {}
            }
            let answer = http.post(&upstream).headers(parts.headers).body(body).send().await;
            let answer = answer.expect("the server answers");
            let (status, body) = (answer.status(), answer.bytes().await.expect("a body"));
            instead.map_or_else(|| (status, CONTENT_TYPE, body).into_response(), exception)
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(axum::serve(listener, Router::new().fallback(handler)).into_future());
        Self { endpoint, asked }
    }

    /// All requests of an operation so far.
    pub fn asked(&self, operation: &str) -> Vec<Value> {
        let asked = self.asked.lock().expect("no panic");
        asked.iter().filter(|(name, _)| name == operation).map(|(_, request)| request.clone()).collect()
    }
}
