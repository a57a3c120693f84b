//! Bindings generated from `wit/`. They contain the unsafe code of the canonical ABI; apart from `export`, the component has no other.
#![allow(unsafe_code, missing_docs, clippy::all, clippy::restriction)]

wit_bindgen::generate!({
    world: "middleware",
    path: "../../wit/edge",
    generate_all,
});
