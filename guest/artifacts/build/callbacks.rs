//! The callbacks of a proxy-wasm module.
//!
//! A proxy enters the module for each callback that it exports, whether that does anything or not, and the SDK exports all of the ABI. For
//! a request that costs more than the check of a token that is known. So those that this filter has no use for are taken off.

use wasm_encoder::{ExportSection, Module, RawSection, reencode::Reencode};
use wasmparser::{Parser, Payload};

/// What `poolgate-proxy-wasm` does something in, or the ABI wants, under the name that it has there and the one that the ABI has for it
/// (`malloc` is its older name of `proxy_on_memory_allocate`; <https://github.com/proxy-wasm/spec>, version 0.2.1). Those that have to
/// do with streams are its own. Without those for body and trailers, a proxy that does not stop a held request's body would let it pass.
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

/// The module with none but these exports.
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
            let range = usize::try_from(range.start)?..usize::try_from(range.end)?;
            let data = module.get(range).ok_or("a section that is not there")?;
            kept.section(&RawSection { id, data });
        }
    }
    match KEPT.iter().find(|(own, _)| !names.contains(own)) {
        Some((missing, _)) => Err(format!("the filter does not export {missing}").into()),
        None => Ok(kept.finish()),
    }
}
