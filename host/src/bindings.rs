//! The host's side of the contract, generated from `wit/`. Every function is synchronous: nothing waits in the sandbox.
#![allow(missing_docs, clippy::all)]

wasmtime::component::bindgen!({
    path: "wit",
    world: "token-verifier",
    additional_derives: [PartialEq, Eq, Hash],
});

include!(concat!(env!("OUT_DIR"), "/contract_names.rs"));
