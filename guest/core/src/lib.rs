//! The pure core of poolgate: it judges Amazon Cognito tokens, and runs Cognito's account flows ([`accounts`]) without telling
//! who has one. It knows nothing of clocks, networks or runtimes.
//!
//! Sans-I/O: the caller passes the time and the token's bytes, and gets a verdict or the URL of the keys that are needed.
//! Every verdict can be replayed from configuration, keys, time and token.
//!
//! A verified token that comes again is found by its exact bytes, and judged anew by its key, its times and the policy (`cache`). Any
//! other goes straight through these rooms ; the first that refuses it says why with a [`Reason`]:
//!
//! [`compact`] (three parts, canonical base64url) → [`header`] (strict JSON, algorithm) → [`claims`] (strict JSON, types)
//! → [`issuer`](policy) and times → [`keys`] (issuer and key ID to a prepared key) → [`signature`] → [`policy`] → [`Verified`].
//!
//! Where revocation is asked about, that comes last, for new and for remembered tokens ([`Verifier::enable_revocation_check`]).
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
//!         token_use: TokenUseRule::Access,
//!         client: ClientRule::OneOf(vec!["1example23456789".into()]),
//!         groups: Membership::UNCHECKED,
//!         scopes: Membership::UNCHECKED,
//!         resource: ResourceRule::Unbound,
//!         subject: SubjectRule::Required,
//!         confirmation: ConfirmationRule::Refuse,
//!         max_age: None,
//!         leeway: 0,
//!         issued_at_skew: 60,
//!     }],
//!     limits: Limits::default(),
//!     key_policy: KeyPolicy::default(),
//!     cache: CacheLimits::default(),
//! })?;
//! match verifier.verify(1_700_000_000, "only.two") {
//!     Step::Done(verdict) => assert_eq!(verdict.unwrap_err(), Reason::TokenNotThreeParts),
//!     step => panic!("no key is asked for before the grammar is right: {step:?}"),
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
pub mod header;
pub mod issuer;
mod json;
pub mod jwa;
pub mod jws;
pub mod keys;
pub mod policy;
mod reason;
mod revocation;
pub mod signature;
mod verifier;

pub use cache::{CacheHandle, CacheLimits};
pub use claims::TokenUse;
pub use config::{
    ClientRule, Config, ConfigError, ConfirmationRule, IssuerRule, KeyOrigin, Limits, Membership, Pool, ResourceRule,
    SubjectRule, TokenUseRule,
};
pub use json::check_json_object;
pub use jwa::Algorithm;
pub use keys::{
    Fetch, FetchError, KeyError, KeyPolicy, KeyRefreshError, KeyReport, KeySetError, KeyState, LogicalTime, Response,
    SkippedKey,
};
pub use reason::{ErrorCode, Hint, Reason};
pub use revocation::{RevocationClaims, RevocationMode, RevocationStatus};
pub use verifier::{CacheHit, Step, Verified, Verifier, VerifyOutcome};
