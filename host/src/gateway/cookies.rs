//! The refresh token in a cookie, out of reach of scripts, and sent to us alone.

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, SameSite, time::Duration};
use secrecy::{ExposeSecret, SecretString};

/// The prefix makes browsers refuse it without `Secure` (draft-ietf-httpbis-rfc6265bis section 4.1.3).
const NAME: &str = "__Secure-poolgate-refresh";
const PATH: &str = "/v1";
/// Cognito's own default for refresh tokens; it ends them itself.
const LIFE: Duration = Duration::days(30);

fn cookie(value: &str) -> cookie::CookieBuilder<'_> {
    Cookie::build((NAME, value)).path(PATH).http_only(true).secure(true).same_site(SameSite::Strict)
}

/// `Set-Cookie` for a refresh token; `None` if it has characters that no cookie has.
pub(crate) fn set(token: &SecretString) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&cookie(token.expose_secret()).max_age(LIFE).to_string()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// `Set-Cookie` that removes it.
pub(crate) fn clear() -> Option<HeaderValue> {
    HeaderValue::from_str(&cookie("").max_age(Duration::ZERO).to_string()).ok()
}

/// The refresh token that a request brings.
pub(crate) fn get(headers: &HeaderMap) -> Option<SecretString> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .find(|cookie| cookie.name() == NAME)
        .map(|cookie| cookie.value().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_for_us_alone() {
        let value = set(&"a.b-c".into()).expect("a header");
        let text = value.to_str().expect("ASCII");
        let expected = "__Secure-poolgate-refresh=a.b-c; HttpOnly; SameSite=Strict; Secure; Path=/v1; Max-Age=2592000";
        assert_eq!(text, expected);
        assert!(!format!("{value:?}").contains("a.b-c"), "its Debug tells it");
        assert!(clear().is_some_and(|value| value.to_str().is_ok_and(|text| text.ends_with("Max-Age=0"))));
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; __Secure-poolgate-refresh=a.b-c"));
        assert_eq!(get(&headers).map(|token| token.expose_secret().to_owned()).as_deref(), Some("a.b-c"));
    }
}
