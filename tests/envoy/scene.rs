//! Starts Envoy with poolgate's filter in front of an application.

use crate::upstream::Upstream;
use poolgate_artifacts::{ENVOY_FILTER, ENVOY_FILTER_TEST};
use poolgate_tests::{
    envoy::{Envoy, Setup, cluster, wasm_filter},
    minting::{CLIENT_ID, POOL_ID},
};
use serde_json::{Value, json};
use std::{fs, path::PathBuf};
use tempfile::TempDir;

pub struct Scene {
    pub envoy: Envoy,
    pub upstream: Upstream,
    /// The URL of the first listener.
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
    /// Starts one listener with this configuration of the filter.
    pub async fn with(configuration: Value) -> Self {
        Self::of(&[configuration], &[], 1, false).await
    }

    /// Starts a listener for each configuration. `clusters` are added to the application's; `concurrency` is the number of workers.
    pub async fn of(configurations: &[Value], clusters: &[Value], concurrency: u32, with_test_hooks: bool) -> Self {
        let chains = |files: &Files| {
            let module = if with_test_hooks { &files.test_filter } else { &files.filter };
            configurations.iter().map(|configuration| vec![wasm_filter(module, configuration)]).collect()
        };
        Self::of_chains(chains, clusters, concurrency).await
    }

    /// Starts a listener for each chain of HTTP filters.
    pub async fn of_chains(
        chains: impl FnOnce(&Files) -> Vec<Vec<Value>>,
        clusters: &[Value],
        concurrency: u32,
    ) -> Self {
        let (upstream, files) = (Upstream::start().await, Files::new());
        let chains = chains(&files).into_iter().enumerate();
        let setup = Setup {
            listeners: chains.map(|(number, chain)| (number.to_string(), chain)).collect(),
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

/// A pool whose keys are fetched from the cluster `keys`.
pub fn remote_pool() -> Value {
    json!({"name": "main", "user_pool_id": POOL_ID, "client_ids": [CLIENT_ID], "token_use": "access", "keys": {"cluster": "keys", "url": "https://keys/jwks.json"}})
}
