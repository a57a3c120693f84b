//! Paused requests whose wait is over.

use crate::{
    filter::Filter,
    outcome,
    waiting::{PausedStream, ReadyRequest},
};
use poolgate_core::Reason;
use poolgate_edge::{Decision, Rejection};
use proxy_wasm::{hostcalls, types::Action};
use std::time::Duration;

/// Resumes requests whose key fetch has finished or timed out.
pub fn resume_ready(filter: &mut Filter, now: Duration, root_id: u32) {
    let ready = filter.take_ready(now);
    if ready.is_empty() {
        return;
    }
    for ReadyRequest { context_id, deadline, request, timed_out } in ready {
        // The stream no longer exists.
        if hostcalls::set_effective_context(context_id).is_err() {
            continue;
        }
        let PausedStream { head, paused, received_at } = request;
        let decision = match timed_out {
            true => filter.authorizer.time_out(&head, &paused),
            false => filter.authorizer.authorize_paused(now.as_secs(), &head, &paused, received_at),
        };
        let action = match decision {
            Decision::Admit(admitted) => outcome::admit(filter, context_id, &head, &admitted),
            Decision::Reject(rejection) => outcome::reject(filter, &head, rejection),
            Decision::Respond(response) => outcome::respond(filter, &response),
            // The finished fetch started before the request was received, so it does not prove that the key does not exist.
            Decision::Pause(paused) => {
                filter.pause_again(context_id, now, deadline, PausedStream { head, paused, received_at });
                Action::Pause
            }
            // The filter enables no check of revocations.
            Decision::AskRevocation(_) => {
                outcome::reject(filter, &head, Rejection::Token(Reason::RevocationUnavailable))
            }
        };
        if action == Action::Continue {
            let _ = hostcalls::resume_http_request();
        }
    }
    let _ = hostcalls::set_effective_context(root_id);
}
