//! Checks of the locations of tokens.

use super::{error::ConfigError, tokens::TokenLocation};

/// Checks one location. `all` are all locations.
pub(super) fn location(at: String, location: &TokenLocation, all: &[TokenLocation]) -> Result<(), ConfigError> {
    let error = |member: &str, message: &str| Err(ConfigError::new(format!("{at}{member}"), message));
    let names = [&location.header, &location.cookie, &location.cookie_pattern, &location.query];
    let mut names = names.into_iter().flatten();
    let (Some(name), None) = (names.next(), names.next()) else {
        return error("", "set one of header, cookie, cookie_pattern and query");
    };
    if !is_token(name) {
        return error("", "the name is empty, or has an invalid character");
    }
    let Some(header) = &location.header else {
        return match (&location.prefix, &location.element_prefix, &location.cookie_pattern) {
            (Some(_), _, _) => error(".prefix", "requires header"),
            (None, Some(_), _) => error(".element_prefix", "requires header"),
            (None, None, _) if location.prefix_optional => error(".prefix_optional", "requires header and prefix"),
            (None, None, Some(pattern)) if pattern.starts_with('*') || pattern.matches('*').count() != 1 => {
                error(".cookie_pattern", "must have exactly one *, and text before it: for one name, use cookie")
            }
            _ => Ok(()),
        };
    };
    if *header != header.to_ascii_lowercase() {
        return error(".header", "must be in lower case");
    }
    if location.prefix_optional && location.prefix.as_ref().is_none_or(String::is_empty) {
        return error(".prefix_optional", "requires prefix: without one, the whole header is the token");
    }
    let Some(prefix) = &location.element_prefix else { return Ok(()) };
    if location.prefix.is_some() {
        return error(".element_prefix", "set prefix or element_prefix, not both");
    }
    let is_plain = |byte: u8| matches!(byte, 0x21..=0x7e) && byte != b',' && byte != b'"';
    if prefix.is_empty() || !prefix.bytes().all(is_plain) {
        return error(".element_prefix", "must be printable ASCII without spaces, commas and quotes, and not empty");
    }
    let is_whole = |other: &TokenLocation| other.header.as_ref() == Some(header) && other.element_prefix.is_none();
    match all.iter().any(is_whole) {
        true => error(".header", "is also a location without element_prefix: a header is a list or a token"),
        false => Ok(()),
    }
}

/// Returns whether a name is a token in the sense of RFC 9110 section 5.6.2.
pub(super) fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
