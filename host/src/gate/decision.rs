//! The decision about a request.

use crate::{
    Denial,
    bindings::exports::poolgate::auth::gate::{self as wit, HeaderField},
    verdict::Verified,
};
use std::fmt;

/// The decision about a request.
#[derive(Clone, Debug)]
#[must_use]
pub enum Decision {
    /// Forward the request to the application.
    Admit(Admission),
    /// Respond to the request; the application must not receive it.
    Reject(Rejection),
    /// Respond to the request, which asks for the metadata of the protected resource (RFC 9728).
    Respond(StaticResponse),
}

/// A response that is the same for every client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StaticResponse {
    /// The HTTP status.
    pub status: u16,
    /// The headers, in lower case, without `content-length`.
    pub headers: Vec<(String, String)>,
    /// The body, which may be empty. Do not send it with the response to `HEAD`.
    pub body: String,
}

/// A request that is forwarded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Admission {
    /// The claims of the token. `None` if the route is public, if its token is optional and absent, or if the route only reports.
    pub verified: Option<Verified>,
    /// Changes to make before the request is forwarded, in this order. They remove what a client could have forged, and set the headers with
    /// claims. **A request that is forwarded without them is not safe.**
    pub changes: Vec<HeaderChange>,
    /// In a route with `report_only`: the reason for which the request would have been rejected.
    pub reported: Option<String>,
}

/// A change to the head of a request.
#[derive(Clone, PartialEq, Eq)]
pub enum HeaderChange {
    /// Remove every header of this name, in any case.
    Remove(String),
    /// Set this header to this value, and remove all others of its name. If the name is `:path`, set the path and the query.
    Set(String, String),
}

impl fmt::Debug for HeaderChange {
    /// Omits the value: claims and other cookies are nobody else's business.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remove(name) => formatter.debug_tuple("Remove").field(name).finish(),
            Self::Set(name, _) => formatter.debug_tuple("Set").field(name).finish_non_exhaustive(),
        }
    }
}

/// A request that is rejected, with the response to it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejection {
    /// The reason, for logs and metrics: a name of [`Reason`](crate::Reason), or one of `no-token`, `several-tokens`, `malformed-path`,
    /// `ambiguous-path`, `ambiguous-host`, `connection-header`, `no-rule` and `head-too-large`. Do not send it to the client, unless the
    /// configuration says so.
    pub reason: String,
    /// The HTTP status.
    pub status: u16,
    /// The headers of the response, in lower case, without `content-length`.
    pub headers: Vec<(String, String)>,
    /// The body, which may be empty.
    pub body: String,
    /// The gRPC response, if the client expects one. Send it over HTTP/2 only, with the HTTP status 200, these headers except `content-type`, and
    /// no body.
    pub grpc: Option<GrpcStatus>,
}

/// The status of a gRPC response.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GrpcStatus {
    /// The value of `grpc-status`.
    pub code: u32,
    /// The value of `grpc-message`.
    pub message: String,
}

impl Admission {
    pub(super) fn new(verified: Option<Box<Verified>>, admission: wit::Admission) -> Self {
        let changes = admission.changes.into_iter().map(|change| match change {
            wit::HeaderChange::Remove(name) => HeaderChange::Remove(name),
            wit::HeaderChange::Set((name, value)) => HeaderChange::Set(name, value),
        });
        Self { verified: verified.map(|verified| *verified), changes: changes.collect(), reported: admission.reported }
    }
}

impl Rejection {
    /// The rejection of a request that the sandbox did not decide about.
    pub(super) fn undecided(denial: &Denial) -> Self {
        Self {
            headers: vec![no_store(), problem_json(), ("retry-after".to_owned(), "1".to_owned())],
            body: r#"{"title":"Service Unavailable","status":503}"#.to_owned(),
            ..Self::plain(denial.reason.name(), 503)
        }
    }

    /// The rejection of a request whose head is too large to be copied into the sandbox (RFC 6585 section 5).
    pub(crate) fn too_large() -> Self {
        Self {
            headers: vec![no_store(), problem_json()],
            body: r#"{"title":"Request Header Fields Too Large","status":431}"#.to_owned(),
            ..Self::plain("head-too-large", 431)
        }
    }

    /// The rejection of a request that the decision admits, but whose headers can't be changed as it says.
    pub(crate) fn unchangeable() -> Self {
        Self::undecided(&Denial::unavailable(crate::Reason::SandboxFailed))
    }

    fn plain(reason: &str, status: u16) -> Self {
        Self { reason: reason.to_owned(), status, headers: Vec::new(), body: String::new(), grpc: None }
    }
}

fn no_store() -> (String, String) {
    ("cache-control".to_owned(), "no-store".to_owned())
}

fn problem_json() -> (String, String) {
    ("content-type".to_owned(), "application/problem+json".to_owned())
}

/// The component writes its headers as text.
fn texts(headers: Vec<HeaderField>) -> Vec<(String, String)> {
    let text = |HeaderField { name, value }| (name, String::from_utf8_lossy(&value).into_owned());
    headers.into_iter().map(text).collect()
}

impl From<wit::StaticResponse> for StaticResponse {
    fn from(response: wit::StaticResponse) -> Self {
        let wit::StaticResponse { status, headers, body } = response;
        Self { status, headers: texts(headers), body }
    }
}

impl From<wit::Rejection> for Rejection {
    fn from(rejection: wit::Rejection) -> Self {
        let wit::Rejection { reason, status, headers, body, grpc_status, grpc_message, log: _ } = rejection;
        Self {
            reason,
            status,
            headers: texts(headers),
            body,
            grpc: grpc_status.map(|code| GrpcStatus { code, message: grpc_message }),
        }
    }
}
