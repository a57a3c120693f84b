//! The client address of a request: the peer of the connection, or the address that the proxies in front have written to a header.

use super::once_a_minute::OnceAMinute;
use axum::{
    extract::{ConnectInfo, Request},
    http::{HeaderMap, HeaderName},
};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    num::NonZeroUsize,
    sync::Arc,
};

/// Health probes come from the load balancer itself, which does not set the header.
const PROBES: [&str; 2] = ["/healthz", "/readyz"];

/// Reads the client address of a request.
#[derive(Clone)]
pub(crate) struct ClientAddress {
    header: Option<HeaderName>,
    trusted_hops: NonZeroUsize,
    warning: Arc<OnceAMinute>,
}

/// Why the address cannot be read. The log contains a hint, but not the value of the header, which a client may have written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unreadable {
    Absent,
    TooShort,
    NoAddress,
}

impl Unreadable {
    fn hint(self) -> &'static str {
        match self {
            Self::Absent => "the request does not have this header; check that it is the one that your proxy sets",
            Self::TooShort => {
                "the header has fewer addresses than --trusted-hops; the request did not pass all of your proxies"
            }
            Self::NoAddress => "the entry is not an IP address with or without a port",
        }
    }
}

impl ClientAddress {
    pub(crate) fn new(header: Option<HeaderName>, trusted_hops: NonZeroUsize) -> Self {
        Self { header, trusted_hops, warning: Arc::default() }
    }

    /// The address; for IPv6, its /64 network. Without the header, the address is that of the connection. All requests whose header
    /// cannot be read have the same address.
    pub(crate) fn of(&self, request: &Request) -> IpAddr {
        let peer = || request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let address = match &self.header {
            None => {
                if request.headers().contains_key("x-forwarded-for") && self.warning.is_due() {
                    tracing::warn!(
                        hint =
                            "set --client-ip-header x-forwarded-for and --trusted-hops if a proxy sends the requests",
                        "a request has X-Forwarded-For, but no header with the client address is configured; all clients of a proxy \
                         share one rate limit"
                    );
                }
                peer()
            }
            Some(header) => match forwarded(request.headers(), header, self.trusted_hops) {
                Ok(address) => Some(address),
                Err(unreadable) => {
                    if !PROBES.contains(&request.uri().path()) {
                        self.warn(header, unreadable);
                    }
                    peer().filter(|_| unreadable == Unreadable::Absent)
                }
            },
        };
        network(address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
    }

    fn warn(&self, header: &HeaderName, unreadable: Unreadable) {
        if !self.warning.is_due() {
            return;
        }
        tracing::warn!(
            %header,
            hint = unreadable.hint(),
            "the client address cannot be read from the header; all such clients share one rate limit"
        );
    }
}

/// The entry that the outermost trusted proxy has written. Each proxy appends the address of its peer, so the innermost proxy wrote the
/// last entry. Entries before the trusted ones may be forged by the client.
fn forwarded(headers: &HeaderMap, header: &HeaderName, trusted_hops: NonZeroUsize) -> Result<IpAddr, Unreadable> {
    let mut entries = Vec::new();
    for value in headers.get_all(header) {
        // Only the trusted entries must be valid UTF-8.
        entries
            .extend(value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|it| !it.is_empty()));
    }
    if entries.is_empty() {
        return Err(Unreadable::Absent);
    }
    let number = entries.len().checked_sub(trusted_hops.get()).ok_or(Unreadable::TooShort)?;
    let entry = entries.get(number).and_then(|entry| str::from_utf8(entry).ok());
    entry.and_then(address).ok_or(Unreadable::NoAddress)
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:4711`.
fn address(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address);
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(address.ip());
    }
    let bare = text.strip_prefix('[')?.strip_suffix(']')?;
    bare.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
}

/// A client with an IPv6 address usually controls the whole /64 network, so the network counts as one client.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn read(values: &[&str], trusted_hops: usize) -> Result<IpAddr, Unreadable> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("x-forwarded-for", HeaderValue::from_bytes(value.as_bytes()).expect("a value"));
        }
        let hops = NonZeroUsize::new(trusted_hops).expect("one at least");
        forwarded(&headers, &HeaderName::from_static("x-forwarded-for"), hops)
    }

    #[test]
    fn the_entry_of_the_outermost_trusted_proxy_is_used_and_earlier_entries_are_ignored() {
        for (values, hops, expected) in [
            (&["192.0.2.1"][..], 1, "192.0.2.1"),
            (&["198.51.100.9, 192.0.2.1"], 1, "192.0.2.1"),
            (&["198.51.100.9, 192.0.2.1, 10.0.0.1"], 2, "192.0.2.1"),
            (&["198.51.100.9", "192.0.2.1,10.0.0.1"], 2, "192.0.2.1"),
            (&["caf\u{e9}, , 192.0.2.1"], 1, "192.0.2.1"),
            (&["192.0.2.1:4711"], 1, "192.0.2.1"),
            (&["2001:db8::1"], 1, "2001:db8::1"),
            (&["[2001:db8::1]"], 1, "2001:db8::1"),
            (&["[2001:db8::1]:4711"], 1, "2001:db8::1"),
        ] {
            assert_eq!(read(values, hops), Ok(expected.parse().expect("an address")), "{values:?}");
        }
        for (values, hops, expected) in [
            (&[][..], 1, Unreadable::Absent),
            (&[""], 1, Unreadable::Absent),
            (&["192.0.2.1"], 2, Unreadable::TooShort),
            (&["unknown"], 1, Unreadable::NoAddress),
            (&["192.0.2.1, _hidden"], 1, Unreadable::NoAddress),
            (&["192.0.2.1:port"], 1, Unreadable::NoAddress),
            (&["192.0.2.1, caf\u{e9}"], 1, Unreadable::NoAddress),
        ] {
            assert_eq!(read(values, hops), Err(expected), "{values:?}");
        }
    }

    #[test]
    fn an_ipv6_network_is_one_client() {
        let network = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }
}
