//! An authorization server for the tests, like the façade that clients of Cognito need: its own metadata, and tokens with Cognito's issuer.

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    Router,
    extract::{RawQuery, State},
    response::{IntoResponse, Redirect},
    routing::{get, post},
};
use poolgate_tests::{edge_scene::access, minting::base64url};
use reqwest::{Url, header::CONTENT_TYPE};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{net::TcpListener, task::JoinHandle};

type Parameters = HashMap<String, String>;

pub struct AuthorizationServer {
    /// The issuer. It has a path, like that of a user pool.
    pub issuer: String,
    requests: Requests,
    server: JoinHandle<()>,
}

/// The authorization requests. A code is the index of its request.
type Requests = Arc<Mutex<Vec<Parameters>>>;

impl Drop for AuthorizationServer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl AuthorizationServer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let issuer = format!("http://{}/pool", listener.local_addr().expect("an address"));
        let metadata = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
        });
        let requests = Requests::default();
        // Cognito has its document only at this one of the three paths that clients try.
        let router = Router::new()
            .route("/pool/.well-known/openid-configuration", get(async move || document(&metadata)))
            .route("/pool/authorize", get(authorize))
            .route("/pool/token", post(token))
            .with_state(Arc::clone(&requests));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { issuer, requests, server }
    }

    /// Returns all authorization requests.
    pub fn authorization_requests(&self) -> Vec<Parameters> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn document(value: &Value) -> impl IntoResponse + use<> {
    ([(CONTENT_TYPE, "application/json")], value.to_string())
}

/// Parses `application/x-www-form-urlencoded`.
fn parameters(text: &str) -> Parameters {
    let url = Url::parse(&format!("http://localhost/?{text}")).expect("a URL");
    url.query_pairs().into_owned().collect()
}

async fn authorize(State(requests): State<Requests>, RawQuery(query): RawQuery) -> Redirect {
    let parameters = parameters(&query.expect("a query"));
    let mut requests = requests.lock().unwrap_or_else(PoisonError::into_inner);
    let location = format!("{}?code={}&state={}", parameters["redirect_uri"], requests.len(), parameters["state"]);
    requests.push(parameters);
    Redirect::to(&location)
}

/// Grants exactly the requested scopes.
async fn token(State(requests): State<Requests>, body: String) -> impl IntoResponse {
    let parameters = parameters(&body);
    let code: usize = parameters["code"].parse().expect("a code");
    let request = requests.lock().unwrap_or_else(PoisonError::into_inner)[code].clone();
    let challenge = base64url(digest(&SHA256, parameters["code_verifier"].as_bytes()).as_ref());
    assert_eq!(request["code_challenge"], challenge, "PKCE (RFC 7636 section 4.6)");
    assert_eq!(parameters["client_id"], request["client_id"]);
    let scope = request.get("scope").cloned().unwrap_or_default();
    let token = access().claim("scope", format!("\"{scope}\"")).compact();
    document(&json!({"access_token": token, "token_type": "Bearer", "expires_in": 3600, "scope": scope}))
}
