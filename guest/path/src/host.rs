//! The hosts of rules, and the host of a request.
//!
//! A host has one reading if it is written as most readers would write it. Other spellings are not interpreted: it is unknown then which host a
//! reader would take them for. docs/paths.md in the repository lists them.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
};
use core::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

/// The hosts that a rule applies to: one host, or every host below a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    /// In lower case. That of a wildcard begins with the dot.
    name: String,
    is_wildcard: bool,
}

/// Why a text is not a pattern of hosts: it is not a host in its usual spelling, after `*.` or alone. It may have a port, a `*` elsewhere, an
/// empty label, a character that is not a letter, a digit, `-`, `_` or `.`, or be an IP address that is not in its canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostPatternError;

impl fmt::Display for HostPatternError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .write_str("must be a host without a port, such as example.com, *.example.com, 192.0.2.1 or [2001:db8::1]")
    }
}

impl core::error::Error for HostPatternError {}

impl HostPattern {
    /// Matches exactly this host, or, for `*.example.com`, the hosts with one or more labels before `.example.com`, but not `example.com`. Envoy
    /// matches the domains of a virtual host in the same way. Case is ignored. A dot at the end is part of the host: see [`Host`].
    ///
    /// # Errors
    /// [`HostPatternError`].
    pub fn new(text: &str) -> Result<Self, HostPatternError> {
        let text = text.to_ascii_lowercase();
        let (name, is_wildcard) = match text.strip_prefix('*') {
            Some(rest) if rest.starts_with('.') => (rest, true),
            _ => (text.as_str(), false),
        };
        let pattern = Self { name: name.to_owned(), is_wildcard };
        if is_canonical(&pattern.example()) && name != "." { Ok(pattern) } else { Err(HostPatternError) }
    }

    /// Returns a host that matches.
    pub fn example(&self) -> String {
        if self.is_wildcard { format!("x{}", self.name) } else { self.name.clone() }
    }

    /// Returns whether it matches every host that the other pattern matches.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        match other.is_wildcard {
            true => self.is_wildcard && other.name.ends_with(&self.name),
            false => self.matches(&other.name),
        }
    }

    /// `host` is canonical: it has no empty label.
    pub(crate) fn matches(&self, host: &str) -> bool {
        match self.is_wildcard {
            true => host.len() > self.name.len() && host.ends_with(&self.name),
            false => host == self.name,
        }
    }
}

/// The host of a request.
///
/// A host with a dot at the end (`example.com.`) has two readings. DNS, nginx and Django ignore the dot; Envoy's router and Go do not, unless
/// configured otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host(Option<String>);

impl Host {
    /// The host of a request without an authority, or with several. Any rule may be the one that a reader would choose.
    pub const UNKNOWN: Self = Self(None);

    /// Reads the authority of a request: `:authority`, or the `Host` field of HTTP/1. Case and a port are ignored.
    ///
    /// The result is [`Host::UNKNOWN`] if it is not a host in its usual spelling: if it has user information, white space, percent-encoding, an
    /// empty label or an empty port, if it is not ASCII, or if it is an IP address that is not in its canonical form.
    pub fn of(authority: &str) -> Self {
        let authority = authority.to_ascii_lowercase();
        let is_port = |port: &str| matches!(port.len(), 1..=5) && port.bytes().all(|byte| byte.is_ascii_digit());
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if is_port(port) => host,
            _ => &authority,
        };
        Self(is_canonical(host).then(|| host.to_owned()))
    }

    /// Returns the readings, first the host as it was sent. `None` if the host is unknown.
    pub(crate) fn readings(&self) -> Option<impl Iterator<Item = &str>> {
        let sent = self.0.as_deref()?;
        Some([Some(sent), sent.strip_suffix('.')].into_iter().flatten())
    }
}

/// Returns whether a host in lower case, without port, is spelled as every reader would spell it. `new URL` of Node.js, for example, decodes
/// percent-encoding, and reads `127.1` as `127.0.0.1` and `xn--admin-` as `admin`.
fn is_canonical(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        // An IPv4 address inside has two canonical forms: RFC 5952 section 5, and that of the URL standard.
        let is_usual = |parsed: Ipv6Addr| !address.contains('.') && parsed.to_string() == address;
        return address.parse().is_ok_and(is_usual);
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && !(label.starts_with("xn--") && label.ends_with('-'))
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_number = last.starts_with("0x") || last.bytes().all(|byte| byte.is_ascii_digit());
    name.split('.').all(is_label) && (!is_number || name.parse::<Ipv4Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings(authority: &str) -> Option<std::vec::Vec<String>> {
        Host::of(authority).readings().map(|all| all.map(str::to_owned).collect())
    }

    #[test]
    fn a_host_is_read_without_case_and_port() {
        for (authority, host) in [
            ("example.com", "example.com"),
            ("Example.COM:8443", "example.com"),
            ("localhost:1", "localhost"),
            ("a_b-c.example", "a_b-c.example"),
            ("-a-.example", "-a-.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("192.0.2.1:80", "192.0.2.1"),
            ("[2001:DB8::1]:443", "[2001:db8::1]"),
            ("[::1]", "[::1]"),
            ("1.example", "1.example"),
        ] {
            assert_eq!(readings(authority), Some([host.to_owned()].into()), "{authority}");
        }
        assert_eq!(readings("Example.com.:443"), Some(["example.com.".to_owned(), "example.com".to_owned()].into()));
    }

    #[test]
    fn a_host_in_another_spelling_is_unknown() {
        for authority in [
            "",
            ".",
            ":80",
            "a..b",
            ".a",
            "a..",
            "user@example.com",
            "user:1@example.com",
            "a b",
            " a",
            "a\t",
            "a,b",
            "a/b",
            "a\\b",
            "a?b",
            "a#b",
            "a%62",
            "%61",
            "caf\u{e9}.example",
            "\u{fffd}",
            "a:",
            "a:x",
            "a:123456",
            "a:1:2",
            "::1",
            "[::1",
            "::1]",
            "[::1]x",
            "[::1].",
            "[0:0:0:0:0:0:0:1]",
            "[::01]",
            "[::ffff:192.0.2.1]",
            "[fe80::1%25eth0]",
            "[v1.x]",
            "[]",
            "127.1",
            "0177.0.0.1",
            "2130706433",
            "0x7f.0.0.1",
            "a.0x7f",
            "1.2.3.4.5",
            "256.0.0.1",
            "xn--admin-.example",
            "*.example",
        ] {
            assert_eq!(readings(authority), None, "{authority}");
        }
    }

    #[test]
    fn a_pattern_matches_a_host_or_all_hosts_below_a_name() {
        for (pattern, yes, no) in [
            ("Example.com", &["example.com"][..], &["example.com.", "a.example.com", "xexample.com", "example.co"][..]),
            (
                "*.Example.com",
                &["a.example.com", "a.b.example.com"],
                &["example.com", "xexample.com", "a.example.com.", "a.example.org"],
            ),
            ("*.example.com.", &["a.example.com."], &["a.example.com", "example.com."]),
            ("*.com", &["example.com", "a.example.com"], &["com"]),
            ("[::1]", &["[::1]"], &["[::2]"]),
            ("192.0.2.1", &["192.0.2.1"], &["x.192.0.2.1"]),
        ] {
            let pattern = HostPattern::new(pattern).unwrap();
            assert!(yes.iter().all(|host| pattern.matches(host)), "{pattern:?}");
            assert!(!no.iter().any(|host| pattern.matches(host)), "{pattern:?}");
        }
        for text in [
            "",
            "*",
            "*.",
            "a.*",
            "a*.b",
            "*a.b",
            "*.*.a",
            "a:80",
            "https://a",
            "a/",
            "a b",
            "a..b",
            "*..a",
            "127.1",
            "*.192.0.2.1",
            "*.[::1]",
            "[::01]",
            "::1",
            "caf\u{e9}.example",
            "a@b",
        ] {
            assert_eq!(HostPattern::new(text), Err(HostPatternError), "{text}");
        }
    }

    #[test]
    fn a_wider_pattern_covers_a_narrower_one() {
        for (wide, narrow, expected) in [
            ("a.b", "A.B", true),
            ("a.b", "a.b.", false),
            ("*.b", "a.b", true),
            ("*.b", "b", false),
            ("*.b", "*.b", true),
            ("*.b", "*.a.b", true),
            ("*.a.b", "*.b", false),
            ("a.b", "*.a.b", false),
            ("*.b", "*.ab", false),
        ] {
            let (one, other) = (HostPattern::new(wide).unwrap(), HostPattern::new(narrow).unwrap());
            assert_eq!(one.covers(&other), expected, "{wide} {narrow}");
        }
    }
}
