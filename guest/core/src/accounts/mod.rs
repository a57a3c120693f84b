//! Amazon Cognito's account flows, with responses that do not reveal whether an account exists.
//!
//! A flow checks its input (`input`), calls the user pool ([`UserPool`], which the host implements), and looks up an exception in the
//! table ([`rows`]). If the exception would reveal something about an account, the response is that of a success or of wrong
//! credentials, and the exception is reported as an internal reason for logs ([`InternalReason`]).
//!
//! Sources: the operations and their exceptions are those of the Amazon Cognito user pools API reference. What exceptions reveal is
//! described in the Amazon Cognito developer guide, "Managing user existence error responses".

mod challenge;
mod delivery;
mod disclosure;
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
