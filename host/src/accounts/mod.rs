//! Amazon Cognito's account flows, in which an outsider can't learn who has an account.
//!
//! A call goes straight through: [`Accounts`] (a fresh instance, the floor) → the sandbox (inputs checked, failures mapped) →
//! the door to Cognito (`cognito`: the SDK, the app client's secret, SRP) → back through the sandbox → tokens verified →
//! the answer.

mod answers;
mod app_client;
pub(crate) mod bindings;
mod builder;
mod cognito;
mod flows;
mod guest;
mod report;
mod response_time;
mod sandbox;
mod srp;

pub use answers::{
    Accepted, AccountError, AccountErrorCode, AliasChange, Attribute, Challenge, ChallengeAnswer, ChallengeName,
    Delivery, DeliveryMedium, InternalReason, MfaPreference, MfaSetting, SignedIn, Tokens, TotpOwner, TotpSecret, User,
};
pub use builder::{AccountsBuilder, AccountsError, PasswordPolicy, RefreshFlow};
pub use flows::Accounts;
pub use report::UsernameTaken;
pub use response_time::ResponseTimeFloor;
