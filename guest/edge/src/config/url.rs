//! URLs of JWKS endpoints.

/// Splits an HTTP or HTTPS URL into authority and path. Returns `None` for any other text.
pub(crate) fn authority_and_path(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let (authority, path) = rest.split_at(rest.find('/')?);
    let is_plain = url.bytes().all(|byte| matches!(byte, 0x21..=0x7e) && byte != b'#');
    // An `@` in the authority would end user information (RFC 3986 section 3.2.1). In a path it is an ordinary character, which Google uses.
    (!authority.is_empty() && !authority.contains('@') && is_plain).then_some((authority, path))
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

#[cfg(test)]
mod tests {
    use super::authority_and_path;

    #[test]
    fn a_url_has_no_user_information_and_no_fragment() {
        let google = "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com";
        assert_eq!(authority_and_path(google).map(|(authority, _)| authority), Some("www.googleapis.com"));
        for url in [
            "https://user@example.com/",
            "https://example.com@evil.example/keys",
            "https://example.com/keys#a",
            "https://example.com/a b",
            "https:///keys",
            "https://example.com",
            "ftp://example.com/",
        ] {
            assert_eq!(authority_and_path(url), None, "{url}");
        }
    }
}
