//! Requests that wait for keys: a bounded number, each for a bounded time.

use crate::head::Head;
use poolgate_edge::Held;
use std::{
    rc::{Rc, Weak},
    time::Duration,
};

/// What is kept of a request that waits.
pub struct HeldRequest {
    pub head: Head,
    pub held: Held,
}

struct Waiter {
    context_id: u32,
    deadline: Duration,
    request: Weak<HeldRequest>,
}

pub struct Waiting {
    waiters: Vec<Waiter>,
    most: usize,
    patience: Duration,
}

/// A request whose turn has come.
pub struct Woken {
    pub context_id: u32,
    pub request: Rc<HeldRequest>,
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

    /// False if there are too many.
    pub fn push(&mut self, context_id: u32, now: Duration, request: &Rc<HeldRequest>) -> bool {
        if self.waiters.len() >= self.most {
            self.waiters.retain(|waiter| waiter.request.strong_count() > 0);
        }
        let is_room = self.waiters.len() < self.most;
        if is_room {
            let (deadline, request) = (now.saturating_add(self.patience), Rc::downgrade(request));
            self.waiters.push(Waiter { context_id, deadline, request });
        }
        is_room
    }

    /// Takes out those whose keys have come (or will not), and those whose time is over. Those that have gone away are forgotten.
    pub fn wake(&mut self, now: Duration, has_ended: impl Fn(&str) -> bool) -> Vec<Woken> {
        let mut woken = Vec::new();
        self.waiters.retain(|waiter| {
            let Some(request) = waiter.request.upgrade() else { return false };
            let is_late = now >= waiter.deadline;
            let is_over = is_late || has_ended(&request.held.url);
            if is_over {
                let is_late = !has_ended(&request.held.url);
                woken.push(Woken { context_id: waiter.context_id, request, is_late });
            }
            !is_over
        });
        woken
    }
}
