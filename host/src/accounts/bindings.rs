//! The host's side of the world `account-flows`, generated from `wit/`. An instance that waits for Cognito holds no thread.
//!
//! The generated `Debug` of these types shows what they hold: they never leave this module's neighbours, and are never logged.
#![allow(missing_docs, clippy::all)]

wasmtime::component::bindgen!({
    path: "wit",
    world: "account-flows",
    imports: { default: async },
    exports: { default: async },
});
