//! The streams: which root each belongs to, and whether its request may go on to the application.
//!
//! A proxy may run the body and the trailers of a request through the filters while the head is still held (Envoy does with
//! `allow_on_headers_stop_iteration`), and a filter that lets a body pass releases the head with it. So a body passes only
//! where the head has passed. The table has a fixed size, because nobody tells the filter when a stream ends (see `entry`).

use proxy_wasm::hostcalls;
use std::cell::RefCell;

/// How many streams the table has room for.
const PLACES: usize = 1024;
/// From so many on, [`Streams::stopped`] is cleared of streams that have ended each time that its length has doubled.
const FEW: usize = 64;

#[derive(Clone, Copy)]
struct Stream {
    context_id: u32,
    root_id: u32,
    has_passed: bool,
}

struct Streams {
    /// By the identifier of the stream. A later stream takes the place of an earlier one.
    recent: [Stream; PLACES],
    /// Streams that lost their place before they passed. A stream that is in neither has passed.
    stopped: Vec<u32>,
}

thread_local! {
    static STREAMS: RefCell<Streams> = const {
        let none = Stream { context_id: 0, root_id: 0, has_passed: true };
        RefCell::new(Streams { recent: [none; PLACES], stopped: Vec::new() })
    };
}

/// Notes a new stream. Until [`pass`] is called for it, nothing of it may go on.
pub fn created(context_id: u32, root_id: u32) {
    STREAMS.with_borrow_mut(|Streams { recent, stopped }| {
        let Some(place) = recent.get_mut(context_id as usize % PLACES) else { return };
        let earlier = std::mem::replace(place, Stream { context_id, root_id, has_passed: false });
        if earlier.has_passed {
            return;
        }
        let is_there = |stream: &u32| hostcalls::set_effective_context(*stream).is_ok();
        if is_there(&earlier.context_id) {
            stopped.push(earlier.context_id);
            if stopped.len() >= FEW && stopped.len().is_power_of_two() {
                stopped.retain(is_there);
            }
        }
        let _ = hostcalls::set_effective_context(context_id);
    });
}

/// The root of a stream whose head is to be judged. None, so that the stream is refused, if it can't be told.
pub fn root_of(context_id: u32) -> Option<u32> {
    let stream = STREAMS.with_borrow(|streams| streams.recent.get(context_id as usize % PLACES).copied())?;
    (stream.context_id == context_id).then_some(stream.root_id)
}

/// The request may go on.
pub fn pass(context_id: u32) {
    STREAMS.with_borrow_mut(|Streams { recent, stopped }| match recent.get_mut(context_id as usize % PLACES) {
        Some(stream) if stream.context_id == context_id => stream.has_passed = true,
        _ => stopped.retain(|stream| *stream != context_id),
    });
}

/// Whether the request may go on.
pub fn has_passed(context_id: u32) -> bool {
    STREAMS.with_borrow(|Streams { recent, stopped }| match recent.get(context_id as usize % PLACES) {
        Some(stream) if stream.context_id == context_id => stream.has_passed,
        _ => !stopped.contains(&context_id),
    })
}
