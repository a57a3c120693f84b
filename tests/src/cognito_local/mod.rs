//! cognito-local: a second Cognito emulator, which supports the verification of attributes.

use crate::{
    npm,
    server_process::{ServerProcess, free_port},
    target_folder::target_folder,
};
use reqwest::Client;
use serde_json::{Value, json};
use std::{fs, net::Ipv4Addr, process::Command};
use tempfile::TempDir;

const PACKAGE: &str = include_str!("package.json");
const LOCK: &str = include_str!("package-lock.json");
/// The script ends with the test process, which holds the other end of its standard input.
const LAUNCHER: &str =
    "process.stdin.resume(); process.stdin.on('end', () => process.exit()); require(process.argv[1]);";
/// The confirmation code that it sends for all purposes.
pub const CODE: &str = "123456";

/// A running cognito-local with one user pool and one app client. It is stopped when dropped.
#[derive(Debug)]
pub struct CognitoLocal {
    /// The URL, without a final slash.
    pub endpoint: String,
    /// The user pool ID.
    pub pool_id: String,
    /// The app client ID.
    pub client_id: String,
    _process: ServerProcess,
}

impl CognitoLocal {
    /// Starts a server on a free loopback port, from packages in the target folder, which are installed if they are missing.
    ///
    /// # Panics
    ///
    /// Panics if npm cannot install it or it does not start, with its output.
    pub async fn start() -> Self {
        let packages = target_folder("node").join("cognito-local");
        let script = packages.join("node_modules/cognito-local/lib/bin/start.js");
        tokio::task::spawn_blocking(move || npm::install(&packages, PACKAGE, LOCK)).await.expect("no panic");
        let folder = TempDir::new().expect("a folder");
        let settings = folder.path().join(".cognito");
        fs::create_dir(&settings).expect("a folder");
        let by_name = json!({ "UserPoolDefaults": { "UsernameAttributes": [] } });
        fs::write(settings.join("config.json"), by_name.to_string()).expect("a file");
        let port = free_port();
        let mut command = Command::new("node");
        command.arg("--eval").arg(LAUNCHER).arg(script);
        command.envs([("HOST", "127.0.0.1"), ("PORT", &port.to_string()), ("CODE", CODE)]);
        let mut process = ServerProcess::spawn("cognito-local", folder, command);
        let endpoint = format!("http://{}:{port}", Ipv4Addr::LOCALHOST);
        process.comes_up(&endpoint).await;
        let pool =
            call(&endpoint, "CreateUserPool", json!({ "PoolName": "poolgate", "AutoVerifiedAttributes": ["email"] }))
                .await;
        let pool_id = text(&pool, "/UserPool/Id");
        let client = json!({ "UserPoolId": pool_id, "ClientName": "poolgate",
                             "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"] });
        let client = call(&endpoint, "CreateUserPoolClient", client).await;
        let client_id = text(&client, "/UserPoolClient/ClientId");
        Self { endpoint, pool_id, client_id, _process: process }
    }

    /// Returns the `iss` of the tokens.
    pub fn issuer(&self) -> String {
        format!("{}/{}", self.endpoint, self.pool_id)
    }
}

async fn call(endpoint: &str, operation: &str, request: Value) -> Value {
    let http = Client::builder().no_proxy().build().expect("an HTTP client");
    let post = http.post(endpoint).header("Content-Type", "application/x-amz-json-1.1");
    let post = post.header("X-Amz-Target", format!("AWSCognitoIdentityProviderService.{operation}"));
    let response = post.body(request.to_string()).send().await.expect("cognito-local answers");
    let body = response.bytes().await.expect("a body");
    serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{operation}: {error}"))
}

fn text(reply: &Value, pointer: &str) -> String {
    reply.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer}")).to_owned()
}
