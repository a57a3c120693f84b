//! A user pool in ministack: users, groups and their tokens.

use std::fmt;

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

/// The settings of a user pool. Set those that the test is about, and use [`PoolOptions::default`] for the others.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// The AWS region in the pool's ID and issuer; `eu-central-1` by default.
    pub region: String,
    /// The validity of an access token, in seconds. The default is 3600. The minimum is 300 in Cognito and 1 in ministack.
    pub access_token_seconds: u32,
    /// The validity of an ID token, in seconds. The default is 3600. The minimum is 300 in Cognito and 1 in ministack.
    pub id_token_seconds: u32,
    /// Whether the app client has a secret.
    pub has_client_secret: bool,
    /// `PreventUserExistenceErrors` of the app client: `ENABLED` by default, or `LEGACY`.
    pub prevent_user_existence_errors: &'static str,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            region: "eu-central-1".to_owned(),
            access_token_seconds: 3600,
            id_token_seconds: 3600,
            has_client_secret: false,
            prevent_user_existence_errors: "ENABLED",
        }
    }
}

impl PoolOptions {
    /// Sets the validity of access and ID tokens.
    pub fn with_tokens_valid_for(seconds: u32) -> Self {
        Self { access_token_seconds: seconds, id_token_seconds: seconds, ..Self::default() }
    }
}

/// A user pool with one app client. It does not keep the server running: the [`Ministack`](crate::ministack::Ministack)
/// must not be dropped.
#[derive(Debug, Clone)]
pub struct TestPool {
    /// The user pool ID: `<region>_<nine characters>`.
    pub pool_id: String,
    /// The app client's ID.
    pub client_id: String,
    /// The app client's secret, if it has one.
    pub client_secret: Option<String>,
    /// The JWKS URL of ministack: `<endpoint>/<pool ID>/.well-known/jwks.json`.
    pub jwks_url: String,
    /// The `iss` of the tokens. It is a URL of Cognito, and the keys are at another URL.
    pub issuer: String,
    api: Api,
}

impl TestPool {
    pub(crate) async fn create(endpoint: &str, http: &Client, options: &PoolOptions) -> Self {
        let PoolOptions { region, access_token_seconds, id_token_seconds, .. } = options;
        // ministack treats zero as "not set", which means one hour.
        assert!(*access_token_seconds > 0 && *id_token_seconds > 0, "a token is valid for at least one second");
        let api = Api { endpoint: endpoint.to_owned(), http: http.clone(), region: region.clone() };
        let made = api.administer("CreateUserPool", json!({ "PoolName": "poolgate" })).await;
        let pool_id = made.text("/UserPool/Id");
        let client = json!({
            "UserPoolId": pool_id,
            "ClientName": "poolgate",
            "GenerateSecret": options.has_client_secret,
            "PreventUserExistenceErrors": options.prevent_user_existence_errors,
            "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
            "AccessTokenValidity": access_token_seconds,
            "IdTokenValidity": id_token_seconds,
            "TokenValidityUnits": { "AccessToken": "seconds", "IdToken": "seconds" },
        });
        let client = api.administer("CreateUserPoolClient", client).await;
        let client_id = client.text("/UserPoolClient/ClientId");
        let client_secret = client.body.pointer("/UserPoolClient/ClientSecret").and_then(Value::as_str).map(Into::into);
        let jwks_url = format!("{endpoint}/{pool_id}/.well-known/jwks.json");
        let issuer = format!("https://cognito-idp.{region}.amazonaws.com/{pool_id}");
        Self { pool_id, client_id, client_secret, jwks_url, issuer, api }
    }

    /// Signs a user up, confirms the account, and adds it to `groups`, which are created if they do not exist.
    ///
    /// The password must have eight characters, with an uppercase letter, a lowercase letter, a digit and a symbol.
    ///
    /// # Panics
    ///
    /// Panics if the server returns an exception, with its name.
    pub async fn sign_up_user_in_groups(&self, username: &str, password: &str, groups: &[&str]) {
        let Self { pool_id, api, .. } = self;
        self.sign_up_unconfirmed(username, password).await;
        api.administer("AdminConfirmSignUp", json!({ "UserPoolId": pool_id, "Username": username })).await;
        for group in groups {
            let membership = json!({ "UserPoolId": pool_id, "GroupName": group, "Username": username });
            self.create_group(group).await;
            api.administer("AdminAddUserToGroup", membership).await;
        }
    }

    /// Signs a user up, without confirming the account.
    ///
    /// # Panics
    ///
    /// Panics if the server returns an exception, with its name.
    pub async fn sign_up_unconfirmed(&self, username: &str, password: &str) {
        let email = json!([{ "Name": "email", "Value": "user@example.com" }]);
        let user = json!({ "ClientId": self.client_id, "Username": username, "Password": password,
                           "SecretHash": self.secret_hash(username), "UserAttributes": email });
        self.api.call("SignUp", user).await;
    }

    /// `SECRET_HASH` ("Computing secret hash values", Amazon Cognito developer guide), if the app client has a secret.
    fn secret_hash(&self, username: &str) -> Option<String> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.client_secret.as_ref()?.as_bytes());
        let tag = hmac::sign(&key, format!("{username}{}", self.client_id).as_bytes());
        Some(STANDARD.encode(tag))
    }

    /// Calls an operation of the user pools API with administrator permissions. The pool ID is added to the request.
    ///
    /// # Panics
    ///
    /// Panics if the server returns an exception, with its name.
    pub async fn administer(&self, operation: &'static str, mut request: Value) -> Value {
        request["UserPoolId"] = self.pool_id.as_str().into();
        self.api.administer(operation, request).await.body
    }

    /// Signs a user in with a password.
    ///
    /// # Panics
    ///
    /// Panics if the server returns an exception, with its name.
    pub async fn sign_in(&self, username: &str, password: &str) -> Tokens {
        let parameters = json!({ "USERNAME": username, "PASSWORD": password });
        let request = json!({
            "AuthFlow": "USER_PASSWORD_AUTH",
            "ClientId": self.client_id,
            "AuthParameters": parameters,
        });
        let reply = self.api.call("InitiateAuth", request).await;
        Tokens {
            id_token: reply.text("/AuthenticationResult/IdToken"),
            access_token: reply.text("/AuthenticationResult/AccessToken"),
            refresh_token: reply.text("/AuthenticationResult/RefreshToken"),
        }
    }

    async fn create_group(&self, group: &str) {
        let request = json!({ "UserPoolId": self.pool_id, "GroupName": group });
        match self.api.send("CreateGroup", request, true).await {
            Err(refusal) if refusal.code == "GroupExistsException" => {}
            Err(refusal) => panic!("{refusal}"),
            Ok(_) => {}
        }
    }
}

/// The tokens of a sign-in. Its `Debug` output contains none of them.
#[derive(Clone)]
pub struct Tokens {
    /// The ID token, a compact JWS.
    pub id_token: String,
    /// The access token, a compact JWS.
    pub access_token: String,
    /// The refresh token. It is opaque in Cognito and a JWS in ministack.
    pub refresh_token: String,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

/// The user pools API of one region: AWS JSON 1.1 over HTTP.
#[derive(Debug, Clone)]
struct Api {
    endpoint: String,
    http: Client,
    region: String,
}

impl Api {
    /// Calls an operation without credentials.
    async fn call(&self, operation: &'static str, request: Value) -> Reply {
        self.send(operation, request, false).await.unwrap_or_else(|refusal| panic!("{refusal}"))
    }

    /// Calls an operation with credentials.
    async fn administer(&self, operation: &'static str, request: Value) -> Reply {
        self.send(operation, request, true).await.unwrap_or_else(|refusal| panic!("{refusal}"))
    }

    async fn send(&self, operation: &'static str, request: Value, as_root: bool) -> Result<Reply, Refusal> {
        let mut post = self
            .http
            .post(&self.endpoint)
            .header("Content-Type", "application/x-amz-json-1.1")
            .header("X-Amz-Target", format!("AWSCognitoIdentityProviderService.{operation}"));
        if as_root {
            post = post.header("Authorization", self.root_authorization());
        }
        let unreachable = |error: reqwest::Error| -> ! {
            panic!("{operation}: no answer from ministack: {error}; is the Ministack value still alive?")
        };
        let response = post.body(request.to_string()).send().await.unwrap_or_else(|error| unreachable(error));
        let status = response.status();
        let body = response.bytes().await.unwrap_or_else(|error| unreachable(error));
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        if status.is_success() {
            return Ok(Reply { operation, body });
        }
        let code = body["__type"].as_str().unwrap_or("no exception").to_owned();
        Err(Refusal { operation, status, code })
    }

    /// ministack does not check signatures of its root key `test`. It reads only the key and the region from the header.
    fn root_authorization(&self) -> String {
        let scope = format!("20260101/{}/cognito-idp/aws4_request", self.region);
        format!("AWS4-HMAC-SHA256 Credential=test/{scope}, SignedHeaders=host, Signature=unchecked")
    }
}

/// A response of the server. It may contain tokens, so it does not implement `Debug`.
struct Reply {
    operation: &'static str,
    body: Value,
}

impl Reply {
    fn text(&self, pointer: &str) -> String {
        let text = self.body.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_else(|| panic!("{}: ministack's answer has no {pointer}", self.operation)).to_owned()
    }
}

/// A failed operation: the name of the exception. The message is omitted, because it might contain parts of the request.
struct Refusal {
    operation: &'static str,
    status: StatusCode,
    code: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ministack refused with {} ({})", self.operation, self.code, self.status)
    }
}
