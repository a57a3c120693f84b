//! Requests that wait for keys: a bounded number, each for a bounded time.

use crate::head::ProxyRequestHead;
use poolgate_core::Tick;
use poolgate_edge::PausedRequest;
use std::time::Duration;

/// What is kept of a request that waits.
pub struct PausedStream {
    pub head: ProxyRequestHead,
    pub paused: PausedRequest,
    pub came_at: Tick,
}

struct Waiter {
    context_id: u32,
    deadline: Duration,
    request: PausedStream,
}

pub struct Waiting {
    waiters: Vec<Waiter>,
    most: usize,
    timeout: Duration,
}

/// A request whose turn has come.
pub struct ReadyRequest {
    pub context_id: u32,
    pub deadline: Duration,
    pub request: PausedStream,
    /// Its keys did not come in time.
    pub timed_out: bool,
}

impl Waiting {
    pub fn new(most: usize, timeout: Duration) -> Self {
        Self { waiters: Vec::new(), most, timeout }
    }

    pub fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    /// Gives the request back if too many wait, of those that `is_there` still.
    pub fn push(
        &mut self,
        context_id: u32,
        now: Duration,
        request: PausedStream,
        is_there: impl Fn(u32) -> bool,
    ) -> Result<(), Box<PausedStream>> {
        if self.waiters.len() >= self.most {
            self.waiters.retain(|waiter| is_there(waiter.context_id));
        }
        if self.waiters.len() >= self.most {
            return Err(Box::new(request));
        }
        self.waiters.push(Waiter { context_id, deadline: now.saturating_add(self.timeout), request });
        Ok(())
    }

    /// Lets one wait on that was woken for the end of an earlier fetch, as long as it would have.
    pub fn push_back(&mut self, context_id: u32, deadline: Duration, request: PausedStream) {
        self.waiters.push(Waiter { context_id, deadline, request });
    }

    /// Takes out those whose keys have come (or will not), and those whose time is over.
    pub fn take_ready(&mut self, now: Duration, has_ended: impl Fn(&str) -> bool) -> Vec<ReadyRequest> {
        let is_over = |waiter: &mut Waiter| now >= waiter.deadline || has_ended(&waiter.request.paused.url);
        let over = self.waiters.extract_if(.., is_over);
        over.map(|Waiter { context_id, deadline, request }| {
            let timed_out = !has_ended(&request.paused.url);
            ReadyRequest { context_id, deadline, request, timed_out }
        })
        .collect()
    }
}
