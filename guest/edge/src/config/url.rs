//! URLs of JWKS endpoints.

/// Splits an HTTP or HTTPS URL into authority and path. Returns `None` for any other text.
pub(crate) fn authority_and_path(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let (authority, path) = rest.split_at(rest.find('/')?);
    let is_plain = url.bytes().all(|byte| matches!(byte, 0x21..=0x7e) && byte != b'#');
    // An `@` in the authority would end user information (RFC 3986 section 3.2.1). In a path it is an ordinary character, which Google uses.
    (!authority.is_empty() && !authority.contains('@') && is_plain).then_some((authority, path))
}

/// Returns the host of an authority (RFC 3986 section 3.2): a name, or an address, which has brackets if it is one of IPv6. Returns `None` if it
/// has user information, a port that is not a number, or characters that a host can't have.
pub(crate) fn host_of(authority: &str) -> Option<&str> {
    let host = match authority.rsplit_once(':') {
        // The last colon is in the address.
        _ if authority.ends_with(']') => authority,
        Some((host, port)) => {
            let is_number = port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
            is_number.then_some(host)?
        }
        None => authority,
    };
    let is_host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => {
            address.contains(':') && address.bytes().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte))
        }
        None => !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)),
    };
    is_host.then_some(host)
}

/// Returns whether the host of a URL is a loopback address.
pub(crate) fn is_loopback(url: &str) -> bool {
    let host = authority_and_path(url).and_then(|(authority, _)| host_of(authority));
    host.is_some_and(is_loopback_host)
}

fn is_loopback_host(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "[::1]" | "localhost")
}

/// Splits a URL that clients are sent to into its origin and the rest, which may be empty. The scheme is `https`, or `http` for a loopback
/// address. The host is in lower case, so that the URL has one spelling. Such a URL can be quoted in a header (RFC 9110 section 5.6.4).
pub(crate) fn public_url(url: &str) -> Option<(&str, &str)> {
    let (rest, is_secure) = match url.strip_prefix("https://") {
        Some(rest) => (rest, true),
        None => (url.strip_prefix("http://")?, false),
    };
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = host_of(authority)?;
    let is_lower = !host.bytes().any(|byte| byte.is_ascii_uppercase());
    let port = authority.strip_prefix(host).and_then(|rest| rest.strip_prefix(':'));
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    // RFC 3986 section 2 has none of these characters.
    let is_plain = url.bytes().all(|byte| matches!(byte, 0x21..=0x7e) && !b"\"<>\\^`{|}".contains(&byte));
    let is_allowed = is_lower && is_port && is_plain && (is_secure || is_loopback_host(host));
    let origin = url.len().saturating_sub(rest.len().saturating_sub(authority.len()));
    is_allowed.then(|| url.split_at_checked(origin)).flatten()
}

/// Returns whether a text is a scope (RFC 6749 section 3.3): printable ASCII without spaces, quotes and backslashes.
pub(super) fn is_scope(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, 0x21..=0x7e) && byte != b'"' && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::{authority_and_path, host_of, is_loopback, public_url};

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
    #[test]
    fn the_host_of_an_authority_is_a_name_or_an_address() {
        for (authority, host) in [
            ("example.com", Some("example.com")),
            ("Login_1.example.com:8443", Some("Login_1.example.com")),
            ("127.0.0.1:1", Some("127.0.0.1")),
            ("[::1]", Some("[::1]")),
            ("[2001:db8::1]:65535", Some("[2001:db8::1]")),
            ("", None),
            (":443", None),
            ("example.com:", None),
            ("example.com:+1", None),
            ("example.com:65536", None),
            ("example.com:80:80", None),
            ("user@example.com", None),
            ("example.com\\@evil.example", None),
            ("example%2ecom", None),
            ("bücher.example", None),
            ("::1", None),
            ("[::1", None),
            ("[]", None),
            ("[example.com]", None),
            ("[::1]x", None),
        ] {
            assert_eq!(host_of(authority), host, "{authority}");
        }
    }

    #[test]
    fn only_loopback_addresses_are_local() {
        for (url, is_local) in [
            ("http://localhost/a", true),
            ("http://127.0.0.1:8080/a", true),
            ("http://[::1]:8080/a", true),
            ("http://localhost", false),
            ("http://localhost.example.com/a", false),
            ("http://127.0.0.1.example.com/a", false),
            ("http://localhost:x/a", false),
            ("http://localhost@example.com/a", false),
            ("http://10.0.0.1/a", false),
        ] {
            assert_eq!(is_loopback(url), is_local, "{url}");
        }
    }

    #[test]
    fn a_public_url_is_split_after_its_origin() {
        for (url, origin, rest) in [
            ("https://mcp.example.com/mcp", "https://mcp.example.com", "/mcp"),
            ("https://mcp.example.com", "https://mcp.example.com", ""),
            ("https://mcp.example.com:8443/", "https://mcp.example.com:8443", "/"),
            ("https://login.example.com?a=b#c", "https://login.example.com", "?a=b#c"),
            ("http://127.0.0.1:3000/mcp", "http://127.0.0.1:3000", "/mcp"),
            ("http://[::1]/", "http://[::1]", "/"),
            ("https://[2001:db8::1]:443/a", "https://[2001:db8::1]:443", "/a"),
        ] {
            assert_eq!(public_url(url), Some((origin, rest)), "{url}");
        }
    }

    #[test]
    fn a_url_that_clients_read_differently_is_not_public() {
        for url in [
            "",
            "https://",
            "https:///mcp",
            "https:/example.com",
            "HTTPS://example.com",
            "https://Example.com/",
            "http://example.com/",
            "http://localhost.example.com/",
            "http://127.0.0.1@example.com/",
            "https://user@example.com/",
            "https://example.com:/",
            "https://example.com:0/",
            "https://example.com:65536/",
            "https://example.com:a/",
            "https://exa mple.com/",
            "https://example.com\\/",
            "https://[::1/",
            "https://[example.com]/",
            "https://[::1]@example.com/",
            "https://[::1].example.com:80:90/",
            "https://b\u{fc}cher.example/",
            "https://example.com/\"",
            "https://example.com/a\r\nset-cookie:b",
            "ftp://example.com/",
            "//example.com/",
            "/mcp",
        ] {
            assert_eq!(public_url(url), None, "{url}");
        }
    }
}
