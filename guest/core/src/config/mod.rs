//! The configuration of a [`Verifier`](crate::Verifier): plain data, and the ranges of its numbers.
//!
//! Every check of a token is a field of [`Pool`]. A check is disabled only by a value that says so (`Unchecked`); there is no default policy.

mod claim_rule;
mod error;
mod key_policy;
mod limits;
mod rules;

pub(crate) use claim_rule::EXACT_MAX;
pub use claim_rule::{ClaimRule, ClaimSelector, ClaimTest, ClaimValue};
pub use error::ConfigError;
pub use key_policy::KeyPolicy;
pub use limits::{CacheLimits, LEEWAY_LIMIT, Limits};
pub use rules::{
    ClientClaim, ClientRule, Config, ConfirmationRule, GuestRule, IssuerRule, IssuerTemplate, KeyOrigin, LoadBalancers,
    Membership, Pool, ResourceRule, SubjectRule, TokenUseRule,
};
