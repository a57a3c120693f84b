//! The bearer token of a request (RFC 6750 section 2.1). Only the `Authorization` header is read.

use crate::problem_response::ProblemResponse;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use secrecy::{ExposeSecret, SecretString};

/// The credentials in the `Authorization` headers of a request. The type does not implement `Debug`, so that tokens are not logged.
pub(crate) enum BearerCredentials {
    /// There is no `Authorization` header, or it has another scheme.
    None,
    /// The token, not verified yet. It is empty if the header contains only the scheme.
    Token(SecretString),
    /// There is more than one `Authorization` header. The request is rejected with 400 (RFC 6750 section 3.1).
    Several,
}

impl BearerCredentials {
    /// Reads the credentials of a request.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let Some(value) = values.next() else { return Self::None };
        if values.next().is_some() {
            return Self::Several;
        }
        // The scheme is case-insensitive (RFC 9110 section 11.1), and one or more spaces precede the token (section 11.4).
        let Some((scheme, rest)) = value.as_bytes().split_at_checked("Bearer".len()) else { return Self::None };
        if !scheme.eq_ignore_ascii_case(b"Bearer") || rest.first().is_some_and(|byte| *byte != b' ') {
            return Self::None;
        }
        // A token that is not UTF-8 is rejected later, because the replacement character is not part of any valid token.
        let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
        let token = rest.get(spaces..).unwrap_or_default();
        Self::Token(String::from_utf8_lossy(token).into_owned().into())
    }
}

/// The token of the `Authorization` header, not verified yet.
pub(crate) struct Bearer(pub(crate) SecretString);

impl Bearer {
    /// Returns the token if there is exactly one `Authorization` header, with the scheme `Bearer` and a token.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        match BearerCredentials::of(headers) {
            BearerCredentials::Token(token) if !token.expose_secret().is_empty() => Some(Self(token)),
            _ => None,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Bearer {
    type Rejection = ProblemResponse;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ProblemResponse> {
        Self::of(&parts.headers).ok_or_else(ProblemResponse::no_token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_bytes(value.as_bytes()).expect("a header"));
        }
        headers
    }

    #[test]
    fn exactly_one_bearer_token_is_accepted() {
        let token = |values: &[&str]| Bearer::of(&headers(values)).map(|bearer| bearer.0.expose_secret().to_owned());
        assert_eq!(token(&["Bearer a.b.c"]).as_deref(), Some("a.b.c"));
        assert_eq!(token(&["bearer  a.b.c"]).as_deref(), Some("a.b.c"));
        for rejected in [&[][..], &["Bearer"], &["Bearer "], &["Basic a"], &["a.b.c"], &["Bearer a", "Bearer b"]] {
            assert_eq!(token(rejected), None, "{rejected:?}");
        }
    }

    #[test]
    fn credentials_with_the_bearer_scheme_count_as_a_token_even_if_they_are_malformed() {
        let kind = |values: &[&str]| match BearerCredentials::of(&headers(values)) {
            BearerCredentials::None => "none".to_owned(),
            BearerCredentials::Token(token) => format!("token {}", token.expose_secret()),
            BearerCredentials::Several => "several".to_owned(),
        };
        for (values, expected) in [
            (&[][..], "none"),
            (&[""], "none"),
            (&["Basic YTpi"], "none"),
            (&["Bearera.b.c"], "none"),
            (&["Bearer"], "token "),
            (&["BEARER   a.b.c"], "token a.b.c"),
            (&["Bearer a, Bearer b"], "token a, Bearer b"),
            (&["Bearer é"], "token é"),
            (&["Bearer a", "Basic YTpi"], "several"),
        ] {
            assert_eq!(kind(values), expected, "{values:?}");
        }
    }
}
