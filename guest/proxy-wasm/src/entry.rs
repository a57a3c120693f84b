//! The callbacks that the proxy calls.
//!
//! The callbacks for streams are exported under names that begin with `poolgate_`, because the SDK already exports the names of the ABI; `guest/artifacts`
//! (callbacks.rs) renames them in the module. The SDK's own callbacks allocate an object per stream, which the proxy deletes with one more
//! call; for a cached token, that costs as much as everything else. `streams` and `waiting` instead detect that a stream has ended when the
//! proxy no longer knows its identifier.
#![expect(unsafe_code, reason = "a name in an export")]

use crate::{request, root::Root, roots, streams};
use proxy_wasm::types::Action;

/// The SDK's own callbacks, used for root contexts.
mod sdk {
    unsafe extern "C" {
        pub safe fn proxy_on_context_create(context_id: u32, root_id: u32);
        pub safe fn proxy_on_tick(context_id: u32);
        pub safe fn proxy_on_delete(context_id: u32);
    }
}

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|context_id| Box::new(Root::new(context_id)));
}}

#[unsafe(export_name = "poolgate_on_context_create")]
extern "C" fn on_context_create(context_id: u32, root_id: u32) {
    match root_id {
        0 => sdk::proxy_on_context_create(context_id, 0),
        _ => streams::created(context_id, root_id),
    }
}

#[unsafe(export_name = "poolgate_on_tick")]
extern "C" fn on_tick(root_id: u32) {
    sdk::proxy_on_tick(root_id);
    roots::remove_gone(root_id).into_iter().for_each(|gone| sdk::proxy_on_delete(gone));
}

#[unsafe(export_name = "poolgate_on_request_headers")]
extern "C" fn on_request_headers(context_id: u32, _: usize, _: bool) -> Action {
    request::authorize(context_id)
}

/// The proxy calls this for each piece of a body, so it must be cheap.
#[unsafe(export_name = "poolgate_on_request_body")]
extern "C" fn on_request_body(context_id: u32, _: usize, _: bool) -> Action {
    after_head(context_id)
}

#[unsafe(export_name = "poolgate_on_request_trailers")]
extern "C" fn on_request_trailers(context_id: u32, _: usize) -> Action {
    after_head(context_id)
}

fn after_head(context_id: u32) -> Action {
    match streams::has_passed(context_id) {
        true => Action::Continue,
        false => Action::Pause,
    }
}
