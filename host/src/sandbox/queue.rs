//! How many calls may be inside at once, and how long they wait for an instance.

use crate::{Denial, Reason, metrics::Metrics};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

/// What an operator states of the queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueueLimits {
    /// Calls inside at once: running, waiting for an instance, waiting for keys.
    pub(crate) calls: usize,
    /// The longest that a call waits for an instance.
    pub(crate) deadline: Duration,
}

#[derive(Debug)]
pub(crate) struct Queue {
    limits: QueueLimits,
    /// One a call inside.
    calls: Semaphore,
    /// One a call that waits for keys: at most a quarter of all, so that tokens with unknown keys never fill the house.
    waiting_for_keys: Semaphore,
    /// One an instance.
    instances: Semaphore,
    is_closing: AtomicBool,
}

impl Queue {
    pub(crate) fn new(instances: usize, limits: QueueLimits) -> Self {
        let calls = limits.calls.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            limits: QueueLimits { calls, ..limits },
            calls: Semaphore::new(calls),
            waiting_for_keys: Semaphore::new(calls.div_ceil(4)),
            instances: Semaphore::new(instances),
            is_closing: AtomicBool::new(false),
        }
    }

    /// Lets a call in, if there is room and the house is not being closed.
    pub(crate) fn enter(&self) -> Result<SemaphorePermit<'_>, Denial> {
        if self.is_closing.load(Ordering::Acquire) {
            return Err(Denial::unavailable(Reason::ShuttingDown));
        }
        self.calls.try_acquire().map_err(|_| Denial::unavailable(Reason::Overloaded))
    }

    /// Waits for an instance.
    pub(crate) async fn instance(&self, metrics: &Metrics) -> Result<SemaphorePermit<'_>, Denial> {
        if let Ok(permit) = self.instances.try_acquire() {
            metrics.count_queue(Duration::ZERO);
            return Ok(permit);
        }
        let begun = Instant::now();
        let permit = timeout(self.limits.deadline, self.instances.acquire()).await;
        metrics.count_queue(begun.elapsed());
        // The semaphore is never closed.
        permit.ok().and_then(Result::ok).ok_or(Denial::unavailable(Reason::Overloaded))
    }

    /// An instance that nobody uses, if there is one now.
    pub(crate) fn free_instance(&self) -> Option<SemaphorePermit<'_>> {
        self.instances.try_acquire().ok()
    }

    /// A place to wait for keys, if there is one.
    pub(crate) fn wait_for_keys(&self) -> Option<SemaphorePermit<'_>> {
        self.waiting_for_keys.try_acquire().ok()
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Acquire)
    }

    /// Lets no more calls in, and waits until those inside have ended.
    pub(crate) async fn close(&self) {
        self.is_closing.store(true, Ordering::Release);
        let all = u32::try_from(self.limits.calls).unwrap_or(u32::MAX);
        // Whoever slipped in while it was being closed holds one of them.
        let _ = self.calls.acquire_many(all).await;
    }
}
