//! The bindings, generated from `wit/`. The component has no unsafe code except that of the canonical ABI, which is generated here.
#![allow(unsafe_code, missing_docs, clippy::all, clippy::restriction)]

use crate::Component;

#[cfg(all(feature = "macros", feature = "gate"))]
wit_bindgen::generate!({
    world: "request-gate",
    path: "../../wit",
    generate_all,
});

#[cfg(all(feature = "macros", not(feature = "accounts"), not(feature = "gate")))]
wit_bindgen::generate!({
    world: "token-verifier",
    path: "../../wit",
    generate_all,
});

#[cfg(all(feature = "macros", feature = "accounts", not(feature = "gate")))]
wit_bindgen::generate!({
    world: "authenticator",
    path: "../../wit",
    generate_all,
});

// The build of the artifacts generates them once: guest/artifacts/build/bindings.rs.
#[cfg(not(feature = "macros"))]
include!(env!("POOLGATE_BINDINGS"));

export!(Component);
