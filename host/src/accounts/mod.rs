//! Amazon Cognito's account operations: sign-up, sign-in, challenges, refresh, recovery, attributes, sign-out. Responses do not reveal
//! whether an account exists.
//!
//! A call passes these modules in order: `flows` (the public methods of [`Accounts`]) → `handle` (minimum response time, metrics) →
//! `sandbox` (a new instance for each call, in which `guest/core/src/accounts` checks the input and maps Cognito's exceptions) →
//! `guest` (the imports of that instance) → `cognito` (the AWS SDK, the app client's secret, SRP) → back through the sandbox →
//! `tokens` (the verifier checks every token before the caller gets it).

mod app_client;
pub(crate) mod bindings;
mod builder;
mod cognito;
mod conversions;
mod error;
mod flows;
mod guest;
mod handle;
mod report;
mod response_time;
mod sandbox;
mod settings;
mod srp;
mod tokens;
mod types;

pub use builder::AccountsBuilder;
pub use error::{AccountError, AccountErrorCode, InternalReason};
pub use handle::Accounts;
pub use report::UsernameTaken;
pub use response_time::ResponseTimeFloor;
pub use settings::{PasswordPolicy, RefreshFlow};
pub use types::{
    Accepted, AliasChange, Attribute, Challenge, ChallengeAnswer, ChallengeName, Delivery, DeliveryMedium,
    MfaPreference, MfaSetting, SignedIn, Tokens, TotpOwner, TotpSecret, User,
};
