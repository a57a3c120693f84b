//! Where a request's token is.

use crate::{config, head::RequestHead};
use std::{borrow::Cow, fmt};

#[derive(Debug)]
pub(crate) enum Place {
    Header { name: String, prefix: String },
    Cookie(String),
    Query(String),
}

/// What was found.
pub(crate) enum Found<'r> {
    Nothing,
    Token(Cow<'r, str>),
    /// Two, or a header that stands there twice (RFC 6750 section 2: "MUST NOT use more than one method").
    Several,
}

/// What must be done to the request so that the application does not get the token.
#[derive(Clone, PartialEq, Eq)]
pub enum Removal {
    /// Take this header away.
    Header(String),
    /// Give this header (`cookie`, `:path`) the value.
    Replace(String, String),
}

impl fmt::Debug for Removal {
    /// Leaves out the value: other cookies and parameters are no less secret than the token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => formatter.debug_tuple("Header").field(name).finish(),
            Self::Replace(name, _) => formatter.debug_tuple("Replace").field(name).finish_non_exhaustive(),
        }
    }
}

impl Place {
    pub(crate) fn new(stated: &config::TokenPlace) -> Self {
        match (&stated.header, &stated.cookie) {
            (Some(name), _) => Self::Header { name: name.clone(), prefix: stated.prefix.clone().unwrap_or_default() },
            (None, Some(name)) => Self::Cookie(name.clone()),
            (None, None) => Self::Query(stated.query.clone().unwrap_or_default()),
        }
    }

    fn look<'r>(&self, request: &'r impl RequestHead) -> Result<Option<Cow<'r, str>>, ()> {
        match self {
            Self::Header { name, prefix } => {
                let Some(value) = request.header(name)? else { return Ok(None) };
                part(value, |value| Ok(without_prefix(value, prefix, name == "authorization")))
            }
            Self::Cookie(name) => match request.header("cookie")? {
                Some(cookies) => part(cookies, |cookies| only(cookies.split(';').map(str::trim), name)),
                None => Ok(None),
            },
            Self::Query(name) => match request.target().split_once('?') {
                Some((_, query)) => Ok(only(query.split('&'), name)?.map(Cow::Borrowed)),
                None => Ok(None),
            },
        }
    }
}

/// A part of a text, which is copied only if the text is not borrowed either.
fn part<'r>(
    text: Cow<'r, str>,
    take: impl FnOnce(&str) -> Result<Option<&str>, ()>,
) -> Result<Option<Cow<'r, str>>, ()> {
    match text {
        Cow::Borrowed(text) => Ok(take(text)?.map(Cow::Borrowed)),
        Cow::Owned(text) => Ok(take(&text)?.map(|part| Cow::Owned(part.to_owned()))),
    }
}

/// What takes every place's token out of the request. All cookies go in one step, and so do all parameters: a second step that began with what
/// the client sent would bring the first one's back.
pub(crate) fn removals(places: &[Place], request: &impl RequestHead) -> Vec<Removal> {
    let mut removals = Vec::new();
    let (mut cookies, mut parameters) = (Vec::new(), Vec::new());
    for place in places {
        match place {
            Place::Header { name, .. } => removals.push(Removal::Header(name.clone())),
            Place::Cookie(name) => cookies.push(name.as_str()),
            Place::Query(name) => parameters.push(name.as_str()),
        }
    }
    if !cookies.is_empty()
        && let Ok(Some(sent)) = request.header("cookie")
    {
        let (rest, header) = (without(&sent, ";", &cookies).join("; "), "cookie".to_owned());
        removals.push(if rest.is_empty() { Removal::Header(header) } else { Removal::Replace(header, rest) });
    }
    if !parameters.is_empty()
        && let Some((path, query)) = request.target().split_once('?')
    {
        let rest = without(query, "&", &parameters).join("&");
        let target = if rest.is_empty() { path.to_owned() } else { format!("{path}?{rest}") };
        removals.push(Removal::Replace(":path".to_owned(), target));
    }
    removals
}

fn without<'p>(pairs: &'p str, separator: &str, names: &[&str]) -> Vec<&'p str> {
    let is_other = |pair: &&str| pair.split_once('=').is_none_or(|(own, _)| !names.contains(&own));
    pairs.split(separator).map(str::trim).filter(is_other).collect()
}

/// Looks everywhere.
pub(crate) fn find<'r>(places: &[Place], request: &'r impl RequestHead) -> Found<'r> {
    let mut found = Found::Nothing;
    for place in places {
        match (place.look(request), &found) {
            (Ok(None), _) => (),
            (Ok(Some(token)), Found::Nothing) => found = Found::Token(token),
            (Ok(Some(_)) | Err(()), _) => return Found::Several,
        }
    }
    found
}

/// A scheme is followed by one space or more (RFC 9110 section 11.4), and its case says nothing.
fn without_prefix<'v>(value: &'v str, prefix: &str, is_scheme: bool) -> Option<&'v str> {
    if !is_scheme {
        return value.strip_prefix(prefix);
    }
    let scheme = prefix.trim_end();
    let (own, token) = value.split_at_checked(scheme.len())?;
    if !own.eq_ignore_ascii_case(scheme) {
        return None;
    }
    match token.strip_prefix(' ') {
        Some(token) => Some(token.trim_start_matches(' ')),
        // "Bearer" and nothing else is an empty token, not none.
        None => (token.is_empty() || scheme.is_empty()).then_some(token),
    }
}

fn only<'p>(pairs: impl Iterator<Item = &'p str>, name: &str) -> Result<Option<&'p str>, ()> {
    let mut values =
        pairs.filter_map(|pair| pair.split_once('=')).filter(|(own, _)| *own == name).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sent;

    impl RequestHead for Sent {
        fn method(&self) -> &str {
            "GET"
        }

        fn target(&self) -> &str {
            "/x?c=1&p=token&d=2&q=token"
        }

        fn header(&self, name: &str) -> Result<Option<Cow<'_, str>>, ()> {
            Ok((name == "cookie").then_some("a=token; x=1; b=token".into()))
        }
    }

    #[test]
    fn of_several_cookies_and_parameters_none_is_left() {
        let places = [
            Place::Cookie("a".into()),
            Place::Query("p".into()),
            Place::Cookie("b".into()),
            Place::Cookie("absent".into()),
            Place::Query("q".into()),
        ];
        let expected =
            [Removal::Replace("cookie".into(), "x=1".into()), Removal::Replace(":path".into(), "/x?c=1&d=2".into())];
        assert_eq!(removals(&places, &Sent), expected);
    }

    #[test]
    fn a_scheme_has_no_case_and_its_token_follows_spaces() {
        for (value, token) in [
            ("Bearer a.b.c", Some("a.b.c")),
            ("bearer   a.b.c", Some("a.b.c")),
            ("BEARER a", Some("a")),
            ("Bearer", Some("")),
            ("Bearer ", Some("")),
            ("Basic a", None),
            ("Bearera.b.c", None),
            ("Bear", None),
            ("é", None),
        ] {
            assert_eq!(without_prefix(value, "Bearer ", true), token, "{value}");
        }
        assert_eq!(without_prefix("Token a", "Token ", false), Some("a"));
        assert_eq!(without_prefix("token a", "Token ", false), None);
        assert_eq!(without_prefix("a", "", false), Some("a"));
    }
}
