//! The exported handler.

use crate::{
    authorizer,
    bindings::{
        exports::wasi::http::handler::Guest,
        wasi::http::types::{ErrorCode, Request, Response},
    },
    clock, fetching, forward,
    head::WasiRequestHead,
    rejecting, waiting,
};
use poolgate_core::Reason;
use poolgate_edge::{Decision, Rejection};

/// The type that exports `wasi:http/handler`.
pub struct Middleware;

impl Guest for Middleware {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let head = WasiRequestHead::of(&request);
        let decision = match authorizer::with(|authorizer| authorizer.authorize(clock::seconds(), &head)) {
            // Without a valid configuration, every request is rejected.
            None => Decision::Reject(Rejection::Token(Reason::NotConfigured)),
            Some(Decision::Pause(paused)) => waiting::wait(&head, paused).await,
            Some(decision) => decision,
        };
        fetching::refresh();
        match decision {
            Decision::Admit(admitted) => forward::forward(request, &admitted).await,
            Decision::Reject(rejection) => rejecting::reject(&head, rejection),
            Decision::Respond(response) => rejecting::respond(&response),
            Decision::Pause(_) => rejecting::reject(&head, Rejection::Token(Reason::KeysUnavailable)),
            // The middleware enables no check of revocations.
            Decision::AskRevocation(_) => rejecting::reject(&head, Rejection::Token(Reason::RevocationUnavailable)),
        }
    }
}
