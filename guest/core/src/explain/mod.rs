//! Explains a verdict to who holds the token: each check, what the token has, what the policy accepts, and what to change.
//!
//! An explanation contains the content of the token. It is returned only where it was asked for, never with a denial or in a log.

mod accepted;
mod advice;
mod explanation;
mod json_text;
mod key_checks;
#[cfg(feature = "ecdsa")]
mod load_balancer_checks;
mod nearest;
mod policy_checks;
mod rule_checks;
mod time_checks;
mod time_text;
mod token_checks;

pub use explanation::{Check, CheckResult, Explanation, Stage};
pub(crate) use key_checks::{key_check, signature_check};
#[cfg(feature = "ecdsa")]
pub(crate) use load_balancer_checks::{client_of_header, copies_check, signer_check, uuid_check};
pub(crate) use policy_checks::{membership_checks, recipient_checks};
pub(crate) use rule_checks::rule_checks;
pub(crate) use time_checks::time_checks;
pub(crate) use token_checks::{algorithm_check, claim_types_check, form_check, issuer_check, key_id_check, type_check};
