//! The metadata of protected resources (RFC 9728): the documents, and the parameters of `WWW-Authenticate` that lead to them.

use crate::{
    challenge_scopes::ChallengeScopes,
    config::{self, Config, ConfigError, public_url},
    head::RequestHead,
    routes::Chosen,
};
use serde_json::{Map, Value};
use std::rc::Rc;

/// The well-known path, which is inserted before the path of the resource (RFC 9728 section 3.1).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The headers of a document. Scripts of any origin may read it, because it is public. It may be cached for five minutes.
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

/// The metadata of the configured resources.
#[derive(Debug)]
pub(crate) struct ProtectedResources {
    all: Vec<Metadata>,
    /// The index of the resource of each rule in `all`.
    by_rule: Vec<Option<usize>>,
    scopes: ChallengeScopes,
}

#[derive(Debug)]
struct Metadata {
    /// The URL of the document: its origin and its path.
    url: String,
    path_at: usize,
    document: Rc<str>,
}

impl ProtectedResources {
    /// # Errors
    /// If two rules describe one resource differently.
    pub(crate) fn new(config: &Config) -> Result<Self, ConfigError> {
        let mut all = Vec::new();
        let default = match &config.resource {
            Some(resource) => add(&mut all, resource, config),
            None => None,
        };
        let mut by_rule = Vec::new();
        for (number, route) in config.routes.iter().enumerate() {
            by_rule.push(match &route.resource {
                None => default,
                Some(resource) => Some(add(&mut all, resource, config).ok_or_else(|| {
                    let at = format!("routes[{number}].resource");
                    ConfigError::new(at, "is not what was configured before for the same resource")
                })?),
            });
        }
        Ok(Self { all, by_rule, scopes: ChallengeScopes::new(config) })
    }

    /// Returns the response to a request for a document, or to its CORS preflight. Only the exact path is answered: any other spelling is
    /// left to the routes.
    pub(crate) fn answer(&self, request: &impl RequestHead) -> Option<StaticResponse> {
        let target = request.target();
        let path = target.split_once('?').map_or(target, |(path, _)| path);
        let mut here = self.all.iter().filter(|metadata| metadata.path() == path);
        let metadata = match (here.next()?, here.next()) {
            (only, None) => only,
            // Several hosts have a resource at this path.
            (_, Some(_)) => {
                let authority = request.authority().ok()??;
                let is_here = |it: &&Metadata| it.path() == path && it.authority().eq_ignore_ascii_case(&authority);
                self.all.iter().find(is_here)?
            }
        };
        let has = |name: &str| !matches!(request.header(name), Ok(None));
        let (headers, body) = match request.method() {
            "GET" | "HEAD" => (DOCUMENT, Rc::clone(&metadata.document)),
            "OPTIONS" if has("origin") && has("access-control-request-method") => (PREFLIGHT, "".into()),
            _ => return None,
        };
        Some(StaticResponse { status: 200, headers, body })
    }

    /// Returns whether no resource is configured.
    pub(crate) fn are_none(&self) -> bool {
        self.all.is_empty()
    }

    /// Returns the URL of the document for the rules of a request, and the scopes that they require. Returns `None` if they belong to no
    /// resource.
    pub(crate) fn challenge(&self, chosen: Chosen) -> Option<(&str, String)> {
        let number = chosen.rules().find_map(|rule| self.by_rule.get(rule).copied().flatten())?;
        Some((&self.all.get(number)?.url, self.scopes.of(chosen)))
    }
}

impl Metadata {
    fn path(&self) -> &str {
        self.url.get(self.path_at..).unwrap_or_default()
    }

    fn authority(&self) -> &str {
        let origin = self.url.get(..self.path_at).unwrap_or_default();
        origin.split_once("://").map_or(origin, |(_, authority)| authority)
    }
}

/// Adds a resource, and returns its index. Returns `None` if it was described differently before.
fn add(all: &mut Vec<Metadata>, resource: &config::Resource, config: &Config) -> Option<usize> {
    let (origin, path) = public_url(&resource.resource)?;
    let url = [origin, WELL_KNOWN, if path == "/" { "" } else { path }].concat();
    let document = document(resource, config);
    match all.iter().position(|known| known.url == url) {
        Some(number) => all.get(number).is_some_and(|known| *known.document == document).then_some(number),
        None => {
            all.push(Metadata { url, path_at: origin.len(), document: document.into() });
            Some(all.len().saturating_sub(1))
        }
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
