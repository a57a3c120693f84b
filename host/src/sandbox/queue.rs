//! Limits on the number of calls in progress, and on the time that a call waits for an instance.

use crate::{Denial, Reason, metrics::Metrics};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

/// The limits of a [`Queue`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueueLimits {
    /// The maximum number of calls in progress: running, waiting for an instance, or waiting for keys.
    pub(crate) calls: usize,
    /// The maximum time that a call waits for an instance.
    pub(crate) deadline: Duration,
}

/// Admits calls and hands out instances.
#[derive(Debug)]
pub(crate) struct Queue {
    limits: QueueLimits,
    /// One permit per call in progress.
    calls: Semaphore,
    /// One permit per call that waits for keys: at most a quarter of all calls, so that tokens with unknown keys cannot use up all permits.
    waiting_for_keys: Semaphore,
    /// One permit per instance.
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

    /// Admits a call.
    ///
    /// Returns a denial with the reason `overloaded` if the limit is reached, and `shutting-down` after [`Queue::close`].
    pub(crate) fn enter(&self) -> Result<SemaphorePermit<'_>, Denial> {
        if self.is_closing.load(Ordering::Acquire) {
            return Err(Denial::unavailable(Reason::ShuttingDown));
        }
        self.calls.try_acquire().map_err(|_| Denial::unavailable(Reason::Overloaded))
    }

    /// Waits for a free instance, at most until the deadline. Returns a denial with the reason `overloaded` after that.
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

    /// Returns a permit for an instance if one is free now.
    pub(crate) fn free_instance(&self) -> Option<SemaphorePermit<'_>> {
        self.instances.try_acquire().ok()
    }

    /// Returns a permit to wait for keys, unless a quarter of the calls already waits.
    pub(crate) fn wait_for_keys(&self) -> Option<SemaphorePermit<'_>> {
        self.waiting_for_keys.try_acquire().ok()
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Acquire)
    }

    /// Stops admitting calls, and waits until those in progress have finished.
    pub(crate) async fn close(&self) {
        self.is_closing.store(true, Ordering::Release);
        let all = u32::try_from(self.limits.calls).unwrap_or(u32::MAX);
        // A call that was admitted concurrently holds a permit, so this waits for it too.
        let _ = self.calls.acquire_many(all).await;
    }
}
