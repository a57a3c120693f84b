//! Envoy with the filter, in front of an application.

use poolgate_artifacts::ENVOY_FILTER;
use poolgate_tests::envoy::{Envoy, Setup, cluster, wasm_filter};
use serde_json::Value;
use std::fs;
use tempfile::TempDir;

pub struct Gate {
    pub url: String,
    pub envoy: Envoy,
    _folder: TempDir,
}

impl Gate {
    /// Starts Envoy with this configuration of the filter. `port` is that of the application.
    pub async fn start(configuration: &Value, port: u16) -> Self {
        let folder = TempDir::new().expect("a folder");
        let module = folder.path().join("filter.wasm");
        fs::write(&module, ENVOY_FILTER).expect("a file");
        let setup = Setup {
            listeners: vec![("0".to_owned(), vec![wasm_filter(&module, configuration)])],
            clusters: vec![cluster("app", port)],
            concurrency: 1,
            is_dynamic: false,
            answers_itself: false,
        };
        let envoy = Envoy::start(&setup).await;
        Self { url: envoy.url("0").await, envoy, _folder: folder }
    }
}
