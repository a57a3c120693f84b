//! Parses the payload: its JSON, and the types of the claims (RFC 7519 section 4, Cognito's token reference).
//!
//! [`Claims`] are not trusted. They serve to reject a token early and to choose the key. Only [`Verified`](crate::Verified), which only the
//! verifier can create, shows that the signature was verified.

mod claim_error;
mod members;
mod numeric_date;
mod payload;
mod rules;
mod token_use;

pub(crate) use claim_error::ClaimError;
pub(crate) use members::{ClaimNames, Read, ScopeClaim};
pub(crate) use numeric_date::NumericDate;
pub use payload::Claims;
pub(crate) use payload::parse_payload;
pub(crate) use rules::RuleResult;
pub use token_use::TokenUse;
pub(crate) use token_use::TokenUseClaim;
