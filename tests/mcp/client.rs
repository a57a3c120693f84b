//! The MCP client of the official Python SDK, in front of the filter in Envoy, in front of an MCP server of the same SDK.

use crate::{authorization_server::AuthorizationServer, front::Front, gate::Gate};
use poolgate_tests::{
    edge_scene::{access, pool},
    minting::CLIENT_ID,
    python_environment::PythonEnvironment,
    server_process::ServerProcess,
    target_folder::target_folder,
};
use serde_json::{Value, json};
use std::{
    fs,
    process::{Command, Stdio},
};
use tempfile::TempDir;

const REQUIREMENTS: &str = include_str!("requirements.txt");
const CLIENT: &str = include_str!("client.py");
const SERVER: &str = include_str!("server.py");
const DOCUMENT: &str = "/.well-known/oauth-protected-resource/mcp";

struct Scene {
    python: PythonEnvironment,
    authorization_server: AuthorizationServer,
    front: Front,
    _gate: Gate,
    _server: ServerProcess,
}

impl Scene {
    /// Starts an MCP server whose tools need `tools/read` at `/mcp`, and `tools/write` too at `/mcp/write`.
    async fn start() -> Self {
        let directory = target_folder("python").join("mcp");
        let ensure = move || PythonEnvironment::ensure(&directory, REQUIREMENTS);
        let python = tokio::task::spawn_blocking(ensure).await.expect("no panic");
        let python = python.unwrap_or_else(|error| panic!("no Python environment: {error}"));
        let (server, port) = mcp_server(&python).await;
        let (authorization_server, mut front) = (AuthorizationServer::start().await, Front::bind().await);
        let configuration = json!({
            "pools": [pool()],
            "policies": [
                {"name": "read", "scopes": {"any_of": ["tools/read"]}},
                {"name": "write", "scopes": {"all_of": ["tools/read", "tools/write"]}},
            ],
            "routes": [{"path": "/mcp", "any_of": ["read"]}, {"path": "/mcp/write", "any_of": ["write"]}],
            "tokens": {"forward": false},
            "resource": {
                "resource": format!("{}/mcp", front.url),
                "authorization_servers": [authorization_server.issuer],
                // A client that ignores the challenge would request this.
                "scopes_supported": ["tools/admin"],
                "resource_name": "Sums",
            },
        });
        let gate = Gate::start(&configuration, port).await;
        front.pass_to(&gate.url);
        Self { python, authorization_server, front, _gate: gate, _server: server }
    }

    /// Runs a client with its token from an earlier session, and returns its result.
    async fn client(&self, path: &str, mode: &str, token: Value) -> Value {
        let url = format!("{}{path}", self.front.url);
        let arguments = json!({"url": url, "mode": mode, "client_id": CLIENT_ID, "token": token}).to_string();
        let mut command = Command::new(self.python.python());
        command.args(["-I", "-c", CLIENT, &arguments]).stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic").expect("it runs");
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        let result: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {errors}"));
        assert_eq!(result["error"], Value::Null, "{result:#}\n{errors}");
        assert_eq!((&result["tools"], &result["text"]), (&json!(["add"]), &json!("5")), "{result:#}\n{errors}");
        result
    }

    /// Returns the scope and the resource of each authorization request.
    fn requested(&self) -> Vec<(String, String)> {
        let requests = self.authorization_server.authorization_requests();
        requests.iter().map(|request| (request["scope"].clone(), request["resource"].clone())).collect()
    }
}

/// Starts the MCP server, and returns its port.
async fn mcp_server(python: &PythonEnvironment) -> (ServerProcess, u16) {
    let folder = TempDir::new().expect("a folder");
    let script = folder.path().join("server.py");
    fs::write(&script, SERVER).expect("a file");
    let log = folder.path().join("log");
    let mut command = Command::new(python.python());
    command.arg("-I").arg(script);
    let mut process = ServerProcess::spawn("the MCP server", folder, command);
    let port = move || fs::read_to_string(&log).ok()?.lines().find_map(|line| line.strip_prefix("port ")?.parse().ok());
    process.comes_up_when(async || port().is_some()).await;
    let port = port().expect("a port");
    (process, port)
}

/// Returns the methods, paths and statuses of the responses to a client, up to the first that the MCP server gave.
fn discovery(result: &Value) -> Vec<String> {
    let responses = result["responses"].as_array().expect("responses").iter();
    let shown =
        responses.map(|it| format!("{} {} {}", it[0].as_str().unwrap_or(""), it[1].as_str().unwrap_or(""), it[2]));
    let mut shown: Vec<String> = shown.collect();
    let first = shown.iter().position(|it| it.starts_with("POST /mcp") && it.ends_with(" 200")).expect("a success");
    shown.truncate(first + 1);
    shown
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_discovers_the_authorization_server_and_steps_up() {
    let scene = Scene::start().await;
    let resource = format!("{}/mcp", scene.front.url);
    for mode in ["auto", "legacy"] {
        // Without a token: 401, the document, the authorization server, a token with the scope of the challenge.
        let result = scene.client("/mcp", mode, Value::Null).await;
        let document = json!({
            "resource": resource,
            "authorization_servers": [scene.authorization_server.issuer],
            "scopes_supported": ["tools/admin"],
            "bearer_methods_supported": ["header"],
            "resource_name": "Sums",
        });
        assert_eq!(result["resource"], document, "{mode}");
        let expected = [
            "POST /mcp 401",
            &format!("GET {DOCUMENT} 200"),
            "GET /.well-known/oauth-authorization-server/pool 404",
            "GET /.well-known/openid-configuration/pool 404",
            "GET /pool/.well-known/openid-configuration 200",
            "POST /pool/token 200",
            "POST /mcp 200",
        ];
        assert_eq!(discovery(&result), expected, "{mode}");
        assert_eq!(scene.requested().pop(), Some(("tools/read".to_owned(), resource.clone())), "{mode}");
        // A token that lacks a scope: 403, and a token with the scopes of both challenges.
        let result = scene.client("/mcp/write", mode, result["token"].clone()).await;
        assert_eq!(discovery(&result)[..2], ["POST /mcp/write 403", &format!("GET {DOCUMENT} 200")], "{mode}");
        assert_eq!(scene.requested().pop(), Some(("tools/read tools/write".to_owned(), resource.clone())), "{mode}");
        // This token is enough for both, without another sign-in.
        let requests = scene.requested().len();
        let again = scene.client("/mcp", mode, result["token"].clone()).await;
        assert_eq!(
            (discovery(&again), scene.requested().len()),
            (vec!["POST /mcp 200".to_owned()], requests),
            "{mode}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_an_expired_token_gets_a_new_one() {
    let scene = Scene::start().await;
    let expired = access().claim("exp", 1_700_000_000_u64).claim("scope", "\"tools/read\"").compact();
    let token = json!({"access_token": expired, "token_type": "Bearer", "scope": "tools/read"});
    let result = scene.client("/mcp", "auto", token).await;
    assert_eq!(discovery(&result)[..2], ["POST /mcp 401", &format!("GET {DOCUMENT} 200")]);
    assert_eq!(scene.requested().len(), 1);
}
