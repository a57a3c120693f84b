//! The host's side of the contract, generated from `wit/`.
#![allow(missing_docs, clippy::all)]

wasmtime::component::bindgen!({
    path: "../wit",
    world: "token-verifier",
    imports: { "poolgate:auth/key-source.fetch": async },
    exports: { default: async },
    additional_derives: [PartialEq, Eq, Hash],
});

include!(concat!(env!("OUT_DIR"), "/contract_names.rs"));
