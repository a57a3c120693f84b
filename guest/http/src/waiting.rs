//! Requests that wait for keys. Their number and the time of each are limited.

use crate::{
    authorizer, clock, fetching,
    head::WasiRequestHead,
    pending::{self, FetchCompletion},
};
use futures_util::future::{Either, select};
use poolgate_core::Reason;
use poolgate_edge::{Decision, PausedRequest, Rejection};
use std::{cell::Cell, pin::pin, time::Duration};

// The number of requests that wait.
thread_local!(static WAITING: Cell<u32> = const { Cell::new(0) });

/// One of the requests that wait, counted against `limits.waiting_requests`.
struct WaitingSlot;

impl WaitingSlot {
    /// Returns `None` if the limit is reached.
    fn take() -> Option<Self> {
        let limit = authorizer::configured(|config| config.limits.waiting_requests).unwrap_or_default();
        let waiting = WAITING.get();
        (waiting < limit).then(|| {
            WAITING.set(waiting.saturating_add(1));
            Self
        })
    }
}

impl Drop for WaitingSlot {
    fn drop(&mut self) {
        WAITING.set(WAITING.get().saturating_sub(1));
    }
}

/// Waits until the key fetch of a request has ended or `limits.wait_ms` has passed, and decides about the request.
///
/// A fetch that started before the request was received does not prove that its key does not exist. The request then waits for one more
/// fetch, within the same time.
pub async fn wait(head: &WasiRequestHead, mut paused: PausedRequest) -> Decision {
    let received_at = pending::logical_time();
    if let Some(fetch) = paused.fetch.take() {
        fetching::start(fetch);
    }
    let Some(_slot) = WaitingSlot::take() else {
        return Decision::Reject(Rejection::Token(Reason::Overloaded));
    };
    let timeout = authorizer::configured(|config| config.limits.wait_ms).unwrap_or_default();
    let mut late = pin!(clock::sleep(Duration::from_millis(timeout.into())));
    loop {
        let timed_out = matches!(select(FetchCompletion::of(&paused.url), late.as_mut()).await, Either::Right(_));
        let decided = authorizer::with(|authorizer| match timed_out {
            true => authorizer.time_out(head, &paused),
            false => authorizer.authorize_paused(clock::seconds(), head, &paused, received_at),
        });
        match decided {
            Some(Decision::Pause(next)) => paused = next,
            Some(decision) => return decision,
            None => return Decision::Reject(Rejection::Token(Reason::NotConfigured)),
        }
        match paused.fetch.take() {
            Some(fetch) => fetching::start(fetch),
            // No fetch is in progress that could supply the key.
            None if !pending::is_pending(&paused.url) => {
                return Decision::Reject(Rejection::Token(Reason::KeysUnavailable));
            }
            None => (),
        }
    }
}
