//! Where a request may carry its token.

use crate::{
    config,
    head::RequestHead,
    names::{NamePattern, decoded},
};
use std::borrow::Cow;

/// Where a request may carry its token.
#[derive(Debug)]
pub(crate) enum TokenLocation {
    /// A header that holds nothing else.
    Header {
        name: String,
        prefix: String,
        is_prefix_optional: bool,
    },
    /// One element of a header that holds a list (RFC 9110 section 5.6.1).
    Element {
        name: String,
        prefix: String,
    },
    Cookie(NamePattern),
    Query(NamePattern),
}

impl TokenLocation {
    pub(crate) fn new(location: &config::TokenLocation) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        match (&location.header, &location.cookie, &location.cookie_pattern) {
            (Some(name), ..) if location.element_prefix.is_some() => {
                Self::Element { name: name.clone(), prefix: text(&location.element_prefix) }
            }
            (Some(name), ..) => Self::Header {
                name: name.clone(),
                prefix: text(&location.prefix),
                is_prefix_optional: location.prefix_optional,
            },
            (None, Some(name), _) => Self::Cookie(NamePattern::exact(name)),
            (None, None, Some(pattern)) => Self::Cookie(NamePattern::pattern(pattern)),
            (None, None, None) => Self::Query(NamePattern::exact(&text(&location.query))),
        }
    }

    /// Returns the token at this location.
    ///
    /// # Errors
    /// If there are several.
    pub(crate) fn token_in<'r>(&self, request: &'r impl RequestHead) -> Result<Option<Cow<'r, str>>, ()> {
        match self {
            Self::Header { name, prefix, is_prefix_optional } => {
                let is_scheme = name == "authorization";
                part(request.header(name)?, |value| {
                    let bare = || if *is_prefix_optional { bare(value) } else { None };
                    Ok(without_prefix(value, prefix, is_scheme).or_else(bare))
                })
            }
            Self::Element { name, prefix } => part(all_fields(request, name, ", "), |list| {
                let token = only(elements(list).filter_map(|element| after_prefix(element, prefix)))?;
                // A comma in a quoted string separates nothing, but not every reader knows quoted strings.
                if token.is_some() && list.contains('"') { Err(()) } else { Ok(token) }
            }),
            Self::Cookie(names) => part(all_fields(request, "cookie", "; "), |cookies| {
                let values = values(cookies.split(';').map(without_blanks), |own| names.matches(own.as_bytes()));
                Ok(only(values)?.map(without_quotes))
            }),
            Self::Query(names) => match request.target().split_once('?') {
                Some((_, query)) => {
                    // Some servers and proxies also separate at `;`, as HTML 4.01 section B.2.2 recommended.
                    let values =
                        values(query.split(['&', ';']), |own| names.matches(&decoded(own).collect::<Vec<u8>>()));
                    Ok(only(values)?.map(Cow::Borrowed))
                }
                None => Ok(None),
            },
        }
    }
}

/// Returns a part of a text. Copies it only if the text is owned.
fn part<'r>(
    text: Option<Cow<'r, str>>,
    take: impl FnOnce(&str) -> Result<Option<&str>, ()>,
) -> Result<Option<Cow<'r, str>>, ()> {
    match text {
        None => Ok(None),
        Some(Cow::Borrowed(text)) => Ok(take(text)?.map(Cow::Borrowed)),
        Some(Cow::Owned(text)) => Ok(take(&text)?.map(|part| Cow::Owned(part.to_owned()))),
    }
}

/// Returns the value of a header. Joins several fields: a list may be in several (RFC 9110 section 5.3), and in HTTP/2, each cookie may be in its own
/// (RFC 9113 section 8.2.3). A client may send several `Cookie` fields in HTTP/1, too.
pub(crate) fn all_fields<'r>(request: &'r impl RequestHead, name: &str, separator: &str) -> Option<Cow<'r, str>> {
    request.header(name).unwrap_or_else(|()| {
        let mut all = String::new();
        request.each_header(&mut |own, value| {
            if own == name.as_bytes() {
                all.push_str(if all.is_empty() { "" } else { separator });
                all.push_str(&String::from_utf8_lossy(value));
            }
        });
        Some(all.into())
    })
}

/// Returns the elements of a list.
pub(crate) fn elements(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(without_blanks)
}

/// Returns what follows the prefix of an element. Case is ignored, so that no reader finds a token that is not found here.
pub(crate) fn after_prefix<'e>(element: &'e str, prefix: &str) -> Option<&'e str> {
    let (own, rest) = element.split_at_checked(prefix.len())?;
    own.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Removes what browsers remove around a cookie: spaces and tabs. To a browser, other white space belongs to the name, which then has no prefix
/// `__Host-`.
pub(crate) fn without_blanks(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// Removes the quotation marks around a value (RFC 6265 section 4.1.1).
fn without_quotes(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

/// Returns the token after the prefix. A scheme is case-insensitive and is followed by one or more spaces (RFC 9110 section 11.4).
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
        // "Bearer" alone is an empty token, not an absent one.
        None => (token.is_empty() || scheme.is_empty()).then_some(token),
    }
}

/// Returns the whole value if it is one word. `Basic YTpi` is two: credentials of another scheme.
pub(crate) fn bare(value: &str) -> Option<&str> {
    let word = without_blanks(value);
    (!word.is_empty() && !word.contains([' ', '\t'])).then_some(word)
}

/// Returns the values of the pairs with such a name.
fn values<'p>(pairs: impl Iterator<Item = &'p str>, is_name: impl Fn(&str) -> bool) -> impl Iterator<Item = &'p str> {
    pairs.filter_map(|pair| pair.split_once('=')).filter(move |(own, _)| is_name(own)).map(|(_, value)| value)
}

/// Returns the only item. Fails if there are several.
fn only<'p>(mut items: impl Iterator<Item = &'p str>) -> Result<Option<&'p str>, ()> {
    match (items.next(), items.next()) {
        (item, None) => Ok(item),
        (_, Some(_)) => Err(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_is_case_insensitive_and_is_followed_by_spaces() {
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
