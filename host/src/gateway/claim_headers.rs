//! The `X-Poolgate-*` response headers with the claims of a verified token, which the proxy copies to the request.

use crate::{TokenUse, Verified, problem_response::ProblemResponse};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use poolgate_path::encode_claim;

/// The headers for a request that may pass. `verified` is `None` if the path requires no token.
pub(crate) fn response(headers: &HeaderMap, verified: Option<&Verified>) -> Result<ClaimHeaders, ProblemResponse> {
    if removes_claim_headers(headers) {
        let detail = "the Connection header must not name an X-Poolgate-* header";
        return Err(ProblemResponse::request(StatusCode::BAD_REQUEST, detail));
    }
    Ok(verified.map_or_else(empty, claims))
}

/// A proxy removes each header that `Connection` names (RFC 9110 section 7.6.1), including one that it has just set. A client that names
/// a claim header there would hide it from the application. Some applications treat `_` like `-`.
fn removes_claim_headers(headers: &HeaderMap) -> bool {
    headers.get_all(header::CONNECTION).iter().any(|value| {
        let options = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        options.into_iter().any(|option| {
            let name: Vec<u8> =
                option.iter().map(|byte| if *byte == b'_' { b'-' } else { byte.to_ascii_lowercase() }).collect();
            name.starts_with(b"x-poolgate-")
        })
    })
}

/// All `X-Poolgate-*` headers.
pub(crate) type ClaimHeaders = [(HeaderName, HeaderValue); 8];

const NAMES: [&str; 8] = [
    "x-poolgate-subject",
    "x-poolgate-username",
    "x-poolgate-client-id",
    "x-poolgate-token-use",
    "x-poolgate-issuer",
    "x-poolgate-groups",
    "x-poolgate-scopes",
    "x-poolgate-expires-at",
];

/// The headers for a path that requires no token: all of them, empty, so that forged ones are replaced.
fn empty() -> ClaimHeaders {
    NAMES.map(|name| (HeaderName::from_static(name), HeaderValue::from_static("")))
}

fn claims(verified: &Verified) -> ClaimHeaders {
    let text = |value: &Option<String>| encoded(value.as_deref().unwrap_or_default());
    let token_use = verified.token_use.map_or("", |token_use| match token_use {
        TokenUse::Access => "access",
        TokenUse::Id => "id",
    });
    let groups: Vec<String> = verified.groups.iter().map(|group| encode_claim(group, true)).collect();
    // A scope of another issuer may contain a space. Otherwise the application would read it as two scopes.
    let scopes: Vec<String> =
        verified.scopes.iter().map(|scope| encode_claim(scope, false).replace(' ', "%20")).collect();
    let values = [
        text(&verified.subject),
        text(&verified.username),
        text(&verified.client_id),
        HeaderValue::from_static(token_use),
        text(&verified.issuer),
        printable(&groups.join(",")),
        printable(&scopes.join(" ")),
        verified.expires_at.into(),
    ];
    let mut names = NAMES.iter();
    values.map(|value| (HeaderName::from_static(names.next().copied().unwrap_or_default()), value))
}

fn encoded(text: &str) -> HeaderValue {
    printable(&encode_claim(text, false))
}

/// `text` must be printable ASCII.
fn printable(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim_rule_lists::FittingLists;

    #[test]
    fn an_element_with_a_separator_in_it_is_still_one() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let verified = Verified {
            subject: None,
            username: None,
            token_use: None,
            issuer: None,
            client_id: None,
            groups: names(&["readers", "a,admins", "b c"]),
            scopes: names(&["orders/read", "a orders/write", "50%"]),
            issued_at: None,
            expires_at: 9,
            auth_time: None,
            payload: String::new(),
            keys_are_stale: false,
            fitting: FittingLists::of(0),
        };
        let headers: HeaderMap = claims(&verified).into_iter().collect();
        assert_eq!(headers["x-poolgate-groups"], "readers,a%2Cadmins,b c");
        assert_eq!(headers["x-poolgate-scopes"], "orders/read a%20orders/write 50%25");
        assert_eq!(headers["x-poolgate-subject"], "");
    }
}
