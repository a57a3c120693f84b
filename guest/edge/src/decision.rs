//! What becomes of a request.

use crate::{routes::Chosen, tokens::HeaderMutation};
use poolgate_core::{Fetch, Reason, Verified};
use std::{fmt, rc::Rc};

/// What becomes of a request.
#[derive(Debug)]
#[must_use]
pub enum Decision {
    /// It passes.
    Admit(Admitted),
    /// It does not.
    Reject(Rejection),
    /// It must wait for keys: see [`RequestAuthorizer::authorize_paused`](crate::RequestAuthorizer::authorize_paused).
    Pause(PausedRequest),
}

/// Why a request does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rejection {
    /// For its token.
    Token(Reason),
    /// It has none, and needs one.
    NoToken,
    /// It has more than one.
    SeveralTokens,
    /// It can't be a path, or not to all readers: it is not absolute, has a control character, and the like.
    MalformedPath,
    /// Two readings of its path choose different rules.
    AmbiguousPath(Conflict),
    /// Its `Connection` header names a header that the application is to get, or the token's.
    ConnectionHeader,
    /// No rule matches it.
    NoRule,
}

/// The rules between which a path is ambiguous, by their numbers; none where no rule matches. Two of none: there were too many readings.
///
/// For the operator alone: see [`RequestAuthorizer::explain`](crate::RequestAuthorizer::explain).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Conflict {
    /// The rule that the path chooses as it came.
    pub first: Option<usize>,
    /// The rule that another reading of it chooses.
    pub second: Option<usize>,
}

impl Rejection {
    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Token(reason) => reason.name(),
            Self::NoToken => "no-token",
            Self::SeveralTokens => "several-tokens",
            Self::MalformedPath => "malformed-path",
            Self::AmbiguousPath(_) => "ambiguous-path",
            Self::ConnectionHeader => "connection-header",
            Self::NoRule => "no-rule",
        }
    }

    /// The HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Self::Token(reason) => reason.answer().status(),
            Self::NoToken => 401,
            Self::SeveralTokens | Self::MalformedPath | Self::AmbiguousPath(_) | Self::ConnectionHeader => 400,
            Self::NoRule => 403,
        }
    }
}

/// A request that passes.
#[derive(Debug)]
pub struct Admitted {
    pub(crate) claims: Option<Rc<ForwardedClaims>>,
    /// What must be done so that the application does not get the token, if it is not to.
    pub mutations: Vec<HeaderMutation>,
    /// What it would have been refused for, if its rule did not only report.
    pub reported: Option<Rejection>,
}

impl Admitted {
    /// Whether there was a token, and it was good.
    pub fn is_verified(&self) -> bool {
        self.claims.is_some() && self.reported.is_none()
    }
}

/// A request that waits for keys.
pub struct PausedRequest {
    pub(crate) chosen: Chosen,
    pub(crate) token: String,
    /// Where they come from.
    pub url: String,
    /// The fetch that must be begun for them; none if it is under way.
    pub fetch: Option<Fetch>,
}

impl fmt::Debug for PausedRequest {
    /// Leaves out the token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PausedRequest")
            .field("chosen", &self.chosen)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// What a good token says.
pub(crate) struct ForwardedClaims {
    pub(crate) verified: Verified,
    pub(crate) pool: Option<usize>,
    /// As many as there are headers to be set.
    pub(crate) headers: Vec<Option<String>>,
    pub(crate) state: Vec<Option<String>>,
}

impl fmt::Debug for ForwardedClaims {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ForwardedClaims").finish_non_exhaustive()
    }
}
