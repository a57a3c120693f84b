//! Header names that an application may take for a claim, or for the path of the request.

use super::once_a_minute::OnceAMinute;
use crate::problem_response::ProblemResponse;
use axum::http::{HeaderMap, StatusCode};

static WARNING: OnceAMinute = OnceAMinute::new();

/// The names under which the proxies send the original request.
const ORIGINAL: [&str; 4] = ["x-original-uri", "x-original-method", "x-forwarded-uri", "x-forwarded-method"];
/// CGI variables (RFC 3875 section 4.1) that some WSGI servers take from headers. gunicorn removes the value of `SCRIPT_NAME` from the path.
const VARIABLES: [&str; 3] = ["script-name", "path-info", "request-uri"];

/// Rejects a request whose headers can mislead the application behind the proxy.
///
/// The proxy replaces the claim headers and the headers with the original path. An application that converts header names to variables (CGI,
/// WSGI, PHP) also reads them under other spellings, such as `X_Poolgate_Groups`, which the proxy may let pass.
pub(crate) fn check(headers: &HeaderMap) -> Result<(), ProblemResponse> {
    if !headers.keys().any(|name| is_misleading(name.as_str())) {
        return Ok(());
    }
    if WARNING.is_due() {
        tracing::warn!(
            "a request was rejected: the name of a header resembles a claim header or a header with the path, such as \
             X_Poolgate_Groups or SCRIPT_NAME"
        );
    }
    Err(ProblemResponse::request(StatusCode::BAD_REQUEST, "a header of the original request has a misleading name"))
}

/// `name` is in lower case, as in every [`HeaderMap`].
fn is_misleading(name: &str) -> bool {
    let plain: String = name.chars().map(|it| if it.is_ascii_alphanumeric() { it } else { '-' }).collect();
    let is_overriding = ["x-original-", "x-rewrite-", "x-poolgate-"].iter().any(|prefix| plain.starts_with(prefix));
    VARIABLES.contains(&plain.as_str()) || (plain != name && (is_overriding || ORIGINAL.contains(&plain.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_spellings_of_claim_and_path_headers_are_misleading() {
        for name in [
            "script_name",
            "script-name",
            "path_info",
            "request_uri",
            "x_poolgate_groups",
            "x.poolgate.groups",
            "x-poolgate_groups",
            "x_original_url",
            "x-original_url",
            "x.rewrite.url",
            "x_forwarded_uri",
        ] {
            assert!(is_misleading(name), "{name}");
        }
        for name in [
            "x-original-uri",
            "x-original-url",
            "x-forwarded-uri",
            "x-poolgate-groups",
            "x_request_id",
            "script",
            "host",
        ] {
            assert!(!is_misleading(name), "{name}");
        }
    }
}
