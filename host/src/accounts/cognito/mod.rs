//! Implements the `user-pool` import: the AWS SDK, the app client, timeouts and retries. It reports Cognito's replies and makes no
//! decision about them.

mod client;
mod operations;
mod reply;
mod sign_in;

pub(crate) use client::{Cognito, CognitoSettings};
pub(crate) use sign_in::SrpSignIn;
