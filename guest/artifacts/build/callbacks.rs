//! Removes unused callbacks from a proxy-wasm module, and the code that only they use.
//!
//! The SDK exports every callback of the ABI. A proxy calls each exported callback, even if it does nothing. For one request, these calls
//! cost more than a cache hit. So the callbacks that the filter does not use are removed.

use std::collections::BTreeSet;
use wasm_encoder::{CodeSection, ExportSection, Function, Module, RawSection, reencode::Reencode};
use wasmparser::{ElementItems, ExternalKind, FunctionBody, Operator, Parser, Payload, TypeRef};

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

/// Returns the module with the exports in [`KEPT`] only, and without the code of functions that nothing calls then.
pub fn keep(module: &[u8]) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let called = called_functions(module)?;
    let mut kept = Module::new();
    let mut names = Vec::new();
    let mut code = CodeSection::new();
    let mut function = imported_functions(module)?;
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        match &payload {
            Payload::ExportSection(section) => {
                let mut exports = ExportSection::new();
                for export in section.clone() {
                    let mut export = export?;
                    if let Some((own, name)) = KEPT.iter().find(|(own, _)| *own == export.name) {
                        names.push(*own);
                        export.name = name;
                        wasm_encoder::reencode::RoundtripReencoder.parse_export(&mut exports, export)?;
                    }
                }
                kept.section(&exports);
            }
            Payload::CodeSectionStart { .. } => (),
            Payload::CodeSectionEntry(body) => {
                if called.contains(&function) {
                    code.raw(body.as_bytes());
                } else {
                    // It stays as an empty function, because the other functions are called by their numbers.
                    let mut empty = Function::new([]);
                    empty.instructions().unreachable().end();
                    code.function(&empty);
                }
                function += 1;
            }
            _ => {
                if let Some((id, range)) = payload.as_section() {
                    // The sections after the code are the data and those of tools.
                    if !code.is_empty() {
                        kept.section(&std::mem::take(&mut code));
                    }
                    let data = module.get(range).ok_or("a section that is not there")?;
                    kept.section(&RawSection { id, data });
                }
            }
        }
    }
    if !code.is_empty() {
        kept.section(&code);
    }
    match KEPT.iter().find(|(own, _)| !names.contains(own)) {
        Some((missing, _)) => Err(format!("the filter does not export {missing}").into()),
        None => Ok(kept.finish()),
    }
}

/// Returns the number of imported functions. It is the number of the first function that the module defines.
fn imported_functions(module: &[u8]) -> Result<u32, Box<dyn std::error::Error>> {
    let mut count = 0;
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ImportSection(section) = payload? {
            for import in section.into_imports() {
                count += u32::from(matches!(import?.ty, TypeRef::Func(_)));
            }
        }
    }
    Ok(count)
}

/// Returns the numbers of the functions that a kept export or a function pointer may call, directly or through other functions.
fn called_functions(module: &[u8]) -> Result<BTreeSet<u32>, Box<dyn std::error::Error>> {
    let first = imported_functions(module)?;
    let (mut to_visit, mut bodies): (Vec<u32>, Vec<FunctionBody<'_>>) = (Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    let is_kept = KEPT.iter().any(|(own, _)| *own == export.name);
                    to_visit.extend((is_kept && export.kind == ExternalKind::Func).then_some(export.index));
                }
            }
            // What function pointers point to.
            Payload::ElementSection(section) => {
                for element in section {
                    match element?.items {
                        ElementItems::Functions(functions) => {
                            for function in functions {
                                to_visit.push(function?);
                            }
                        }
                        ElementItems::Expressions(..) => return Err("a table with expressions".into()),
                    }
                }
            }
            Payload::StartSection { func, .. } => to_visit.push(func),
            Payload::CodeSectionEntry(body) => bodies.push(body),
            _ => (),
        }
    }
    let mut called = BTreeSet::new();
    while let Some(function) = to_visit.pop() {
        if !called.insert(function) || function < first {
            continue;
        }
        let body = bodies.get((function - first) as usize).ok_or("a function that is not there")?;
        for operator in body.get_operators_reader()? {
            match operator? {
                Operator::Call { function_index }
                | Operator::ReturnCall { function_index }
                | Operator::RefFunc { function_index } => to_visit.push(function_index),
                _ => (),
            }
        }
    }
    Ok(called)
}
