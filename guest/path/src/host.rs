//! The hosts of rules, and the host of a request.
//!
//! A host has one reading if it is written as most readers would write it. Other spellings are not interpreted: it is unknown then which host a
//! reader would take them for. docs/paths.md in the repository lists them.

use alloc::{borrow::ToOwned, format, string::String};
use core::fmt;

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
        return is_canonical_ipv6(address);
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && !(label.starts_with("xn--") && label.ends_with('-'))
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_number = last.starts_with("0x") || last.bytes().all(|byte| byte.is_ascii_digit());
    let is_octet = |label: &str| label.parse::<u8>().is_ok() && (label.len() == 1 || !label.starts_with('0'));
    name.split('.').all(is_label) && (!is_number || (name.split('.').count() == 4 && name.split('.').all(is_octet)))
}

/// Returns whether this is an IPv6 address in the form of RFC 5952 section 4: no leading zeros, and `::` for the first of the longest runs of two
/// or more zeros. With an IPv4 address inside, there are two such forms (section 5, and the URL standard), so it is not.
fn is_canonical_ipv6(address: &str) -> bool {
    let is_group = |group: &str| {
        matches!(group.len(), 1..=4)
            && group.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            && (group == "0" || !group.starts_with('0'))
    };
    // The number of groups, and the longest run of zeros. None: a group is malformed.
    let counted = |groups: &str| {
        let (mut count, mut run, mut longest) = (0_usize, 0_usize, 0_usize);
        for group in groups.split(':').filter(|_| !groups.is_empty()) {
            if !is_group(group) {
                return None;
            }
            count = count.saturating_add(1);
            run = if group == "0" { run.saturating_add(1) } else { 0 };
            longest = longest.max(run);
        }
        Some((count, longest))
    };
    let Some((before, after)) = address.split_once("::") else {
        return counted(address).is_some_and(|(count, longest)| count == 8 && longest < 2);
    };
    let (Some((first, longest_before)), Some((last, longest_after))) = (counted(before), counted(after)) else {
        return false;
    };
    let left_out = 8_usize.saturating_sub(first.saturating_add(last));
    let touches_zero = before == "0" || before.ends_with(":0") || after == "0" || after.starts_with("0:");
    let is_mapped = before.is_empty() && last == 3 && after.starts_with("ffff:");
    left_out >= 2 && longest_before < left_out && longest_after <= left_out && !touches_zero && !is_mapped
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
    fn an_ipv6_address_has_one_canonical_form() {
        let is_canonical_for_std = |text: &str| {
            let parsed = text.parse::<std::net::Ipv6Addr>();
            parsed.is_ok_and(|address| std::string::ToString::to_string(&address) == text && !text.contains('.'))
        };
        // All arrangements of zeros, each with every way to leave some out.
        for bits in 0..256_u32 {
            let groups: std::vec::Vec<&str> = (0..8).map(|at| if bits >> at & 1 == 0 { "0" } else { "a1" }).collect();
            let whole = groups.join(":");
            assert_eq!(is_canonical_ipv6(&whole), is_canonical_for_std(&whole), "{whole}");
            for start in 0..8 {
                for end in start..=8 {
                    let text = format!("{}::{}", groups[..start].join(":"), groups[end..].join(":"));
                    assert_eq!(is_canonical_ipv6(&text), is_canonical_for_std(&text), "{text}");
                }
            }
        }
        for text in [
            "",
            ":",
            ":::",
            "::",
            "::1",
            "1::",
            "1:2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:8:9",
            "1::2::3",
            "::A",
            "::01",
            "::12345",
            "::g",
            "0::",
            "::0",
            "1:0::",
            "::0:1",
            "::ffff:1:2",
            "::ffff:0:2",
            "::ffff:1:2:3",
            "1:0:0:2::",
            "1::2:0:0:3",
            "0:0:0:1::",
            "1:2:3:4:5:6::7",
            "1:2:3:4:5:6:7::",
            "::1.2.3.4",
            "fe80::1%1",
            ":1",
            "1:",
        ] {
            assert_eq!(is_canonical_ipv6(text), is_canonical_for_std(text), "{text}");
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
