//! The decision about a request.

use crate::{claims::ForwardedClaims, header_mutation::HeaderMutation, rejection::Rejection, routes::Chosen};
use poolgate_core::Fetch;
use std::{fmt, rc::Rc};

/// The decision about a request.
#[derive(Debug)]
#[must_use]
pub enum Decision {
    /// Forward the request.
    Admit(Admitted),
    /// Reject the request.
    Reject(Rejection),
    /// Pause the request until the key fetch ends, then call
    /// [`RequestAuthorizer::authorize_paused`](crate::RequestAuthorizer::authorize_paused).
    Pause(PausedRequest),
}

/// A request that is forwarded.
#[derive(Debug)]
pub struct Admitted {
    pub(crate) claims: Option<Rc<ForwardedClaims>>,
    /// Changes to the request's headers: they remove forged headers and, if the application must not receive it, the token.
    pub mutations: Vec<HeaderMutation>,
    /// Why the request would have been rejected, if its rule is `report_only`.
    pub reported: Option<Rejection>,
}

impl Admitted {
    /// Returns whether the request had a valid token that satisfies its rule.
    pub fn is_verified(&self) -> bool {
        self.claims.is_some() && self.reported.is_none()
    }
}

/// A request that waits for keys.
pub struct PausedRequest {
    pub(crate) chosen: Chosen,
    pub(crate) token: String,
    /// The URL of the JWKS endpoint.
    pub url: String,
    /// The fetch that the caller must start. `None` if a fetch from this URL is already in progress.
    pub fetch: Option<Fetch>,
}

impl fmt::Debug for PausedRequest {
    /// Omits the token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = formatter.debug_struct("PausedRequest");
        text.field("chosen", &self.chosen).field("url", &self.url).finish_non_exhaustive()
    }
}
