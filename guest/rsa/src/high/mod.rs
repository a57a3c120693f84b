//! Keys and bytes.

pub mod public_key;
