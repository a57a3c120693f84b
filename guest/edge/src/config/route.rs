//! The rules for paths.

use super::{error::ConfigError, not_null::not_null, resource::Resource};
use poolgate_path::{HostPattern, Pattern};
use serde::Deserialize;

/// A rule: the requests that it matches, and what they must satisfy. Set exactly one of `path`, `prefix` and `template`, and exactly one of
/// `public`, `authenticated`, `any_of` and `all_of`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Matches exactly this path.
    pub path: Option<String>,
    /// Matches this path and the paths below it: `/api` matches `/api` and `/api/x`, but not `/apis`.
    pub prefix: Option<String>,
    /// Matches a path with placeholders for one segment each, such as `/users/{id}/orders`.
    pub template: Option<String>,
    /// The hosts that the rule matches: names such as `example.com`, IP addresses, and `*.example.com` for the hosts with one or more labels
    /// before `.example.com`. Case and the port of the request are ignored. The default is all hosts.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub hosts: Option<Vec<String>>,
    /// The methods that the rule matches, in capitals. The default is all. `GET` includes `HEAD`.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub methods: Option<Vec<String>>,
    /// Requires no token, and ignores any that is sent.
    #[serde(default)]
    pub public: bool,
    /// Requires a valid token and nothing more.
    #[serde(default)]
    pub authenticated: bool,
    /// Requires a token that satisfies at least one of these policies.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub any_of: Option<Vec<String>>,
    /// Requires a token that satisfies all of these policies.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub all_of: Option<Vec<String>>,
    /// Also forwards a request without a token. A request with an invalid token is still rejected.
    #[serde(default)]
    pub optional: bool,
    /// Forwards every request, and counts those that the rule would reject. Use it to try out a rule (Envoy RBAC calls this shadow rules).
    #[serde(default)]
    pub report_only: bool,
    /// The protected resource that the rule belongs to, instead of the `resource` of the whole configuration.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Resource"))]
    pub resource: Option<Resource>,
}

impl Route {
    /// Returns the pattern of the paths that the rule matches. `at` is the position of the rule in the configuration.
    pub(crate) fn pattern(&self, at: &str) -> Result<Pattern, ConfigError> {
        let pattern = match (&self.path, &self.prefix, &self.template) {
            (Some(path), None, None) => Pattern::exact(path),
            (None, Some(prefix), None) => Pattern::below(prefix),
            (None, None, Some(template)) => Pattern::template(template),
            _ => return Err(ConfigError::new(at, "set one of path, prefix and template")),
        };
        pattern.map_err(|error| ConfigError::new(at, error.to_string()))
    }

    /// Returns the hosts that the rule matches. An empty list is all hosts.
    pub(crate) fn host_patterns(&self, at: &str) -> Result<Vec<HostPattern>, ConfigError> {
        let hosts = self.hosts.iter().flatten().enumerate();
        let pattern = |(number, host): (usize, &String)| {
            HostPattern::new(host).map_err(|error| ConfigError::new(format!("{at}.hosts[{number}]"), error.to_string()))
        };
        hosts.map(pattern).collect()
    }
}

/// How CORS preflight requests are handled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CorsPreflight {
    /// They are handled like any other request: they need what their rule requires.
    #[default]
    Verify,
    /// They are forwarded without a token if a rule matches their path and the method in `Access-Control-Request-Method`.
    Pass,
}
