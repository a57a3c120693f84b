//! oidc-provider, a certified OpenID provider, as a real issuer: it is started, and users and machines get tokens from it over HTTP.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use poolgate_tests::{npm, server_process::ServerProcess, target_folder::target_folder};
use reqwest::{Client, RequestBuilder, Response, redirect::Policy};
use serde_json::Value;
use std::{collections::BTreeMap, fs, process::Command};
use tempfile::TempDir;
use url::Url;

/// The client of users, and the client of machines.
pub const WEB: &str = "web";
pub const MACHINE: &str = "machine";
/// The API that access tokens are for.
pub const API: &str = "https://api.example";

const CALLBACK: &str = "https://app.example/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A running provider. It is stopped when dropped.
pub struct OidcProvider {
    pub issuer: String,
    http: Client,
    process: ServerProcess,
}

impl OidcProvider {
    /// Starts a provider, from packages in the target folder, which are installed if they are missing.
    pub async fn start() -> Self {
        let packages = target_folder("node").join("oidc-provider");
        let installed = packages.clone();
        let install = move || npm::install(&installed, include_str!("package.json"), include_str!("package-lock.json"));
        tokio::task::spawn_blocking(install).await.expect("no panic");
        let folder = TempDir::new().expect("a folder");
        fs::write(folder.path().join("provider.mjs"), include_str!("provider.mjs")).expect("a file");
        let mut command = Command::new("node");
        command.arg("provider.mjs").arg(packages);
        let mut process = ServerProcess::spawn("oidc-provider", folder, command);
        let log = process.folder().join("log");
        // The line is complete when its line break is there.
        let issuer = || {
            let text = fs::read_to_string(&log).unwrap_or_default();
            let line = text.split_inclusive('\n').find_map(|line| line.strip_prefix("issuer ")?.strip_suffix('\n'));
            line.map(str::to_owned)
        };
        process.comes_up_when(async || issuer().is_some()).await;
        let http = Client::builder().no_proxy().redirect(Policy::none()).build().expect("an HTTP client");
        Self { issuer: issuer().expect("it is printed"), http, process }
    }

    /// The provider signs with another key from now on, and publishes it at this path.
    pub async fn replaces_keys(&self, path: &str) {
        let response = self.send(self.http.get(format!("{}/replace-keys?path={path}", self.issuer))).await;
        assert_eq!(response.text().await.expect("a body"), "replaced");
    }

    /// Returns an access token of a machine: client credentials (RFC 6749 section 4.4) for a resource server (RFC 8707).
    pub async fn machine_token(&self) -> String {
        let form = [("grant_type", "client_credentials"), ("resource", API), ("scope", "orders:read")];
        self.token(MACHINE, &form, "access_token").await
    }

    /// Signs a user in with the authorization code flow (OpenID Connect Core 1.0 section 3.1) and returns the ID token and the access token,
    /// which is opaque.
    pub async fn user_tokens(&self, user: &str) -> (String, String) {
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()));
        let request = [
            ("client_id", WEB),
            ("response_type", "code"),
            ("scope", "openid"),
            ("redirect_uri", CALLBACK),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("nonce", "a-nonce-of-the-test"),
        ];
        let mut browser = Browser { provider: self, cookies: BTreeMap::new() };
        let start = Url::parse_with_params(&format!("{}/auth", self.issuer), request).expect("a URL");
        let mut next = browser.get(start).await;
        for form in [&[("prompt", "login"), ("login", user), ("password", "anything")][..], &[("prompt", "consent")]] {
            let back = browser.post(next, form).await;
            next = browser.get(back).await;
        }
        let code = next.query_pairs().find(|(name, _)| name == "code");
        let (_, code) = code.unwrap_or_else(|| panic!("no code in {next}: {}", self.process.output()));
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        let tokens = self.tokens(WEB, &form).await;
        (text(&tokens, "id_token"), text(&tokens, "access_token"))
    }

    async fn token(&self, client: &str, form: &[(&str, &str)], name: &str) -> String {
        text(&self.tokens(client, form).await, name)
    }

    async fn tokens(&self, client: &str, form: &[(&str, &str)]) -> Value {
        let post = self.http.post(format!("{}/token", self.issuer));
        let secret = format!("a-secret-of-the-test-for-{client}");
        let response = self.send(form_body(post.basic_auth(client, Some(secret)), form)).await;
        let body = response.text().await.expect("a body");
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"))
    }

    async fn send(&self, request: RequestBuilder) -> Response {
        request.send().await.unwrap_or_else(|error| panic!("{error}: {}", self.process.output()))
    }
}

/// What a browser keeps: the cookies.
struct Browser<'a> {
    provider: &'a OidcProvider,
    cookies: BTreeMap<String, String>,
}

impl Browser<'_> {
    /// Returns where the response leads.
    async fn get(&mut self, url: Url) -> Url {
        let request = self.provider.http.get(url.clone());
        self.follow(url, request).await
    }

    async fn post(&mut self, url: Url, form: &[(&str, &str)]) -> Url {
        let request = form_body(self.provider.http.post(url.clone()), form);
        self.follow(url, request).await
    }

    async fn follow(&mut self, url: Url, request: RequestBuilder) -> Url {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let response = self.provider.send(request.header("Cookie", cookies.join("; "))).await;
        for cookie in response.headers().get_all("Set-Cookie") {
            let pair = cookie.to_str().ok().and_then(|cookie| cookie.split(';').next()?.split_once('='));
            let (name, value) = pair.expect("a cookie");
            // An empty value deletes the cookie.
            match value {
                "" => drop(self.cookies.remove(name)),
                _ => drop(self.cookies.insert(name.to_owned(), value.to_owned())),
            }
        }
        let location = response.headers().get("Location").and_then(|location| location.to_str().ok());
        let location = location.unwrap_or_else(|| panic!("{url} leads nowhere: {}", response.status()));
        url.join(location).expect("a URL")
    }
}

fn form_body(request: RequestBuilder, form: &[(&str, &str)]) -> RequestBuilder {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    request.header("Content-Type", "application/x-www-form-urlencoded").body(body)
}

fn text(tokens: &Value, name: &str) -> String {
    tokens[name].as_str().unwrap_or_else(|| panic!("no {name}: {:?}", tokens.get("error"))).to_owned()
}
