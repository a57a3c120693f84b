//! The configuration of a [`Verifier`](crate::Verifier): plain data, and the ranges of its numbers.
//!
//! Every check of a token is a field of [`Pool`]. A check is disabled only by a value that says so (`Unchecked`); there is no default policy.

mod error;
mod key_policy;
mod limits;
mod rules;

pub use error::ConfigError;
pub use key_policy::KeyPolicy;
pub use limits::{CacheLimits, LEEWAY_LIMIT, Limits};
pub use rules::{
    ClientRule, Config, ConfirmationRule, IssuerRule, KeyOrigin, Membership, Pool, ResourceRule, SubjectRule,
    TokenUseRule,
};
