//! Which root a stream is of: a proxy runs every plugin of one VM identifier in one module, each with a configuration of its own.

use crate::filter::Shared;
use proxy_wasm::hostcalls;
use std::{cell::RefCell, rc::Rc};

/// How many streams can be created before the head of the first is judged. Envoy judges each at once.
const STREAMS: usize = 1024;

/// A stream and its root.
type Created = (u32, u32);

thread_local! {
    static ROOTS: RefCell<Vec<(u32, Shared)>> = const { RefCell::new(Vec::new()) };
    /// By the identifier of the stream. A later stream takes the place of an earlier one, whose head was judged long ago.
    static CREATED: RefCell<[Created; STREAMS]> = const { RefCell::new([(0, 0); STREAMS]) };
}

/// Tells of a root.
pub fn created(context_id: u32, filter: &Shared) {
    ROOTS.with_borrow_mut(|roots| roots.push((context_id, Rc::clone(filter))));
}

/// Tells of a stream.
pub fn stream_created(context_id: u32, root_id: u32) {
    CREATED.with_borrow_mut(|created| {
        if let Some(place) = created.get_mut(context_id as usize % STREAMS) {
            *place = (context_id, root_id);
        }
    });
}

/// What the root of a stream has. None, so that the stream is refused, if the root is not there or can't be told.
pub fn of_stream(context_id: u32) -> Option<Shared> {
    let (stream, root_id) = CREATED.with_borrow(|created| created.get(context_id as usize % STREAMS).copied())?;
    if stream != context_id {
        return None;
    }
    ROOTS.with_borrow(|roots| roots.iter().find(|root| root.0 == root_id).map(|root| Rc::clone(&root.1)))
}

/// Forgets the roots that the proxy has no more, and returns their identifiers. `own` is the one whose turn it is.
pub fn forget_gone(own: u32) -> Vec<u32> {
    ROOTS.with_borrow_mut(|roots| {
        if roots.len() < 2 {
            return Vec::new();
        }
        let is_gone = |root: &mut (u32, Shared)| root.0 != own && hostcalls::set_effective_context(root.0).is_err();
        let gone = roots.extract_if(.., is_gone).map(|root| root.0).collect();
        let _ = hostcalls::set_effective_context(own);
        gone
    })
}
