//! The metadata of the protected resource (RFC 9728): the document, and the parameters of `WWW-Authenticate` that lead to it.

use crate::{
    challenge_scopes::ChallengeScopes,
    config::{self, Config, public_url},
    head::RequestHead,
};
use serde_json::{Map, Value};
use std::rc::Rc;

/// The well-known path, which is inserted before the path of the resource (RFC 9728 section 3.1).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The headers of the document. Scripts of any origin may read it, because it is public. It may be cached for five minutes.
const DOCUMENT: &[(&str, &str)] = &[
    ("content-type", "application/json"),
    ("cache-control", "public, max-age=300"),
    ("access-control-allow-origin", "*"),
];

/// The headers of the response to a preflight: clients send `MCP-Protocol-Version`, for which a browser asks.
const PREFLIGHT: &[(&str, &str)] = &[
    ("access-control-allow-origin", "*"),
    ("access-control-allow-methods", "GET, HEAD"),
    ("access-control-allow-headers", "*"),
    ("access-control-max-age", "3600"),
];

/// A response that is the same for every client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticResponse {
    /// The HTTP status: 200.
    pub status: u16,
    /// The headers, without `Content-Length`.
    pub headers: &'static [(&'static str, &'static str)],
    /// The body, which may be empty. The response to `HEAD` has the headers that this body implies, but not the body itself.
    pub body: Rc<str>,
}

/// The metadata of the configured resource.
#[derive(Debug)]
pub(crate) struct ResourceMetadata {
    /// The path of the document.
    path: String,
    /// Its URL.
    pub(crate) url: String,
    document: Rc<str>,
    pub(crate) scopes: ChallengeScopes,
}

impl ResourceMetadata {
    /// Returns `None` if no resource is configured.
    pub(crate) fn new(config: &Config) -> Option<Self> {
        let resource = config.resource.as_ref()?;
        let (origin, path) = public_url(&resource.resource)?;
        let path = [WELL_KNOWN, if path == "/" { "" } else { path }].concat();
        Some(Self {
            url: [origin, &path].concat(),
            path,
            document: document(resource, config).into(),
            scopes: ChallengeScopes::new(config),
        })
    }

    /// Returns the response to a request for the document, or to its CORS preflight. Only the exact path is answered: any other spelling is
    /// left to the routes.
    pub(crate) fn answer(&self, request: &impl RequestHead) -> Option<StaticResponse> {
        let target = request.target();
        if target.split_once('?').map_or(target, |(path, _)| path) != self.path {
            return None;
        }
        let has = |name: &str| !matches!(request.header(name), Ok(None));
        let (headers, body) = match request.method() {
            "GET" | "HEAD" => (DOCUMENT, Rc::clone(&self.document)),
            "OPTIONS" if has("origin") && has("access-control-request-method") => (PREFLIGHT, "".into()),
            _ => return None,
        };
        Some(StaticResponse { status: 200, headers, body })
    }
}

/// Returns the document (RFC 9728 section 2). Members without a value are omitted.
fn document(resource: &config::Resource, config: &Config) -> String {
    let text = |text: &String| Value::String(text.clone());
    let list = |texts: &[String]| Value::Array(texts.iter().map(text).collect());
    let is_header = |location: &config::TokenLocation| {
        location.header.as_deref() == Some("authorization")
            && location.prefix.as_ref().is_some_and(|prefix| prefix.trim_end().eq_ignore_ascii_case("bearer"))
    };
    let reads_header = config.tokens.from.iter().any(is_header);
    let members = [
        ("resource", Some(text(&resource.resource))),
        ("authorization_servers", Some(list(&resource.servers(&config.pools)))),
        ("scopes_supported", resource.scopes_supported.as_deref().map(list)),
        ("bearer_methods_supported", reads_header.then(|| Value::Array(vec!["header".into()]))),
        ("resource_name", resource.resource_name.as_ref().map(text)),
        ("resource_documentation", resource.resource_documentation.as_ref().map(text)),
    ];
    let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(members.collect::<Map<_, _>>()).to_string()
}
