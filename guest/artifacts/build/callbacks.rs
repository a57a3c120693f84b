//! Removes unused callbacks from a proxy-wasm module.
//!
//! The SDK exports every callback of the ABI. A proxy calls each exported callback, even if it does nothing. For one request, these calls
//! cost more than a cache hit. So the callbacks that the filter does not use are removed.

use wasm_encoder::{ExportSection, Module, RawSection, reencode::Reencode};
use wasmparser::{Parser, Payload};

/// The exports to keep: the callbacks that `poolgate-proxy-wasm` implements, and the exports that the ABI requires
/// (<https://github.com/proxy-wasm/spec>, version 0.2.1; `malloc` is the older name of `proxy_on_memory_allocate`).
///
/// Each pair is the name in the module and the name in the ABI. The filter exports its callbacks for streams with the prefix `poolgate_`. It
/// needs the callbacks for body and trailers: without them, some proxies would forward the body of a paused request.
const KEPT: [(&str, &str); 11] = [
    ("_initialize", "_initialize"),
    ("malloc", "malloc"),
    ("memory", "memory"),
    ("proxy_abi_version_0_2_1", "proxy_abi_version_0_2_1"),
    ("proxy_on_configure", "proxy_on_configure"),
    ("poolgate_on_context_create", "proxy_on_context_create"),
    ("proxy_on_http_call_response", "proxy_on_http_call_response"),
    ("poolgate_on_request_headers", "proxy_on_request_headers"),
    ("poolgate_on_request_body", "proxy_on_request_body"),
    ("poolgate_on_request_trailers", "proxy_on_request_trailers"),
    ("poolgate_on_tick", "proxy_on_tick"),
];

/// Returns the module with the exports in [`KEPT`] only.
pub fn keep(module: &[u8]) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut kept = Module::new();
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        if let Payload::ExportSection(section) = payload {
            let mut exports = ExportSection::new();
            for export in section {
                let mut export = export?;
                if let Some((own, name)) = KEPT.iter().find(|(own, _)| *own == export.name) {
                    names.push(*own);
                    export.name = name;
                    wasm_encoder::reencode::RoundtripReencoder.parse_export(&mut exports, export)?;
                }
            }
            kept.section(&exports);
        } else if let Some((id, range)) = payload.as_section() {
            let data = module.get(range).ok_or("a section that is not there")?;
            kept.section(&RawSection { id, data });
        }
    }
    match KEPT.iter().find(|(own, _)| !names.contains(own)) {
        Some((missing, _)) => Err(format!("the filter does not export {missing}").into()),
        None => Ok(kept.finish()),
    }
}
