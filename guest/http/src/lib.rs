//! The wasi:http middleware (WASI 0.3): a thin adapter from `wasi:http/handler` to `poolgate-edge`. It decides nothing.
//!
//! A request comes in, `authorizer` says what becomes of it, `keys` are fetched if it must wait for some, and then either `forward` hands
//! it to the handler behind or `answer` refuses it. Requests are handled at the same time in one instance, and share its keys.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unreachable,
    clippy::unwrap_used
)]

mod authorizer;
mod bindings;
mod clock;
mod forward;
mod head;
mod keys;
mod log;
mod rejecting;

use bindings::{
    exports::wasi::http::handler::Guest,
    wasi::http::types::{ErrorCode, Request, Response},
};
use head::WasiRequestHead;
use poolgate_core::Reason;
use poolgate_edge::{Decision, Rejection};

/// What the component exports.
struct Middleware;

impl Guest for Middleware {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let head = WasiRequestHead::of(&request);
        let decision = match authorizer::with(|authorizer| authorizer.authorize(clock::seconds(), &head)) {
            // Nothing can be judged without a configuration, and so nothing passes.
            None => Decision::Reject(Rejection::Token(Reason::NotConfigured)),
            Some(Decision::Pause(paused)) => keys::wait(&head, paused).await,
            Some(decision) => decision,
        };
        keys::refresh();
        match decision {
            Decision::Admit(admitted) => forward::pass(request, &admitted).await,
            Decision::Reject(rejection) => rejecting::reject(&head, rejection),
            Decision::Pause(_) => rejecting::reject(&head, Rejection::Token(Reason::KeysUnavailable)),
        }
    }
}
