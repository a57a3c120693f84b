//! oidc-provider-mock: an OpenID provider of another make (Authlib) than oidc-provider. It signs in everybody.

use poolgate_tests::{
    python_environment::PythonEnvironment,
    server_process::{ServerProcess, free_port},
    target_folder::target_folder,
};
use reqwest::{Client, redirect::Policy};
use serde_json::Value;
use tempfile::TempDir;
use url::{Url, form_urlencoded::Serializer};

pub const CLIENT: &str = "shop";
const CALLBACK: &str = "https://app.example/callback";

/// A running provider. It is stopped when dropped.
pub struct OidcProviderMock {
    pub issuer: String,
    http: Client,
    process: ServerProcess,
}

impl OidcProviderMock {
    /// Starts a provider, from a virtual environment in the target folder, which is created if it is missing.
    pub async fn start() -> Self {
        let directory = target_folder("python").join("oidc-provider-mock");
        let ensure = move || PythonEnvironment::ensure(&directory, include_str!("requirements.txt"));
        let python = tokio::task::spawn_blocking(ensure).await.expect("no panic");
        let python = python.unwrap_or_else(|error| panic!("no Python environment for oidc-provider-mock: {error}"));
        let port = free_port();
        let mut command = python.server("oidc_provider_mock.__main__:run");
        command.args(["--port", &port.to_string()]);
        let folder = TempDir::new().expect("a folder");
        let mut process = ServerProcess::spawn("oidc-provider-mock", folder, command);
        let issuer = format!("http://127.0.0.1:{port}");
        process.comes_up(&issuer).await;
        let http = Client::builder().no_proxy().redirect(Policy::none()).build().expect("an HTTP client");
        Self { issuer, http, process }
    }

    /// Signs a user in with the authorization code flow (OpenID Connect Core 1.0 section 3.1), and returns the ID token.
    pub async fn id_token(&self, user: &str) -> String {
        let request =
            [("client_id", CLIENT), ("response_type", "code"), ("scope", "openid"), ("redirect_uri", CALLBACK)];
        let url = Url::parse_with_params(&format!("{}/oauth2/authorize", self.issuer), request).expect("a URL");
        let response = self.post(url, &[("sub", user)]).await;
        let location = response.headers().get("Location").and_then(|location| location.to_str().ok());
        let location = location.and_then(|location| Url::parse(location).ok());
        let location = location.unwrap_or_else(|| panic!("no redirect: {}", self.process.output()));
        let (_, code) = location.query_pairs().find(|(name, _)| name == "code").expect("a code");
        let url = Url::parse(&format!("{}/oauth2/token", self.issuer)).expect("a URL");
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", CALLBACK),
            ("client_id", CLIENT),
            ("client_secret", "any"),
        ];
        let body = self.post(url, &form).await.text().await.expect("a body");
        let tokens: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"));
        tokens["id_token"].as_str().unwrap_or_else(|| panic!("no ID token: {}", self.process.output())).to_owned()
    }

    async fn post(&self, url: Url, form: &[(&str, &str)]) -> reqwest::Response {
        let body = Serializer::new(String::new()).extend_pairs(form).finish();
        let post = self.http.post(url).header("Content-Type", "application/x-www-form-urlencoded").body(body);
        post.send().await.unwrap_or_else(|error| panic!("{error}: {}", self.process.output()))
    }
}
