//! The middleware in front of the echo application.

use crate::{
    composing::plugged,
    serving::{Instances, Serving, compiled},
};
use poolgate_artifacts::{ECHO, MIDDLEWARE};
use poolgate_tests::{
    exact_client::Response,
    minting::{CLIENT_ID, POOL_ID},
};
use serde_json::{Value, json};
use std::sync::LazyLock;
use wasmtime::component::Component;

static PROTECTED: LazyLock<Component> = LazyLock::new(|| compiled(&plugged(MIDDLEWARE, &[ECHO])));

/// Both components, composed and compiled. The result imports a configuration.
pub fn protected_echo() -> &'static Component {
    &PROTECTED
}

/// Serves them with one instance.
pub async fn served(configuration: &Value) -> Serving {
    Serving::start(protected_echo(), &configuration.to_string(), Instances::One).await
}

/// A pool whose keys are fetched from this URL.
pub fn remote_pool(url: &str) -> Value {
    json!({"name": "main", "user_pool_id": POOL_ID, "client_ids": [CLIENT_ID], "token_use": "access",
           "keys": {"cluster": "keys", "url": url}})
}

/// The values of this header that the application received.
pub fn got(response: &Response, name: &str) -> Vec<String> {
    let prefix = format!("{name}: ");
    let lines = response.headers("echo-header");
    lines.filter_map(|line| Some(line.strip_prefix(prefix.as_str())?.to_owned())).collect()
}
