//! Requests to an authorizer, and its responses.

use poolgate_edge::{Decision, Rejection, RejectionResponse, RequestAuthorizer, RequestHead, StaticResponse, config};
use poolgate_tests::{
    edge_scene::pool,
    keys::RSA_2048,
    minting::{Draft, NOW},
};
use serde_json::{Value, json};
use std::borrow::Cow;

/// A request with any headers.
#[derive(Debug)]
pub struct Request {
    method: &'static str,
    target: String,
    headers: Vec<(&'static str, String)>,
}

impl Request {
    pub fn new(method: &'static str, target: &str) -> Self {
        Self { method, target: target.to_owned(), headers: Vec::new() }
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }
}

impl RequestHead for Request {
    fn method(&self) -> &str {
        self.method
    }

    fn target(&self) -> &str {
        &self.target
    }

    fn header(&self, name: &str) -> Result<Option<Cow<'_, str>>, ()> {
        let mut values = self.headers.iter().filter(|(own, _)| *own == name).map(|(_, value)| value.as_str().into());
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(()),
        }
    }

    fn each_header(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        self.headers.iter().for_each(|(name, value)| visit(name.as_bytes(), value.as_bytes()));
    }
}

/// Creates an authorizer. `changes` are members of the configuration; the rest has a pool with local keys, and policies for scopes and groups.
pub fn authorizer(changes: &Value) -> RequestAuthorizer {
    try_authorizer(changes).unwrap_or_else(|error| panic!("{error}"))
}

/// Returns the error of such a configuration as text.
pub fn try_authorizer(changes: &Value) -> Result<RequestAuthorizer, String> {
    let config = config::read(configuration(changes).to_string().as_bytes()).map_err(|error| error.to_string())?;
    RequestAuthorizer::new(&config, NOW, 0).map_err(|error| error.to_string())
}

pub fn configuration(changes: &Value) -> Value {
    let mut configuration = json!({
        "pools": [pool()],
        "policies": [
            {"name": "read", "scopes": {"any_of": ["mcp/read", "mcp/all"]}},
            {"name": "write", "scopes": {"all_of": ["mcp/read", "mcp/write"]}},
            {"name": "admins", "groups": {"any_of": ["admins"]}},
        ],
        "routes": [{"prefix": "/", "authenticated": true}],
    });
    for (name, value) in changes.as_object().expect("an object") {
        configuration[name] = value.clone();
    }
    configuration
}

/// The metadata of an MCP server.
pub fn resource() -> Value {
    json!({"resource": "https://mcp.example.com/mcp"})
}

/// An access token with this scope, valid at [`NOW`].
pub fn token(scope: &str) -> String {
    Draft::access(&RSA_2048).claim("scope", format!("\"{scope}\"")).compact()
}

/// Returns the response to a request that must be rejected.
pub fn rejected(authorizer: &mut RequestAuthorizer, request: &Request) -> (Rejection, RejectionResponse) {
    match authorizer.authorize(NOW, request) {
        Decision::Reject(rejection) => (rejection, authorizer.response(request, rejection)),
        decision => panic!("{request:?} was not rejected: {decision:?}"),
    }
}

/// Returns the response to a request that must be answered by the authorizer itself.
pub fn answered(authorizer: &mut RequestAuthorizer, request: &Request) -> StaticResponse {
    match authorizer.authorize(NOW, request) {
        Decision::Respond(response) => response,
        decision => panic!("{request:?} was not answered: {decision:?}"),
    }
}

/// Returns the value of a header that must not occur twice.
pub fn header(response: &RejectionResponse, name: &str) -> Option<String> {
    let mut values = response.headers.iter().filter(|(own, _)| *own == name).map(|(_, value)| value.clone());
    let value = values.next();
    assert_eq!(values.next(), None, "{name} occurs twice");
    value
}
