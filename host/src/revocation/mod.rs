//! Revocation: rejecting tokens before they expire.
//!
//! A verifier with a store ([`VerifierBuilder::revocations`](crate::VerifierBuilder::revocations)) queries it for every
//! token that passes all other checks, including cached tokens. [`Verifier::revoke`](crate::Verifier::revoke) adds an
//! entry to the store.
//!
//! Use [`InMemory`] for one process, `Redis` (feature `redis`) for several, or implement [`Revocations`]. A [`Feed`] reads the
//! revocations that another process publishes. The [`RevocationMode`] decides what happens to tokens while the store does not
//! respond.

mod breaker;
mod checker;
mod claims;
mod entry;
mod epoch;
mod error;
mod feed;
mod feed_document;
mod feed_report;
mod memory;
mod publication;
#[cfg(feature = "redis")]
mod redis;
mod store;

pub(crate) use checker::RevocationChecker;
pub use claims::RevocationClaims;
pub use entry::Revocation;
pub use error::RevocationError;
pub use feed::{Feed, FeedBuilder, FeedConfigError};
pub use feed_document::FeedDocument;
pub use feed_report::FeedReport;
pub use memory::InMemory;
#[cfg(feature = "redis")]
pub use redis::{Redis, RedisUrlError};
pub use store::{MAX_COGNITO_TOKEN_LIFETIME, RevocationFuture, Revocations};

/// The position of a reader of a revocation feed.
pub use poolgate_revocations::Position as FeedPosition;

pub use crate::bindings::exports::poolgate::auth::verifier::RevocationMode;
