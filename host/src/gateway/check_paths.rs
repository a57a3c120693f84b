//! The paths at which a reverse proxy asks whether a request may pass.

/// For nginx, Caddy and Traefik.
pub(crate) const VERIFY: &str = "/v1/verify";
/// For Envoy's `ext_authz`, which appends the path and the query of the original request to this prefix and keeps the method.
pub(crate) const EXT_AUTHZ: &str = "/v1/ext-authz";

/// Whether a path is one of these or below one of them.
pub(crate) fn is_authorization_check(path: &str) -> bool {
    let below = |prefix| path.strip_prefix(prefix).is_some_and(|rest: &str| rest.is_empty() || rest.starts_with('/'));
    below(VERIFY) || below(EXT_AUTHZ)
}
