//! Shared by the tests of the filter and the middleware: a pool, valid tokens, and the reason of a rejection.

use crate::{
    keys::{OTHER_RSA_2048, RSA_2048, TestKey, jwks},
    minting::{CLIENT_ID, Draft, KEY_ID, POOL_ID},
};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// Returns the system time, in seconds since the Unix epoch.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

/// Returns an access token that is valid now.
pub fn access() -> Draft {
    valid_now(Draft::access(&RSA_2048))
}

/// Returns such a token, signed with another key.
pub fn access_of(key: &'static TestKey, key_id: &str) -> Draft {
    valid_now(Draft::access(key)).header("kid", format!("\"{key_id}\""))
}

/// Sets the time claims of a draft so that it is valid now.
pub fn valid_now(draft: Draft) -> Draft {
    let now = now();
    draft.claim("iat", now).claim("auth_time", now).claim("exp", now + 3_600)
}

/// A pool with local keys.
pub fn pool() -> Value {
    let keys = jwks(&[RSA_2048.jwk(KEY_ID), OTHER_RSA_2048.jwk("other")]);
    let keys: Value = serde_json::from_str(&keys).expect("JSON");
    json!({"name": "main", "user_pool_id": POOL_ID, "client_ids": [CLIENT_ID], "token_use": "access_or_id", "keys": {"jwks": keys}})
}

/// A route rule that requires a valid token everywhere.
pub fn guarded(pool: Value) -> Value {
    json!({"pools": [pool], "routes": [{"prefix": "/", "authenticated": true}], "answers": {"include_reason": true}})
}

/// Returns the reason in an error response.
pub fn reason(body: &str) -> String {
    let problem: Value = serde_json::from_str(body).unwrap_or_default();
    problem["reason"].as_str().unwrap_or_default().to_owned()
}
