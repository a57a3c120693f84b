//! Headers with which a client could forge or suppress what the application receives.

use crate::{
    config::{Config, TokenLocation},
    head::RequestHead,
    header_mutation::HeaderMutation,
    rejection::Rejection,
};
use poolgate_path::{are_alike, is_host_override, path_override};

/// The headers that a client must not be able to forge or to remove.
#[derive(Debug)]
pub(crate) struct ProtectedHeaders {
    /// The headers that claims are forwarded in.
    claims: Vec<String>,
    /// The headers that may contain a token.
    tokens: Vec<String>,
    /// Whether rules depend on the host of a request.
    has_hosts: bool,
}

impl ProtectedHeaders {
    pub(crate) fn new(config: &Config) -> Self {
        let locations = config.tokens.from.iter();
        let header = |location: &TokenLocation| match (&location.header, &location.query) {
            (Some(name), _) => Some(name.clone()),
            (None, None) => Some("cookie".to_owned()),
            (None, Some(_)) => None,
        };
        Self {
            claims: config.claims_to_headers.iter().map(|claim| claim.header.clone()).collect(),
            tokens: locations.filter_map(header).collect(),
            has_hosts: config.routes.iter().any(|route| route.hosts.is_some()),
        }
    }

    /// Returns the headers to remove in addition to the claim headers themselves: other spellings of a claim or token header ([`are_alike`]), and
    /// the headers from which an application may take another path than the verified one ([`path_override`]), or, if rules have hosts, another
    /// host ([`is_host_override`]).
    ///
    /// # Errors
    /// Returns [`Rejection::ConnectionHeader`] if `Connection` lists a protected header: the next hop would remove it (RFC 9110 section 7.6.1),
    /// including the value that the filter set.
    pub(crate) fn check(&self, request: &impl RequestHead) -> Result<Vec<HeaderMutation>, Rejection> {
        let (mut mutations, mut is_named) = (Vec::new(), false);
        let all = || self.claims.iter().chain(&self.tokens);
        request.each_header(&mut |name, value| {
            if name == b"connection" {
                let mut options = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
                is_named |= options.any(|option| all().any(|protected| are_alike(option, protected.as_bytes())));
            } else if path_override(name).is_some()
                || (self.has_hosts && is_host_override(name, value) && !is_authority(request, value))
                || all().any(|protected| protected.as_bytes() != name && are_alike(name, protected.as_bytes()))
            {
                mutations.push(HeaderMutation::Remove(String::from_utf8_lossy(name).into_owned()));
            }
        });
        if is_named { Err(Rejection::ConnectionHeader) } else { Ok(mutations) }
    }
}

/// Returns whether a value is the authority of the request, as a proxy in front sets `X-Forwarded-Host`.
fn is_authority(request: &impl RequestHead, value: &[u8]) -> bool {
    matches!(request.authority(), Ok(Some(authority)) if authority.as_bytes().eq_ignore_ascii_case(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    struct Sent(&'static [(&'static str, &'static str)]);

    impl RequestHead for Sent {
        fn method(&self) -> &str {
            "GET"
        }

        fn target(&self) -> &str {
            "/"
        }

        fn header(&self, _: &str) -> Result<Option<Cow<'_, str>>, ()> {
            Ok(None)
        }

        fn each_header(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
            self.0.iter().for_each(|(name, value)| visit(name.as_bytes(), value.as_bytes()));
        }
    }

    fn protected() -> ProtectedHeaders {
        ProtectedHeaders {
            claims: vec!["x-user".into(), "x_groups".into()],
            tokens: vec!["authorization".into(), "cookie".into(), "x-token".into()],
            has_hosts: false,
        }
    }

    #[test]
    fn headers_that_a_server_confuses_with_a_claim_header_are_removed() {
        let sent = Sent(&[
            ("x_user", "root"),
            ("x.user", "root"),
            ("x-groups", "root"),
            ("x_token", "a"),
            ("x-token", "a"),
            ("x-user", "removed by the adapter"),
            ("x-username", "ada"),
            ("cookie", "a=b"),
        ]);
        let names = ["x_user", "x.user", "x-groups", "x_token"].map(|name| HeaderMutation::Remove(name.into()));
        assert_eq!(protected().check(&sent), Ok(names.into()));
    }

    #[test]
    fn headers_that_replace_the_path_are_removed_in_every_spelling() {
        let removed = [
            ("script_name", "/public"),
            ("SCRIPT-NAME", "/public"),
            ("path_info", "/admin"),
            ("path-info", "/admin"),
            ("request.uri", "/admin"),
            ("request_uri", "/admin"),
            ("x-script-name", "/public"),
            ("x-original-url", "/admin"),
            ("x_rewrite_url", "/admin"),
            ("x_rewrite.url", "/admin"),
            ("x-forwarded-uri", "/admin"),
        ];
        let kept = [
            ("x-original-host", "example.com"),
            ("x-envoy-original-path", "/public"),
            ("x-forwarded-prefix", "/app"),
            (":path", "/public"),
        ];
        let names = removed.map(|(name, _)| HeaderMutation::Remove(name.into()));
        let sent: &'static [(&str, &str)] = Vec::leak([removed.as_slice(), &kept].concat());
        assert_eq!(protected().check(&Sent(sent)), Ok(names.into()));
    }

    #[test]
    fn a_protected_header_cannot_be_declared_hop_by_hop() {
        for value in ["x-user", "close, X-User", "keep-alive,x_user ", "Authorization", "cookie", "x-token", "X-GROUPS"]
        {
            let sent: &'static [(&str, &str)] = Box::leak(Box::new([("connection", "close"), ("connection", value)]));
            assert_eq!(protected().check(&Sent(sent)), Err(Rejection::ConnectionHeader), "{value}");
        }
        let sent = Sent(&[("connection", "keep-alive, Upgrade, x-other"), ("upgrade", "websocket")]);
        assert_eq!(protected().check(&sent), Ok(vec![]));
    }
}
