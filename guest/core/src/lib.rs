//! The core of poolgate: verifies Amazon Cognito tokens, and runs Cognito's account flows ([`accounts`]) without revealing whether an account
//! exists. It uses no clock, no network and no runtime.
//!
//! The caller passes the time and the token, and gets a verdict or the URL of the keys that must be fetched. Every verdict can be
//! reproduced from the configuration, the keys, the time and the token.
//!
//! A repeated token is found in a cache by its exact bytes, and its key and its time claims are checked again. Any other token goes
//! through these steps; the first that rejects it returns a [`Reason`]:
//!
//! 1. [`compact`]: three parts, canonical base64url.
//! 2. [`header`]: strict JSON, `alg`.
//! 3. [`claims`]: strict JSON, types.
//! 4. [`policy`]: `exp`, `nbf` and `iat`.
//! 5. [`keys`]: from the issuer and the key ID to a prepared key.
//! 6. [`signature`].
//! 7. [`policy`]: all other rules of the pool.
//!
//! The result is [`Verified`]. If the revocation check is enabled ([`Verifier::enable_revocation_check`]), it comes last, also for cached
//! tokens.
//!
//! ```
//! use poolgate_core::{ClientRule, Config, IssuerRule, KeyOrigin, Limits, Pool, ResourceRule, Step, TokenUseRule, Verifier};
//! use poolgate_core::{CacheLimits, ConfirmationRule, KeyPolicy, Membership, Reason, SubjectRule};
//!
//! let mut verifier = Verifier::new(Config {
//!     pools: vec![Pool {
//!         issuer: IssuerRule::UserPool { id: "eu-west-1_EXAMPLE01".into(), region: None },
//!         keys: KeyOrigin::Derived,
//!         algorithms: vec![],
//!         types: vec![],
//!         token_use: TokenUseRule::Access,
//!         client: ClientRule::OneOf(vec!["1example23456789".into()]),
//!         client_claim: None,
//!         groups: Membership::UNCHECKED,
//!         scopes: Membership::UNCHECKED,
//!         scope_claim: None,
//!         resource: ResourceRule::Unbound,
//!         unbound_clients: vec![],
//!         claims: vec![],
//!         subject: SubjectRule::Required,
//!         confirmation: ConfirmationRule::Refuse,
//!         max_age: None,
//!         leeway: 0,
//!         issued_at_skew: 60,
//!     }],
//!     limits: Limits::default(),
//!     key_policy: KeyPolicy::default(),
//!     cache: CacheLimits::default(),
//!     requirements: vec![],
//! })?;
//! match verifier.verify(1_700_000_000, "only.two") {
//!     Step::Done(verdict) => assert_eq!(verdict.unwrap_err(), Reason::TokenNotThreeParts),
//!     step => panic!("no key is needed before the syntax is valid: {step:?}"),
//! }
//! # Ok::<(), poolgate_core::ConfigError>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

extern crate alloc;

pub mod accounts;
mod base64url;
mod cache;
pub mod claims;
pub mod compact;
pub mod config;
mod explain;
pub mod header;
pub mod issuer;
mod json;
pub mod jwa;
pub mod jws;
pub mod keys;
#[cfg(feature = "ecdsa")]
mod load_balancer;
pub mod policy;
mod reason;
mod revocation;
pub mod signature;
mod verifier;

pub use cache::CacheHandle;
pub use claims::TokenUse;
pub use config::{
    CacheLimits, ClaimRule, ClaimSelector, ClaimTest, ClaimValue, ClientClaim, ClientRule, Config, ConfigError,
    ConfirmationRule, GuestRule, IssuerRule, IssuerTemplate, KeyOrigin, KeyPolicy, Limits, LoadBalancers, Membership,
    Pool, ResourceRule, SubjectRule, TokenUseRule,
};
pub use explain::{Check, CheckResult, Explanation, Stage};
pub use json::{ParseError as JsonError, check_json_object};
pub use jwa::Algorithm;
pub use keys::{
    Fetch, FetchError, KeyError, KeyRefreshError, KeyReport, KeySetError, KeyState, LogicalTime, Response, SkippedKey,
};
pub use reason::{ErrorCode, Hint, Reason};
pub use revocation::{RevocationClaims, RevocationMode, RevocationStatus};
pub use verifier::{CacheHit, Misfit, Step, Verified, Verifier, VerifyOutcome};
