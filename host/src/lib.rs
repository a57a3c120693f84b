//! Verifies Amazon Cognito tokens inside a WebAssembly sandbox.
//!
//! The verification code is a WebAssembly component. This crate runs it and provides its two imports: a clock, and a
//! function that fetches key sets over the network. No failure of the sandbox or of the network results in an accepted
//! token.
//!
//! Start with [`Verifier::builder`] and [`Pool`]. The other parts of the crate:
//!
//! * [`Gate`]: decides about whole requests, by the routes and policies of one configuration.
//! * [`tower`]: layers for axum, tonic and hyper.
//! * [`revocation`]: rejects tokens before they expire.
//! * [`accounts`]: sign-up, sign-in, recovery and the other account flows of Cognito.
//! * [`gateway`]: the account flows and token verification over HTTP.
//!
//! # Features
//!
//! * `tower` (enabled by default): the module `tower`.
//! * `axum` (enabled by default): `tower::Claims` as an extractor.
//! * `redis`: `revocation::Redis`, a revocation store in Redis or Valkey.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod accounts;
mod bearer;
mod bindings;
mod claim_rule;
mod claim_rule_lists;
mod clock;
pub mod environment;
mod error;
mod explanation;
mod failure;
mod gate;
pub mod gateway;
mod id_token_checks;
mod jws;
mod key_policy;
mod key_source;
#[doc(hidden)]
pub mod measure;
mod metrics;
mod pool;
mod problem_response;
mod random;
mod requirement;
pub mod revocation;
mod sandbox;
mod strict_json;
#[cfg(feature = "tower")]
pub mod tower;
mod verdict;
mod verifier;

pub use bindings::exports::poolgate::auth::verifier::{ConfigError, KeyPolicy};
pub use claim_rule::{ClaimRule, ClaimRuleError, ClaimValue};
pub use clock::{Clock, FixedClock, SystemClock};
pub use error::{BuildError, LoadKeySetError};
pub use explanation::{Check, CheckResult, CheckStage, Explanation};
pub use gate::{
    Admission, Decision, Gate, GateBuilder, GateConfigError, GrpcStatus, HeaderChange, Rejection, RequestHead,
    StaticResponse,
};
pub use id_token_checks::IdTokenChecks;
pub use jws::JwsVerifier;
pub use key_source::{
    Discovery, DiscoveryClient, DiscoveryConfigError, DiscoveryDocument, DiscoveryError, DiscoveryReport, KeyUrl,
    KeyUrlError,
};
pub use pool::{ClientClaim, GuestRule, Pool, TokenUseRule};
pub use requirement::Requirement;
pub use verdict::{
    Algorithm, Denial, ErrorCode, FetchError, Hint, KeyError, KeyRefreshError, KeyReport, KeySetError, KeyState,
    Misfit, Reason, SkippedKey, TokenUse, Verified, VerifiedJws,
};
pub use verifier::{Verifier, VerifierBuilder};

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
