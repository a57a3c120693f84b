//! Redirects browsers to a login page.

use crate::{
    config::{self, ConfigError, public_url},
    head::RequestHead,
    header_mutation::HeaderMutation,
    policies::RouteRequirement,
    rejection::Rejection,
    routes::{Effect, Routes},
    token_location::TokenLocation,
    tokens,
};
use poolgate_path::Host;

/// The maximum length of `Location`, in bytes. If the URL to return to makes it longer, that URL is omitted.
const LOCATION_LIMIT: usize = 4_096;

/// The configured login page.
#[derive(Debug)]
pub(crate) struct LoginPage {
    url: String,
    /// What stands before the percent-encoded URL to return to, and the origin of this URL.
    return_to: Option<(String, String)>,
}

impl LoginPage {
    pub(crate) fn new(login: &config::Login) -> Self {
        let separator = if login.url.contains('?') { "&" } else { "?" };
        let prefix = |name: &String| [&login.url, separator, name, "="].concat();
        let parameter = login.return_parameter.as_ref().map(prefix);
        Self { url: login.url.clone(), return_to: parameter.zip(login.return_origin.clone()) }
    }

    /// Returns a warning if the page is on the protected origin, and browsers do not reach it without a token.
    pub(crate) fn warning(&self, routes: &Routes) -> Option<ConfigError> {
        let (origin, rest) = public_url(&self.url)?;
        let (_, authority) = origin.split_once("://")?;
        if self.return_to.as_ref().is_none_or(|(_, own)| own != origin) {
            return None;
        }
        let path = if rest.starts_with('/') { rest } else { "/" };
        let is_public = |effect: Option<&Effect>| effect.is_some_and(|it| it.requirement == RouteRequirement::Nothing);
        let chosen = routes.choose(&Host::of(authority), "GET", path);
        match chosen.is_ok_and(|chosen| routes.effects(chosen).all(is_public)) {
            true => None,
            false => {
                Some(ConfigError::new("answers.login.url", "no public rule is for this page: browsers do not reach it"))
            }
        }
    }

    /// Returns the URL that a browser is redirected to, or `None` if the response to this request is not a redirect: the request is not a
    /// navigation, or a login would not help.
    pub(crate) fn location(
        &self,
        rejection: Rejection,
        request: &impl RequestHead,
        locations: &[TokenLocation],
    ) -> Option<String> {
        let needs_token = matches!(rejection, Rejection::NoToken | Rejection::Token(_)) && rejection.status() == 401;
        if !needs_token || !is_navigation(request) {
            return None;
        }
        Some(self.with_return(request, locations).unwrap_or_else(|| self.url.clone()))
    }

    /// Returns `None` if the URL to return to is not configured, too long, or not safe.
    fn with_return(&self, request: &impl RequestHead, locations: &[TokenLocation]) -> Option<String> {
        let (prefix, origin) = self.return_to.as_ref()?;
        // A token in the query does not leave this server.
        let stripped = tokens::mutations(locations, request, false).into_iter().find_map(|mutation| match mutation {
            HeaderMutation::Set(name, target) if name == ":path" => Some(target),
            _ => None,
        });
        let target = stripped.as_deref().unwrap_or(request.target());
        if target.len() > LOCATION_LIMIT || !is_safe(target) {
            return None;
        }
        let mut location = prefix.clone();
        encode(&mut location, origin);
        encode(&mut location, target);
        (location.len() <= LOCATION_LIMIT).then_some(location)
    }
}

/// Returns whether every reader takes a request target for a path and a query on the origin that stands before it. A login page may remove the
/// origin; what remains must not begin like the authority of another one (`//evil.example`, `/\evil.example`), even after a browser has
/// removed dot segments.
fn is_safe(target: &str) -> bool {
    let path = target.split('?').next().unwrap_or_default();
    let is_plain = |byte: u8| matches!(byte, 0x21..=0x7e) && !b"\\#\"<>".contains(&byte);
    target.starts_with('/') && !path.contains("//") && target.bytes().all(is_plain)
}

/// Adds a text as the value of a query parameter: everything but unreserved characters is percent-encoded (RFC 3986 section 2.3).
fn encode(location: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            location.push(byte.into());
            continue;
        }
        location.push('%');
        for digit in [byte >> 4, byte & 15] {
            location.push(char::from_digit(digit.into(), 16).unwrap_or_default().to_ascii_uppercase());
        }
    }
}

/// Returns whether a person opens a page: a `GET` that prefers `text/html`. `Sec-Fetch-Mode`, which newer browsers send to secure origins,
/// must then be `navigate` (W3C Fetch Metadata section 2.2).
fn is_navigation(request: &impl RequestHead) -> bool {
    let mode = request.header("sec-fetch-mode");
    request.method() == "GET"
        && mode.is_ok_and(|mode| mode.is_none_or(|mode| mode == "navigate"))
        && request.header("accept").is_ok_and(|accept| accept.is_some_and(|accept| prefers_html(&accept)))
}

/// Returns whether the first of the media types with the highest weight is HTML (RFC 9110 section 12.5.1).
fn prefers_html(accept: &str) -> bool {
    let mut best = (0, false);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let weight = weight.map_or(1_000, thousandths);
        if weight > best.0 {
            let is_html = |html: &str| media_type.eq_ignore_ascii_case(html);
            best = (weight, is_html("text/html") || is_html("application/xhtml+xml"));
        }
    }
    best.1
}

/// Parses a weight (RFC 9110 section 12.4.2) as thousandths. An invalid one is 0.
fn thousandths(weight: &str) -> u32 {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(3);
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    let thousandths = digits.fold(0, |sum: u32, digit| sum * 10 + u32::from(digit & 15));
    match whole {
        "0" => thousandths,
        "1" if thousandths == 0 => 1_000,
        _ => 0,
    }
}
