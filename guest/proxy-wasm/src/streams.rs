//! The table of streams: the root context of each, and whether its request may continue to the application.
//!
//! A proxy may pass the body and the trailers of a request to the filter while its head is paused (Envoy does so with
//! `allow_on_headers_stop_iteration`). A filter that continues a body also releases the head. Therefore a body continues only if its head
//! has passed. The table has a fixed size, because the filter is not notified when a stream ends (see `entry`).

use proxy_wasm::hostcalls;
use std::cell::RefCell;

/// The number of entries of the table.
const ENTRIES: usize = 1024;
/// If [`Streams::stopped`] has at least this length, ended streams are removed from it each time that its length has doubled.
const CLEAN_UP_FROM: usize = 64;

#[derive(Clone, Copy)]
struct Stream {
    context_id: u32,
    root_id: u32,
    has_passed: bool,
}

struct Streams {
    /// By the stream's identifier modulo the table's size. A later stream replaces an earlier one.
    recent: [Stream; ENTRIES],
    /// Streams that were replaced before they passed. A stream that is in neither table has passed.
    stopped: Vec<u32>,
}

thread_local! {
    static STREAMS: RefCell<Streams> = const {
        let none = Stream { context_id: 0, root_id: 0, has_passed: true };
        RefCell::new(Streams { recent: [none; ENTRIES], stopped: Vec::new() })
    };
}

/// Adds a new stream. Nothing of its request continues until [`pass`] is called for it.
pub fn created(context_id: u32, root_id: u32) {
    STREAMS.with_borrow_mut(|Streams { recent, stopped }| {
        let Some(entry) = recent.get_mut(context_id as usize % ENTRIES) else { return };
        let earlier = std::mem::replace(entry, Stream { context_id, root_id, has_passed: false });
        if earlier.has_passed {
            return;
        }
        let exists = |stream: &u32| hostcalls::set_effective_context(*stream).is_ok();
        if exists(&earlier.context_id) {
            stopped.push(earlier.context_id);
            if stopped.len() >= CLEAN_UP_FROM && stopped.len().is_power_of_two() {
                stopped.retain(exists);
            }
        }
        let _ = hostcalls::set_effective_context(context_id);
    });
}

/// Returns the root context of a stream whose head has arrived. `None` if it is unknown; the request is then rejected.
pub fn root_of(context_id: u32) -> Option<u32> {
    let stream = STREAMS.with_borrow(|streams| streams.recent.get(context_id as usize % ENTRIES).copied())?;
    (stream.context_id == context_id).then_some(stream.root_id)
}

/// Lets the stream's request continue.
pub fn pass(context_id: u32) {
    STREAMS.with_borrow_mut(|Streams { recent, stopped }| match recent.get_mut(context_id as usize % ENTRIES) {
        Some(stream) if stream.context_id == context_id => stream.has_passed = true,
        _ => stopped.retain(|stream| *stream != context_id),
    });
}

/// Returns whether the stream's request may continue.
pub fn has_passed(context_id: u32) -> bool {
    STREAMS.with_borrow(|Streams { recent, stopped }| match recent.get(context_id as usize % ENTRIES) {
        Some(stream) if stream.context_id == context_id => stream.has_passed,
        _ => !stopped.contains(&context_id),
    })
}
