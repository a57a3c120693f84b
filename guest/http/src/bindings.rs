//! Generated from `wit/`. The only unsafe code of the component is in here: the canonical ABI.
#![allow(unsafe_code, missing_docs, clippy::all, clippy::restriction)]

use crate::Middleware;

wit_bindgen::generate!({
    world: "middleware",
    path: "../../wit/edge",
    generate_all,
});

export!(Middleware);
