//! The host's bindings of the world `account-flows`, generated from `wit/`. They are asynchronous, so that an instance that waits for
//! Cognito occupies no thread.
//!
//! The generated `Debug` of these types shows their values. They are therefore used only within `accounts`, and are never logged.
#![allow(missing_docs, clippy::all)]

wasmtime::component::bindgen!({
    path: "wit",
    world: "account-flows",
    imports: { default: async },
    exports: { default: async },
});
