//! Requests that wait for keys. Their number and the time of each are limited.

use crate::head::ProxyRequestHead;
use poolgate_core::LogicalTime;
use poolgate_edge::PausedRequest;
use std::time::Duration;

/// A request that waits for keys, and what is needed to decide about it afterwards.
pub struct PausedStream {
    pub head: ProxyRequestHead,
    pub paused: PausedRequest,
    pub received_at: LogicalTime,
}

struct Waiter {
    context_id: u32,
    deadline: Duration,
    request: PausedStream,
}

pub struct Waiting {
    waiters: Vec<Waiter>,
    limit: usize,
    timeout: Duration,
}

/// A request whose wait is over.
pub struct ReadyRequest {
    pub context_id: u32,
    pub deadline: Duration,
    pub request: PausedStream,
    /// Its key fetch did not finish in time.
    pub timed_out: bool,
}

impl Waiting {
    pub fn new(limit: usize, timeout: Duration) -> Self {
        Self { waiters: Vec::new(), limit, timeout }
    }

    pub fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    /// Adds a request. At the limit, first removes the requests whose stream no longer exists, and returns the new one if that is not enough.
    pub fn push(
        &mut self,
        context_id: u32,
        now: Duration,
        request: PausedStream,
        exists: impl Fn(u32) -> bool,
    ) -> Result<(), Box<PausedStream>> {
        if self.waiters.len() >= self.limit {
            self.waiters.retain(|waiter| exists(waiter.context_id));
        }
        if self.waiters.len() >= self.limit {
            return Err(Box::new(request));
        }
        self.waiters.push(Waiter { context_id, deadline: now.saturating_add(self.timeout), request });
        Ok(())
    }

    /// Adds a request that was removed as ready and must wait for a later fetch. It keeps its deadline.
    pub fn push_again(&mut self, context_id: u32, deadline: Duration, request: PausedStream) {
        self.waiters.push(Waiter { context_id, deadline, request });
    }

    /// Removes the requests whose fetch has finished and those whose deadline has passed.
    pub fn take_ready(&mut self, now: Duration, has_finished: impl Fn(&str) -> bool) -> Vec<ReadyRequest> {
        let is_ready = |waiter: &mut Waiter| now >= waiter.deadline || has_finished(&waiter.request.paused.url);
        let ready = self.waiters.extract_if(.., is_ready);
        ready
            .map(|Waiter { context_id, deadline, request }| {
                let timed_out = !has_finished(&request.paused.url);
                ReadyRequest { context_id, deadline, request, timed_out }
            })
            .collect()
    }
}
