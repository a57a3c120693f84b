//! Exports the handler from the component. The macro expands to unsafe code of the canonical ABI.
#![allow(unsafe_code, missing_docs, clippy::all, clippy::restriction)]

use crate::handler::Echo;

crate::bindings::export!(Echo with_types_in crate::bindings);
