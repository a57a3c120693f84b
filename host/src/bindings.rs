//! The bindings for the host, generated from `wit/`. All functions are synchronous; no call waits inside the sandbox.
#![allow(missing_docs, clippy::all)]

wasmtime::component::bindgen!({
    path: "wit",
    world: "request-gate",
    additional_derives: [PartialEq, Eq, Hash],
});

include!(concat!(env!("OUT_DIR"), "/contract_names.rs"));
