//! A configuration with rules of every kind, and gates.

use poolgate::{Decision, FixedClock, Gate, GateBuilder, RequestHead, SystemClock};
use poolgate_tests::{
    edge_scene::pool,
    minting::{Draft, NOW},
};
use serde_json::{Value, json};
use std::num::NonZeroUsize;

/// The time of the tokens, which every clock of these tests has.
pub fn now() -> u64 {
    NOW
}

/// Rules of every kind.
pub fn configuration() -> Value {
    json!({
        "version": 1,
        "pools": [pool()],
        "policies": [
            {"name": "admins", "groups": {"any_of": ["admins"]}},
            {"name": "readers", "groups": {"any_of": ["readers"]}},
            {"name": "api", "scopes": {"all_of": ["orders/read"]}},
        ],
        "routes": [
            {"prefix": "/", "hosts": ["admin.example.com", "*.admin.example.com"], "any_of": ["admins"]},
            {"prefix": "/public", "public": true},
            {"prefix": "/admin", "any_of": ["admins"]},
            {"prefix": "/optional", "authenticated": true, "optional": true},
            {"prefix": "/reported", "any_of": ["admins"], "report_only": true},
            {"path": "/orders", "methods": ["GET"], "any_of": ["readers", "api"]},
            {"path": "/orders", "methods": ["POST"], "all_of": ["readers", "api"]},
            {"template": "/users/{id}/orders", "authenticated": true},
            {"prefix": "/any", "authenticated": true},
        ],
        "tokens": {"from": [{"header": "authorization", "prefix": "Bearer "}, {"cookie": "session"}]},
        "claims_to_headers": [{"claim": "sub", "header": "x-user"}, {"claim": "cognito:groups", "header": "x-groups"}],
        "answers": {"include_reason": true},
        "cors_preflight": "pass",
    })
}

/// A builder with the time of the tokens, one instance, and without the background task.
pub fn builder(configuration: &Value) -> GateBuilder {
    Gate::builder(configuration.to_string())
        .clock(FixedClock::at(now()))
        .instances(NonZeroUsize::MIN)
        .disable_background_refresh()
        .allow_http_loopback(true)
        .compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"))
}

pub async fn gate(configuration: &Value) -> Gate {
    builder(configuration).build().await.expect("it builds")
}

/// A gate with the time of the system, for tokens that are valid now.
pub async fn gate_now(configuration: &Value) -> Gate {
    builder(configuration).clock(SystemClock).build().await.expect("it builds")
}

/// `GET` for this target, with a token.
pub fn get(target: &str, token: &Draft) -> RequestHead {
    RequestHead::new("GET", target)
        .authority("app.example.com")
        .header("authorization", format!("Bearer {}", token.compact()))
}

/// Returns `verified`, `anonymous`, `reported REASON`, or the status and the reason of the rejection.
pub fn verdict(decision: &Decision) -> String {
    match decision {
        Decision::Admit(admission) => match (&admission.reported, &admission.verified) {
            (Some(reason), _) => format!("reported {reason}"),
            (None, Some(_)) => "verified".to_owned(),
            (None, None) => "anonymous".to_owned(),
        },
        Decision::Reject(rejection) => format!("{} {}", rejection.status, rejection.reason),
        Decision::Respond(response) => format!("responded {}", response.status),
    }
}
