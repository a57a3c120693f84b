//! Amazon Cognito's account flows, so that an outsider can't learn who has an account.
//!
//! An input goes straight through: [`input`](self) checks it → the user pool is called ([`UserPool`], which the caller
//! implements) → a failure is looked up in the table ([`rows`]) → the public answer. What the public may not learn is
//! answered as if all were well, and the reason goes to the logs ([`InternalReason`]).
//!
//! Source of the operations and their exceptions: Amazon Cognito user pools API reference; of the leaks: the Amazon Cognito
//! developer guide, "Managing user existence error responses".

mod challenge;
mod delivery;
mod error;
mod exception;
mod flows;
mod input;
mod settings;
mod table;
mod user_pool;

pub use challenge::{Challenge, ChallengeAnswer, ChallengeName, SignedIn};
pub use delivery::{Delivery, Medium};
pub use error::{AccountError, AccountErrorCode, InternalReason};
pub use exception::Exception;
pub use flows::{Accepted, Accounts, AliasChange, RefreshFlow};
pub use settings::{PasswordPolicy, Settings, SettingsError};
pub use table::{Operation, Outcome, Row, rows};
pub use user_pool::{
    Attribute, AuthReply, ChallengeResponse, Failure, MfaPreference, MfaSetting, RawChallenge, Tokens, TotpOwner,
    TotpSecret, User, UserPool,
};
