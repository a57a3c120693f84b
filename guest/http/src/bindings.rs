//! Bindings generated from `wit/`. They contain the unsafe code of the canonical ABI; apart from `export`, the component has no other.
#![allow(unsafe_code, missing_docs, clippy::all, clippy::restriction)]

#[cfg(feature = "macros")]
wit_bindgen::generate!({
    world: "middleware",
    path: "../../wit/edge",
    generate_all,
});

// The build of the artifacts generates them once: guest/artifacts/build/bindings.rs.
#[cfg(not(feature = "macros"))]
include!(env!("POOLGATE_BINDINGS"));
