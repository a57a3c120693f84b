//! Names of headers that a server or framework may take for another header, or for the path or the host of the request.

/// The headers from which a known server or framework takes the path or the method of a request, in place of the request line. docs/paths.md in
/// the repository names a reader for each.
const OVERRIDES: [&str; 14] = [
    "script-name",
    "path-info",
    "request-uri",
    "x-script-name",
    "x-original-uri",
    "x-original-url",
    "x-original-path",
    "x-original-method",
    "x-rewrite-uri",
    "x-rewrite-url",
    "x-rewrite-path",
    "x-rewrite-method",
    "x-forwarded-uri",
    "x-forwarded-method",
];

/// The headers from which a known server or framework takes the host of a request, in place of `Host`, if it trusts its proxies.
const HOST_OVERRIDES: [&str; 4] = ["x-forwarded-host", "x-original-host", "x-host", "x-http-host-override"];

/// Returns whether two header names are the same variable for a server that converts them to environment variables: CGI, WSGI, FastCGI and PHP
/// convert `x-user`, `x_user` and in some cases `x.user` to `HTTP_X_USER` (RFC 3875 section 4.1.18).
pub fn are_alike(one: &[u8], other: &[u8]) -> bool {
    let plain = |byte: &u8| if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'_' };
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| plain(one) == plain(other))
}

/// Returns the header from which a known server or framework takes the path or the method of a request, if `name` is a spelling of it. For
/// example, gunicorn removes the prefix in `SCRIPT_NAME` from the path before the application receives it.
pub fn path_override(name: &[u8]) -> Option<&'static str> {
    OVERRIDES.iter().copied().find(|known| are_alike(name, known.as_bytes()))
}

/// Returns whether an application may take the host of a request from this header: `X-Forwarded-Host` and the like, in any spelling, or
/// `Forwarded` (RFC 7239 section 5.3) with a parameter `host`.
pub fn is_host_override(name: &[u8], value: &[u8]) -> bool {
    let has_host = || value.windows(5).any(|part| part.eq_ignore_ascii_case(b"host="));
    HOST_OVERRIDES.iter().any(|known| are_alike(name, known.as_bytes()))
        || (are_alike(name, b"forwarded") && has_host())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_in_letters_and_digits_only() {
        for name in ["x-user", "X-User", "x_user", "X_USER", "x.user", "x~user"] {
            assert!(are_alike(name.as_bytes(), b"x-user"), "{name}");
        }
        for name in ["xuser", "x-users", "x--user", "y-user", ""] {
            assert!(!are_alike(name.as_bytes(), b"x-user"), "{name}");
        }
    }

    #[test]
    fn a_header_that_replaces_the_host_is_found_in_every_spelling() {
        for (name, value, expected) in [
            ("x-forwarded-host", "a", true),
            ("X_Forwarded_Host", "", true),
            ("x-original-host", "a", true),
            ("x-host", "a", true),
            ("forwarded", "for=192.0.2.1; Host=a", true),
            ("forwarded", "for=192.0.2.1;proto=https", false),
            ("x-forwarded-for", "host=a", false),
            ("x-forwarded-port", "443", false),
            ("host", "a", false),
        ] {
            assert_eq!(is_host_override(name.as_bytes(), value.as_bytes()), expected, "{name}: {value}");
        }
    }

    #[test]
    fn a_header_that_replaces_the_path_is_found_in_every_spelling() {
        for (name, known) in [
            ("SCRIPT_NAME", Some("script-name")),
            ("Script-Name", Some("script-name")),
            ("path.info", Some("path-info")),
            ("REQUEST_URI", Some("request-uri")),
            ("X_Original-URL", Some("x-original-url")),
            ("x-rewrite-url", Some("x-rewrite-url")),
            ("x-envoy-original-path", None),
            ("x-original-host", None),
            ("x-forwarded-prefix", None),
            (":path", None),
            ("", None),
        ] {
            assert_eq!(path_override(name.as_bytes()), known, "{name}");
        }
    }
}
