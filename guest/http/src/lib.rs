//! The wasi:http middleware (WASI 0.3): a thin adapter from `wasi:http/handler` to `poolgate-edge`. It decides nothing.
//!
//! A request comes in, `gate` says what becomes of it, `keys` are fetched if it must wait for some, and then either `forward` hands
//! it to the handler behind or `answer` refuses it. Requests are handled at the same time in one instance, and share its keys.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unreachable,
    clippy::unwrap_used
)]

mod answer;
mod bindings;
mod clock;
mod forward;
mod gate;
mod head;
mod keys;
mod log;

use bindings::{
    exports::wasi::http::handler::Guest,
    wasi::http::types::{ErrorCode, Request, Response},
};
use head::Head;
use poolgate_core::Reason;
use poolgate_edge::{Decision, Refusal};

/// What the component exports.
struct Middleware;

impl Guest for Middleware {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let head = Head::of(&request);
        let decision = match gate::with(|gate| gate.admit(clock::seconds(), &head)) {
            // Nothing can be judged without a configuration, and so nothing passes.
            None => Decision::Refuse(Refusal::Token(Reason::NotConfigured)),
            Some(Decision::Wait(held)) => keys::wait(&head, held).await,
            Some(decision) => decision,
        };
        keys::refresh();
        match decision {
            Decision::Admit(admitted) => forward::pass(request, &admitted).await,
            Decision::Refuse(refusal) => answer::refuse(&head, refusal),
            Decision::Wait(_) => answer::refuse(&head, Refusal::Token(Reason::KeysUnavailable)),
        }
    }
}
