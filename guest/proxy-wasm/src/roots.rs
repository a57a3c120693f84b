//! The roots: a proxy runs every plugin of one VM identifier in one module, each with a configuration of its own.

use crate::filter::Shared;
use proxy_wasm::hostcalls;
use std::{cell::RefCell, rc::Rc};

thread_local! {
    static ROOTS: RefCell<Vec<(u32, Shared)>> = const { RefCell::new(Vec::new()) };
}

/// Tells of a root.
pub fn created(context_id: u32, filter: &Shared) {
    ROOTS.with_borrow_mut(|roots| roots.push((context_id, Rc::clone(filter))));
}

/// What a root has. None if the root is not there.
pub fn of(root_id: u32) -> Option<Shared> {
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
