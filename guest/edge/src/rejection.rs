//! Why a request is rejected.

use poolgate_core::Reason;

/// Why a request is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rejection {
    /// Its token is invalid, or does not satisfy the rule.
    Token(Reason),
    /// It has no token, and its rule requires one.
    NoToken,
    /// It has more than one token.
    SeveralTokens,
    /// Its path is malformed, at least for some servers: for example, it is not absolute, or contains a control character.
    MalformedPath,
    /// Its path matches different rules, depending on how a server normalizes it.
    AmbiguousPath(Conflict),
    /// Its host matches different rules, depending on how a server reads it: it is absent, is spelled in an unusual way, or ends with a dot.
    AmbiguousHost(Conflict),
    /// Its `Connection` header lists a header that the application must receive, or the token's header.
    ConnectionHeader,
    /// No rule matches it.
    NoRule,
}

/// The two rules between which a path or a host is ambiguous, as indices of `routes`. `None` means that no rule matches. If both are `None`, the
/// path has too many readings to check.
///
/// Only for the operator's log: see [`RequestAuthorizer::explain`](crate::RequestAuthorizer::explain).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Conflict {
    /// The rule that matches the path or the host as it was sent.
    pub first: Option<usize>,
    /// The rule that matches another reading of it.
    pub second: Option<usize>,
}

impl Rejection {
    /// Returns the reason code, which is stable.
    pub fn name(self) -> &'static str {
        match self {
            Self::Token(reason) => reason.name(),
            Self::NoToken => "no-token",
            Self::SeveralTokens => "several-tokens",
            Self::MalformedPath => "malformed-path",
            Self::AmbiguousPath(_) => "ambiguous-path",
            Self::AmbiguousHost(_) => "ambiguous-host",
            Self::ConnectionHeader => "connection-header",
            Self::NoRule => "no-rule",
        }
    }

    /// Returns the HTTP status of the response: 400, 401, 403 or 503.
    pub fn status(self) -> u16 {
        match self {
            Self::Token(reason) => reason.error_code().status(),
            Self::NoToken => 401,
            Self::SeveralTokens
            | Self::MalformedPath
            | Self::AmbiguousPath(_)
            | Self::AmbiguousHost(_)
            | Self::ConnectionHeader => 400,
            Self::NoRule => 403,
        }
    }
}
