//! The metadata of the protected resource (RFC 9728).

use super::{not_null::not_null, pool::Pool};
use serde::Deserialize;

/// The protected resource that clients discover (RFC 9728), such as an MCP server. Its metadata is served at
/// `/.well-known/oauth-protected-resource` followed by the path of `resource`, and named in `WWW-Authenticate`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// The identifier of the resource: the URL that clients are given, such as `https://mcp.example.com/mcp`. `https`, or `http` for a loopback
    /// address; without a query and a fragment.
    pub resource: String,
    /// The issuers that clients get tokens from. The default is the issuer of each pool that is an authorization server.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub authorization_servers: Option<Vec<String>>,
    /// The scopes that clients may request if the response to their request names none.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub scopes_supported: Option<Vec<String>>,
    /// The name of the resource, for people.
    pub resource_name: Option<String>,
    /// The URL of a page for developers.
    pub resource_documentation: Option<String>,
}

impl Resource {
    /// Returns the issuers that clients get tokens from.
    pub(crate) fn servers(&self, pools: &[Pool]) -> Vec<String> {
        match &self.authorization_servers {
            Some(servers) => servers.clone(),
            None => pools.iter().filter_map(Pool::authorization_server).collect(),
        }
    }
}
