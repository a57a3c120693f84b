//! Revocation: rejecting tokens before they expire.
//!
//! A verifier with a store ([`VerifierBuilder::revocations`](crate::VerifierBuilder::revocations)) queries it for every
//! token that passes all other checks, including cached tokens. [`Verifier::revoke`](crate::Verifier::revoke) adds an
//! entry to the store.
//!
//! Use [`InMemory`] for one process, `Redis` (feature `redis`) for several, or implement [`Revocations`]. The
//! [`RevocationMode`] decides what happens to tokens while the store does not respond.

mod breaker;
mod checker;
mod claims;
mod entry;
mod error;
mod memory;
#[cfg(feature = "redis")]
mod redis;
mod store;

pub(crate) use checker::RevocationChecker;
pub use claims::RevocationClaims;
pub use entry::Revocation;
pub use error::RevocationError;
pub use memory::InMemory;
#[cfg(feature = "redis")]
pub use redis::{Redis, RedisUrlError};
pub use store::{MAX_COGNITO_TOKEN_LIFETIME, RevocationFuture, Revocations};

pub use crate::bindings::exports::poolgate::auth::verifier::RevocationMode;
