//! URLs of JWKS endpoints.

/// Splits an HTTP or HTTPS URL into authority and path. Returns `None` for any other text.
pub(crate) fn authority_and_path(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let (authority, path) = rest.split_at(rest.find('/')?);
    let is_plain = |text: &str| text.bytes().all(|byte| matches!(byte, 0x21..=0x7e) && byte != b'#' && byte != b'@');
    (!authority.is_empty() && is_plain(url)).then_some((authority, path))
}

/// Returns whether the host of a URL is a loopback address.
pub(super) fn is_loopback(url: &str) -> bool {
    let authority = authority_and_path(url).map(|(authority, _)| authority).unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    matches!(host, "127.0.0.1" | "[::1]" | "localhost")
}
