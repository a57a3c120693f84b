//! poolgate as a proxy-wasm filter (ABI 0.2.1): a thin adapter from a proxy's calls to [`poolgate_edge`].
//!
//! `root` is configured, ticks, and fetches keys; `request` reads a request's head, and carries a decision out; `waiting` holds the
//! requests whose keys are being fetched; `sharing` lets one worker's fetch serve all. No work here grows without a bound: a proxy never
//! interrupts a filter.

mod filter;
mod head;
mod header_map;
mod metrics;
mod outcome;
mod request;
mod root;
mod sharing;
#[cfg(feature = "test-doors")]
mod test_doors;
mod waiting;

mod entry {
    proxy_wasm::main! {{
        proxy_wasm::set_root_context(|context_id| Box::new(crate::root::Root::new(context_id)));
    }}
}
