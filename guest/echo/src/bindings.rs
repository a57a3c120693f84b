//! Bindings generated from `wit/`.
#![allow(unsafe_code, missing_docs, clippy::all, clippy::restriction)]

#[cfg(feature = "macros")]
wit_bindgen::generate!({
    world: "poolgate:echo/application",
    path: ["../../wit/edge", "wit"],
    generate_all,
});

// The build of the artifacts generates them once: guest/artifacts/build/bindings.rs.
#[cfg(not(feature = "macros"))]
include!(env!("POOLGATE_BINDINGS"));
