//! The verifier of tokens, and its builder.

mod builder;
mod handle;
mod inner;
mod settings;

pub use builder::VerifierBuilder;
pub use handle::Verifier;
