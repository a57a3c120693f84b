//! Requests that wait for keys: a bounded number, each for a bounded time.

use crate::head::Head;
use poolgate_core::Tick;
use poolgate_edge::Held;
use std::time::Duration;

/// What is kept of a request that waits.
pub struct HeldRequest {
    pub head: Head,
    pub held: Held,
    pub came_at: Tick,
}

struct Waiter {
    context_id: u32,
    deadline: Duration,
    request: HeldRequest,
}

pub struct Waiting {
    waiters: Vec<Waiter>,
    most: usize,
    patience: Duration,
}

/// A request whose turn has come.
pub struct Woken {
    pub context_id: u32,
    pub deadline: Duration,
    pub request: HeldRequest,
    /// Its keys did not come in time.
    pub is_late: bool,
}

impl Waiting {
    pub fn new(most: usize, patience: Duration) -> Self {
        Self { waiters: Vec::new(), most, patience }
    }

    pub fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    /// Gives the request back if too many wait, of those that `is_there` still.
    pub fn push(
        &mut self,
        context_id: u32,
        now: Duration,
        request: HeldRequest,
        is_there: impl Fn(u32) -> bool,
    ) -> Result<(), Box<HeldRequest>> {
        if self.waiters.len() >= self.most {
            self.waiters.retain(|waiter| is_there(waiter.context_id));
        }
        if self.waiters.len() >= self.most {
            return Err(Box::new(request));
        }
        self.waiters.push(Waiter { context_id, deadline: now.saturating_add(self.patience), request });
        Ok(())
    }

    /// Lets one wait on that was woken for the end of an earlier fetch, as long as it would have.
    pub fn go_on(&mut self, context_id: u32, deadline: Duration, request: HeldRequest) {
        self.waiters.push(Waiter { context_id, deadline, request });
    }

    /// Takes out those whose keys have come (or will not), and those whose time is over.
    pub fn wake(&mut self, now: Duration, has_ended: impl Fn(&str) -> bool) -> Vec<Woken> {
        let is_over = |waiter: &mut Waiter| now >= waiter.deadline || has_ended(&waiter.request.held.url);
        let over = self.waiters.extract_if(.., is_over);
        over.map(|Waiter { context_id, deadline, request }| {
            let is_late = !has_ended(&request.held.url);
            Woken { context_id, deadline, request, is_late }
        })
        .collect()
    }
}
