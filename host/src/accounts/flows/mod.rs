//! The public methods of [`Accounts`](super::Accounts), by subject.

mod attributes;
mod mfa;
mod recovery;
mod revocation;
mod sign_in;
mod sign_up;
