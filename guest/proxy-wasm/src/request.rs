//! The decision about a new request.

#[cfg(feature = "test-hooks")]
use crate::test_hooks;
use crate::{clock, head::ProxyRequestHead, outcome, roots, streams, waiting::PausedStream};
use poolgate_core::Reason;
use poolgate_edge::{Decision, Rejection};
use proxy_wasm::{hostcalls, types::Action};

/// Decides about the request of the current stream.
pub fn authorize(context_id: u32) -> Action {
    let root_id = streams::root_of(context_id);
    if root_id.is_none() {
        streams::created(context_id, 0);
    }
    let Some(cell) = root_id.and_then(roots::of) else {
        return fail();
    };
    let mut cell = cell.borrow_mut();
    let (Some(filter), Ok(head), Ok(now)) = (cell.as_mut(), ProxyRequestHead::read(), clock::now()) else {
        return fail();
    };
    #[cfg(feature = "test-hooks")]
    let now = test_hooks::apply(&head, now);
    match filter.authorizer.authorize(now.as_secs(), &head) {
        Decision::Admit(admitted) => outcome::admit(filter, context_id, &head, &admitted),
        Decision::Reject(rejection) => outcome::reject(filter, &head, rejection),
        Decision::Respond(response) => outcome::respond(filter, &response),
        Decision::Pause(paused) => {
            match filter.pause(context_id, now, PausedStream { head, paused, received_at: clock::logical_time(now) }) {
                Ok(()) => Action::Pause,
                Err(request) => {
                    let rejection = Rejection::Token(Reason::Overloaded);
                    outcome::reject(filter, &request.head, rejection)
                }
            }
        }
        // The filter enables no check of revocations.
        Decision::AskRevocation(_) => outcome::reject(filter, &head, Rejection::Token(Reason::RevocationUnavailable)),
    }
}

/// Responds with 503, because no decision can be made.
fn fail() -> Action {
    let _ = hostcalls::send_http_response(503, vec![("cache-control", "no-store"), ("retry-after", "1")], None);
    Action::Pause
}
