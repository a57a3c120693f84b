//! The `X-Poolgate-*` response headers with the claims of a verified token, which the proxy copies to the request.

use crate::{TokenUse, Verified, problem_response::ProblemResponse};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use std::fmt::Write;

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
    let groups: Vec<String> = verified.groups.iter().map(|group| percent(group, true)).collect();
    let values = [
        text(&verified.subject),
        text(&verified.username),
        text(&verified.client_id),
        HeaderValue::from_static(token_use),
        text(&verified.issuer),
        printable(&groups.join(",")),
        encoded(&verified.scopes.join(" ")),
        verified.expires_at.into(),
    ];
    let mut names = NAMES.iter();
    values.map(|value| (HeaderName::from_static(names.next().copied().unwrap_or_default()), value))
}

fn encoded(text: &str) -> HeaderValue {
    printable(&percent(text, false))
}

/// `text` must be printable ASCII.
fn printable(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

/// Percent-encodes `%`, everything outside printable ASCII, leading and trailing spaces, which HTTP parsers remove (RFC 9110 section 5.5), and,
/// in an element of a list, `,`. The same as `encoded` in guest/edge/src/claims.rs, on which the host may not depend.
fn percent(text: &str, is_in_a_list: bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    let last = text.len().saturating_sub(1);
    for (at, byte) in text.bytes().enumerate() {
        let is_plain = match byte {
            b'%' => false,
            b',' => !is_in_a_list,
            b' ' => at != 0 && at != last,
            byte => matches!(byte, 0x21..=0x7e),
        };
        if is_plain {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_a_header_cannot_contain_are_encoded() {
        assert_eq!(percent("änna\n100%", false), "%C3%A4nna%0A100%25");
        assert_eq!(percent("a,b", true), "a%2Cb");
        assert_eq!(percent("a,b", false), "a,b");
    }

    #[test]
    fn leading_and_trailing_spaces_are_encoded() {
        for (text, expected) in [
            (" admins", "%20admins"),
            ("admins ", "admins%20"),
            ("  a b  ", "%20 a b %20"),
            (" ", "%20"),
            ("  ", "%20%20"),
            ("", ""),
            ("\tadmins\u{a0}", "%09admins%C2%A0"),
        ] {
            for is_in_a_list in [true, false] {
                assert_eq!(percent(text, is_in_a_list), expected, "{text:?}");
            }
        }
    }
}
