//! A small service with a public route, a route for every signed-in user, and a route for administrators.

use axum::{Json, Router, routing::get};
use poolgate::{
    Requirement, Verifier,
    tower::{AuthLayer, Claims, RequireLayer},
};
use serde_json::{Value, json};

/// Returns the routes of the service.
pub fn app(verifier: Verifier) -> Router {
    let admins = RequireLayer::new(Requirement::new().any_of_groups(["admins"]));
    // A token is optional here, but an invalid token is rejected.
    let open = Router::new().route("/", get(greet)).layer(AuthLayer::new(verifier.clone()).allow_anonymous());
    Router::new()
        .route("/me", get(me))
        .route("/admin", get(admin).layer(admins))
        // This layer applies to the routes above, and not to those below.
        .layer(AuthLayer::new(verifier))
        .merge(open)
        .route("/health", get(|| async { "well" }))
}

async fn greet(claims: Option<Claims>) -> String {
    let name = claims.and_then(|claims| claims.username.clone());
    format!("Hello, {}!\n", name.as_deref().unwrap_or("whoever you are"))
}

async fn me(claims: Claims) -> Json<Value> {
    Json(json!({
        "subject": claims.subject,
        "username": claims.username,
        "groups": claims.groups,
        "scopes": claims.scopes,
        "expires_at": claims.expires_at,
    }))
}

async fn admin() -> &'static str {
    "This is the office.\n"
}
