//! The table of streams: the root context of each, and whether its request may continue to the application.
//!
//! A proxy may pass the body and the trailers of a request to the filter while its head is paused (Envoy does so with
//! `allow_on_headers_stop_iteration`). A filter that continues a body also releases the head. Therefore a body continues only if its head
//! has passed. The table has a fixed size, because the filter is not notified when a stream ends (see `entry`).

use proxy_wasm::hostcalls;
use std::cell::RefCell;

/// The number of entries of the table.
const ENTRIES: usize = 1024;
/// If [`STOPPED`] has at least this length, ended streams are removed from it each time that its length has doubled.
const CLEAN_UP_FROM: usize = 64;

#[derive(Clone, Copy)]
struct Stream {
    context_id: u32,
    root_id: u32,
    is_stopped: bool,
}

thread_local! {
    /// By the stream's identifier modulo the table's size. A later stream replaces an earlier one.
    ///
    /// At the start, all its bytes are zero. Otherwise the module would contain the table.
    static RECENT: RefCell<[Stream; ENTRIES]> = const {
        RefCell::new([Stream { context_id: 0, root_id: 0, is_stopped: false }; ENTRIES])
    };
    /// Streams that were replaced before they passed. A stream that is in neither table has passed.
    static STOPPED: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

/// Adds a new stream. Nothing of its request continues until [`pass`] is called for it.
pub fn created(context_id: u32, root_id: u32) {
    let Some(earlier) = RECENT.with_borrow_mut(|recent| {
        let entry = recent.get_mut(context_id as usize % ENTRIES)?;
        Some(std::mem::replace(entry, Stream { context_id, root_id, is_stopped: true }))
    }) else {
        return;
    };
    if !earlier.is_stopped {
        return;
    }
    let exists = |stream: &u32| hostcalls::set_effective_context(*stream).is_ok();
    if exists(&earlier.context_id) {
        STOPPED.with_borrow_mut(|stopped| {
            stopped.push(earlier.context_id);
            if stopped.len() >= CLEAN_UP_FROM && stopped.len().is_power_of_two() {
                stopped.retain(exists);
            }
        });
    }
    let _ = hostcalls::set_effective_context(context_id);
}

/// Returns the root context of a stream whose head has arrived. `None` if it is unknown; the request is then rejected.
pub fn root_of(context_id: u32) -> Option<u32> {
    let stream = RECENT.with_borrow(|recent| recent.get(context_id as usize % ENTRIES).copied())?;
    (stream.context_id == context_id).then_some(stream.root_id)
}

/// Lets the stream's request continue.
pub fn pass(context_id: u32) {
    let is_recent = RECENT.with_borrow_mut(|recent| match recent.get_mut(context_id as usize % ENTRIES) {
        Some(stream) if stream.context_id == context_id => {
            stream.is_stopped = false;
            true
        }
        _ => false,
    });
    if !is_recent {
        STOPPED.with_borrow_mut(|stopped| stopped.retain(|stream| *stream != context_id));
    }
}

/// Returns whether the stream's request may continue.
pub fn has_passed(context_id: u32) -> bool {
    let stream = RECENT.with_borrow(|recent| recent.get(context_id as usize % ENTRIES).copied());
    match stream {
        Some(stream) if stream.context_id == context_id => !stream.is_stopped,
        _ => !STOPPED.with_borrow(|stopped| stopped.contains(&context_id)),
    }
}
