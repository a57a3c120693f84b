//! The decision about a request.

use crate::{
    claims::{AdmittedClaims, ForwardedClaims},
    header_mutation::HeaderMutation,
    protected_resources::StaticResponse,
    rejection::Rejection,
    routes::Chosen,
};
use poolgate_core::{Fetch, RevocationClaims};
use std::{fmt, rc::Rc};

/// The decision about a request.
#[derive(Debug)]
#[must_use]
pub enum Decision {
    /// Forward the request.
    Admit(Admitted),
    /// Reject the request.
    Reject(Rejection),
    /// Respond to the request without forwarding it: it asks for the metadata of the protected resource.
    Respond(StaticResponse),
    /// Pause the request until the key fetch ends, then call
    /// [`RequestAuthorizer::authorize_paused`](crate::RequestAuthorizer::authorize_paused).
    Pause(PausedRequest),
    /// Query whether the token is revoked, then call
    /// [`RequestAuthorizer::authorize_with_revocation_status`](crate::RequestAuthorizer::authorize_with_revocation_status). Only if the adapter has
    /// enabled the check of revocations.
    AskRevocation(Box<RevocationClaims>),
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

    /// Returns the claims of the token, if there is one, for an adapter that stores those of cached tokens itself. Call it at most once, and
    /// only after [`RequestAuthorizer::keep_payloads`](crate::RequestAuthorizer::keep_payloads).
    pub fn returned_claims(&self) -> Option<AdmittedClaims> {
        self.claims.as_ref()?.returned()
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
