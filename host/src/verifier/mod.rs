//! The verifier of tokens, and its builder.

mod builder;
mod handle;
mod inner;
mod question;
mod settings;

pub(crate) use builder::Parts;
pub use builder::VerifierBuilder;
pub use handle::Verifier;
pub(crate) use question::Question;
