//! The table of root contexts: a proxy runs all plugins with the same VM identifier in one module, each with its own configuration.

use crate::filter::FilterCell;
use proxy_wasm::hostcalls;
use std::{cell::RefCell, rc::Rc};

thread_local! {
    static ROOTS: RefCell<Vec<(u32, FilterCell)>> = const { RefCell::new(Vec::new()) };
}

/// Adds a root context.
pub fn created(context_id: u32, filter: &FilterCell) {
    ROOTS.with_borrow_mut(|roots| roots.push((context_id, Rc::clone(filter))));
}

/// Returns the state of a root context, or `None` if there is no such context.
pub fn of(root_id: u32) -> Option<FilterCell> {
    ROOTS.with_borrow(|roots| roots.iter().find(|root| root.0 == root_id).map(|root| Rc::clone(&root.1)))
}

/// Removes the root contexts that the proxy no longer knows, and returns their identifiers. `own` is the current context.
pub fn remove_gone(own: u32) -> Vec<u32> {
    ROOTS.with_borrow_mut(|roots| {
        if roots.len() < 2 {
            return Vec::new();
        }
        let is_gone = |root: &mut (u32, FilterCell)| root.0 != own && hostcalls::set_effective_context(root.0).is_err();
        let gone = roots.extract_if(.., is_gone).map(|root| root.0).collect();
        let _ = hostcalls::set_effective_context(own);
        gone
    })
}
