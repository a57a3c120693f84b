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
    matches!(host, Some("127.0.0.1" | "[::1]" | "localhost"))
}

#[cfg(test)]
mod tests {
    use super::{authority_and_path, host_of, is_loopback};

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
}
