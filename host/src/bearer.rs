//! Whose request it is: the bearer token (RFC 6750 section 2.1), and no other place.

use crate::refusal::Refused;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use secrecy::{ExposeSecret, SecretString};

/// What the `Authorization` headers of a request hold. It has no `Debug`.
pub(crate) enum BearerCredentials {
    /// No header, or another scheme's.
    Nothing,
    /// A token, not verified yet; empty if nothing but the scheme is there.
    Token(SecretString),
    /// More than one header: who sends two wants to be two.
    Several,
}

impl BearerCredentials {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let Some(value) = values.next() else { return Self::Nothing };
        if values.next().is_some() {
            return Self::Several;
        }
        // A scheme has no case (RFC 9110 section 11.1), and its token follows one space or more (section 11.4).
        let Some((scheme, rest)) = value.as_bytes().split_at_checked("Bearer".len()) else { return Self::Nothing };
        if !scheme.eq_ignore_ascii_case(b"Bearer") || rest.first().is_some_and(|byte| *byte != b' ') {
            return Self::Nothing;
        }
        // What is not UTF-8 is no token either, and is refused as one that no token looks like.
        let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
        let token = rest.get(spaces..).unwrap_or_default();
        Self::Token(String::from_utf8_lossy(token).into_owned().into())
    }
}

/// The access token of the `Authorization` header, not verified yet.
pub(crate) struct Bearer(pub(crate) SecretString);

impl Bearer {
    /// Of headers that have exactly one `Authorization`, with a token.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        match BearerCredentials::of(headers) {
            BearerCredentials::Token(token) if !token.expose_secret().is_empty() => Some(Self(token)),
            _ => None,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Bearer {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        Self::of(&parts.headers).ok_or_else(Refused::no_token)
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
    fn one_bearer_token_and_nothing_else() {
        let token = |values: &[&str]| Bearer::of(&headers(values)).map(|bearer| bearer.0.expose_secret().to_owned());
        assert_eq!(token(&["Bearer a.b.c"]).as_deref(), Some("a.b.c"));
        assert_eq!(token(&["bearer  a.b.c"]).as_deref(), Some("a.b.c"));
        for refused in [&[][..], &["Bearer"], &["Bearer "], &["Basic a"], &["a.b.c"], &["Bearer a", "Bearer b"]] {
            assert_eq!(token(refused), None, "{refused:?}");
        }
    }

    #[test]
    fn who_names_the_scheme_has_presented_a_token_even_if_it_is_none() {
        let said = |values: &[&str]| match BearerCredentials::of(&headers(values)) {
            BearerCredentials::Nothing => "nothing".to_owned(),
            BearerCredentials::Token(token) => format!("token {}", token.expose_secret()),
            BearerCredentials::Several => "several".to_owned(),
        };
        for (values, expected) in [
            (&[][..], "nothing"),
            (&[""], "nothing"),
            (&["Basic YTpi"], "nothing"),
            (&["Bearera.b.c"], "nothing"),
            (&["Bearer"], "token "),
            (&["BEARER   a.b.c"], "token a.b.c"),
            (&["Bearer a, Bearer b"], "token a, Bearer b"),
            (&["Bearer é"], "token é"),
            (&["Bearer a", "Basic YTpi"], "several"),
        ] {
            assert_eq!(said(values), expected, "{values:?}");
        }
    }
}
