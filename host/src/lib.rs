//! poolgate verifies Amazon Cognito tokens inside a WebAssembly sandbox.
//!
//! The sandbox holds the pure core as a component; this crate runs it, and opens two doors for it: a clock, and the network
//! for fetching keys. Whatever goes wrong on this side, a token is never allowed because of it.
//!
//! Start with [`Verifier::builder`] and [`Pool`].
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod accounts;
mod bearer;
mod bindings;
mod clock;
pub mod environment;
mod error;
pub mod gateway;
mod jws;
mod key_policy;
mod key_source;
#[doc(hidden)]
pub mod measure;
mod metrics;
mod pool;
mod refusal;
mod requirement;
pub mod revocation;
mod sandbox;
#[cfg(feature = "tower")]
pub mod tower;
mod verdict;
mod verifier;

pub use bindings::exports::poolgate::auth::verifier::{ConfigError, KeyPolicy};
pub use clock::{Clock, FixedClock, SystemClock};
pub use error::{BuildError, LoadKeySetError};
pub use jws::JwsVerifier;
pub use key_source::{KeyUrl, KeyUrlError};
pub use pool::{Pool, TokenUseRule};
pub use requirement::Requirement;
pub use verdict::{
    Algorithm, Denial, ErrorCode, FetchError, Hint, KeyError, KeyRefreshError, KeyReport, KeySetError, KeyState,
    Reason, SkippedKey, TokenUse, Verified, VerifiedJws,
};
pub use verifier::{Verifier, VerifierBuilder};

/// The README's examples compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
