//! An Envoy with poolgate's filter between a test and an application.

use crate::upstream::Upstream;
use poolgate_artifacts::{ENVOY_FILTER, ENVOY_FILTER_TEST};
use poolgate_tests::{
    envoy::{Envoy, Setup, cluster, wasm_filter},
    keys::{OTHER_RSA_2048, RSA_2048, TestKey, jwks},
    minting::{CLIENT_ID, Draft, KEY_ID, POOL_ID},
};
use serde_json::{Value, json};
use std::{
    fs,
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};
use tempfile::TempDir;

pub struct Scene {
    pub envoy: Envoy,
    pub upstream: Upstream,
    /// Where the first listener is.
    pub url: String,
    _files: Files,
}

pub struct Files {
    _folder: TempDir,
    pub filter: PathBuf,
    pub test_filter: PathBuf,
}

impl Files {
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        let (filter, test_filter) = (folder.path().join("filter.wasm"), folder.path().join("test_filter.wasm"));
        fs::write(&filter, ENVOY_FILTER).expect("a file");
        fs::write(&test_filter, ENVOY_FILTER_TEST).expect("a file");
        Self { _folder: folder, filter, test_filter }
    }
}

impl Scene {
    /// One listener with this configuration of the filter.
    pub async fn with(configuration: Value) -> Self {
        Self::of(&[configuration], &[], 1, false).await
    }

    /// A listener for each configuration, with these clusters besides the application, and so many workers.
    pub async fn of(configurations: &[Value], clusters: &[Value], concurrency: u32, with_doors: bool) -> Self {
        let (upstream, files) = (Upstream::start().await, Files::new());
        let module = if with_doors { &files.test_filter } else { &files.filter };
        let listeners = configurations.iter().enumerate();
        let setup = Setup {
            listeners: listeners.map(|(number, it)| (number.to_string(), vec![wasm_filter(module, it)])).collect(),
            clusters: [&[cluster("app", upstream.port)], clusters].concat(),
            concurrency,
            is_dynamic: false,
            answers_itself: false,
        };
        let envoy = Envoy::start(&setup).await;
        let url = envoy.url("0").await;
        Self { envoy, upstream, url, _files: files }
    }
}

pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

/// An access token that is good now.
pub fn access() -> Draft {
    valid_now(Draft::access(&RSA_2048))
}

pub fn access_of(key: &'static TestKey, key_id: &str) -> Draft {
    valid_now(Draft::access(key)).header("kid", format!("\"{key_id}\""))
}

pub fn valid_now(draft: Draft) -> Draft {
    let now = now();
    draft.claim("iat", now).claim("auth_time", now).claim("exp", now + 3_600)
}

/// A pool whose keys are stated.
pub fn pool() -> Value {
    let keys = jwks(&[RSA_2048.jwk(KEY_ID), OTHER_RSA_2048.jwk("other")]);
    let keys: Value = serde_json::from_str(&keys).expect("JSON");
    json!({"name": "main", "user_pool_id": POOL_ID, "client_ids": [CLIENT_ID], "token_use": "access_or_id", "keys": {"jwks": keys}})
}

/// A pool whose keys the cluster `keys` has.
pub fn remote_pool() -> Value {
    json!({"name": "main", "user_pool_id": POOL_ID, "client_ids": [CLIENT_ID], "token_use": "access", "keys": {"cluster": "keys", "url": "https://keys/jwks.json"}})
}

/// Everything needs a good token.
pub fn guarded(pool: Value) -> Value {
    json!({"pools": [pool], "routes": [{"prefix": "/", "authenticated": true}], "answers": {"tell_reason": true}})
}

/// The reason that a refusal tells.
pub fn reason(body: &str) -> String {
    let problem: Value = serde_json::from_str(body).unwrap_or_default();
    problem["reason"].as_str().unwrap_or_default().to_owned()
}
