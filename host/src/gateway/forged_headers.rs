//! Headers of a client that an application could take for a claim, or for the path or the host of the request.

use super::{once_a_minute::OnceAMinute, original};
use crate::{HeaderChange, problem_response::ProblemResponse};
use axum::http::{HeaderMap, StatusCode};
use poolgate_path::{are_alike, is_host_override, path_override};

static WARNING: OnceAMinute = OnceAMinute::new();

/// Rejects a request whose client sent such a header, in any spelling that a server may convert to it. The headers that a proxy sets are allowed
/// in exactly its spelling, because the proxy replaces those of a client.
pub(crate) fn reject(headers: &HeaderMap) -> Result<(), ProblemResponse> {
    match headers.keys().find_map(|name| forged(name.as_str())) {
        Some(header) => Err(rejected(&header)),
        None => Ok(()),
    }
}

fn rejected(header: &str) -> ProblemResponse {
    if WARNING.is_due() {
        tracing::warn!(
            header,
            hint = "the application must not receive it from a client: remove it in the proxy before the verification, as the examples do",
            "rejected (400) a request with a header, or another spelling of it, that an application can take for a claim, or for another path or host"
        );
    }
    let detail = "the request has a header that an application can take for a claim, or for another path or host";
    ProblemResponse::request(StatusCode::BAD_REQUEST, detail)
}

/// Like [`reject`], for the claim headers of a gate.
pub(crate) fn reject_alike(headers: &HeaderMap, claim_headers: &[String]) -> Result<(), ProblemResponse> {
    let alike = |name: &str| {
        let is_other = |known: &&String| known.as_str() != name && are_alike(known.as_bytes(), name.as_bytes());
        claim_headers.iter().find(is_other).map(String::as_str)
    };
    let forged = |name: &str| alike(name).map(str::to_owned).or_else(|| forged(name));
    match headers.keys().find_map(|name| forged(name.as_str())) {
        Some(header) => Err(rejected(&header)),
        None => Ok(()),
    }
}

/// Rejects a request with a header from which an application may take another path or host, if the gate would remove it: the proxy does not.
pub(crate) fn reject_removed(headers: &HeaderMap, changes: &[HeaderChange]) -> Result<(), ProblemResponse> {
    let is_override = |name: &str| {
        let is_host = headers.get_all(name).iter().any(|value| is_host_override(name.as_bytes(), value.as_bytes()));
        is_host || path_override(name.as_bytes()).is_some()
    };
    let removed = changes.iter().find_map(|change| match change {
        HeaderChange::Remove(name) if is_override(name) => Some(name),
        _ => None,
    });
    removed.map_or(Ok(()), |name| Err(rejected(name)))
}

/// The header that an application can take this one for. `name` is in lower case, as in every [`HeaderMap`].
fn forged(name: &str) -> Option<String> {
    let plain: String = name.chars().map(|it| if it.is_ascii_alphanumeric() { it } else { '-' }).collect();
    let is_allowed = if path_override(name.as_bytes()).is_some() {
        plain == name && original::is_set_by_proxies(name)
    } else {
        plain == name || !plain.starts_with("x-poolgate-")
    };
    (!is_allowed).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_headers_of_a_proxy_are_allowed() {
        for allowed in [
            "x-original-uri",
            "x-original-method",
            "x-forwarded-uri",
            "x-forwarded-method",
            "x-poolgate-groups",
            "x-poolgate-expires-at",
            "x-forwarded-for",
            "x-forwarded-prefix",
            "x-envoy-original-path",
            "authorization",
            "x_request_id",
            "script",
            "host",
        ] {
            assert_eq!(forged(allowed), None, "{allowed}");
        }
        for (name, known) in [
            ("script_name", "script-name"),
            ("script-name", "script-name"),
            ("x-script-name", "x-script-name"),
            ("path_info", "path-info"),
            ("request_uri", "request-uri"),
            ("request.uri", "request-uri"),
            ("x-original-url", "x-original-url"),
            ("x_original_url", "x-original-url"),
            ("x-original_url", "x-original-url"),
            ("x_original_uri", "x-original-uri"),
            ("x_forwarded_uri", "x-forwarded-uri"),
            ("x_forwarded_method", "x-forwarded-method"),
            ("x-rewrite_url", "x-rewrite-url"),
            ("x.rewrite.url", "x-rewrite-url"),
            ("x_poolgate_groups", "x-poolgate-groups"),
            ("x.poolgate.groups", "x-poolgate-groups"),
            ("x-poolgate_groups", "x-poolgate-groups"),
            ("x_poolgate_other", "x-poolgate-other"),
            ("x.poolgate~username", "x-poolgate-username"),
        ] {
            assert_eq!(forged(name).as_deref(), Some(known), "{name}");
        }
    }
}
