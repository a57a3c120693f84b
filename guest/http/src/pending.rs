//! The fetches in progress, and the requests that wait for each.

use poolgate_core::LogicalTime;
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, HashMap},
    pin::Pin,
    task::{Context, Poll, Waker},
};

// The URLs that this instance is fetching, and for each URL the wakers of the requests that wait for it, by a number for each request.
thread_local!(static PENDING: RefCell<HashMap<String, BTreeMap<u32, Waker>>> = RefCell::default());

// The number of the next request that waits.
thread_local!(static NEXT: Cell<u32> = const { Cell::new(0) });

// The last logical time that was returned.
thread_local!(static LAST_TIME: Cell<u64> = const { Cell::new(0) });

/// Returns a new logical time. It orders the arrival of requests and the start of fetches.
pub fn logical_time() -> LogicalTime {
    LAST_TIME.set(LAST_TIME.get().saturating_add(1));
    LogicalTime(LAST_TIME.get())
}

/// Adds a fetch.
pub fn started(url: &str) {
    PENDING.with_borrow_mut(|pending| {
        pending.entry(url.to_owned()).or_default();
    });
}

/// Removes a fetch, and wakes the requests that wait for it.
pub fn completed(url: &str) {
    let waiting = PENDING.with_borrow_mut(|pending| pending.remove(url));
    waiting.into_iter().flatten().for_each(|(_, waker)| waker.wake());
}

/// Returns whether a fetch from this URL is in progress.
pub fn is_pending(url: &str) -> bool {
    PENDING.with_borrow(|pending| pending.contains_key(url))
}

/// A future that completes when no fetch from a URL is in progress.
pub struct FetchCompletion<'a> {
    url: &'a str,
    number: u32,
}

impl<'a> FetchCompletion<'a> {
    pub fn of(url: &'a str) -> Self {
        Self { url, number: NEXT.replace(NEXT.get().wrapping_add(1)) }
    }
}

impl Future for FetchCompletion<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        PENDING.with_borrow_mut(|pending| match pending.get_mut(self.url) {
            Some(waiting) => {
                waiting.insert(self.number, context.waker().clone());
                Poll::Pending
            }
            None => Poll::Ready(()),
        })
    }
}

impl Drop for FetchCompletion<'_> {
    fn drop(&mut self) {
        PENDING.with_borrow_mut(|pending| pending.get_mut(self.url).map(|waiting| waiting.remove(&self.number)));
    }
}
