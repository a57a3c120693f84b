//! The response to each exception of each operation, as a table.
//!
//! The response of an operation that takes a username does not reveal whether the account exists. The response of an operation in which a
//! signed-in user sets or verifies an address does not reveal whether another account has it. An exception that Cognito may raise for some
//! accounts only gets the response for an account that does not exist: a success, wrong credentials, or a wrong code.

use super::{AccountErrorCode, Exception};

/// An operation of the user pools API. One that is used for several purposes has several variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Operation {
    /// `SignUp`.
    SignUp,
    /// `ConfirmSignUp`.
    ConfirmSignUp,
    /// `ResendConfirmationCode`.
    ResendConfirmationCode,
    /// `InitiateAuth` with a password, or the first step of SRP.
    InitiateAuth,
    /// `InitiateAuth` with a refresh token.
    RefreshTokenAuth,
    /// `RespondToAuthChallenge` with the SRP proof. The password may be wrong.
    PasswordVerifier,
    /// `RespondToAuthChallenge` after a correct password.
    RespondToAuthChallenge,
    /// `AssociateSoftwareToken`.
    AssociateSoftwareToken,
    /// `VerifySoftwareToken`.
    VerifySoftwareToken,
    /// `GetTokensFromRefreshToken`.
    GetTokensFromRefreshToken,
    /// `ForgotPassword`.
    ForgotPassword,
    /// `ConfirmForgotPassword`.
    ConfirmForgotPassword,
    /// `ChangePassword`.
    ChangePassword,
    /// `GetUser`.
    GetUser,
    /// `UpdateUserAttributes` with attributes that are not aliases.
    UpdateUserAttributes,
    /// `UpdateUserAttributes` with an alias (an email address, a phone number or a preferred username), which another account may have.
    UpdateAlias,
    /// `GetUserAttributeVerificationCode`.
    GetUserAttributeVerificationCode,
    /// `VerifyUserAttribute`.
    VerifyUserAttribute,
    /// `GlobalSignOut`.
    GlobalSignOut,
    /// `RevokeToken`.
    RevokeToken,
    /// `DeleteUser`.
    DeleteUser,
    /// `SetUserMFAPreference`.
    SetUserMfaPreference,
}

/// The response to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// This error code.
    Error(AccountErrorCode),
    /// The same response as for a success.
    SameAsSuccess,
    /// An error code that depends on whether the operator has declared that Cognito checks the password, code or session before it raises
    /// the exception ([`Settings::credentials_checked_first`](super::Settings::credentials_checked_first)). This outcome is used only for
    /// credentials that prove the ownership of the account. The password of an unconfirmed account is no such proof: anyone can sign up with
    /// another person's address and choose a password.
    DependsOnCheckOrder {
        /// The error code if Cognito checks them first.
        checked_first: AccountErrorCode,
        /// The error code otherwise, which is that of a wrong password, code or session.
        otherwise: AccountErrorCode,
    },
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The operation.
    pub operation: Operation,
    /// The exception that it raised.
    pub exception: Exception,
    /// The response to the client.
    pub outcome: Outcome,
}

/// Returns all rows.
pub fn rows() -> impl Iterator<Item = Row> {
    TABLE.iter().flat_map(|(operation, groups)| {
        groups.iter().flat_map(move |(outcome, exceptions)| {
            exceptions.iter().map(move |exception| Row {
                operation: *operation,
                exception: *exception,
                outcome: *outcome,
            })
        })
    })
}

impl Operation {
    /// Returns the name in the service model.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SignUp => "SignUp",
            Self::ConfirmSignUp => "ConfirmSignUp",
            Self::ResendConfirmationCode => "ResendConfirmationCode",
            Self::InitiateAuth | Self::RefreshTokenAuth => "InitiateAuth",
            Self::PasswordVerifier | Self::RespondToAuthChallenge => "RespondToAuthChallenge",
            Self::AssociateSoftwareToken => "AssociateSoftwareToken",
            Self::VerifySoftwareToken => "VerifySoftwareToken",
            Self::GetTokensFromRefreshToken => "GetTokensFromRefreshToken",
            Self::ForgotPassword => "ForgotPassword",
            Self::ConfirmForgotPassword => "ConfirmForgotPassword",
            Self::ChangePassword => "ChangePassword",
            Self::GetUser => "GetUser",
            Self::UpdateUserAttributes | Self::UpdateAlias => "UpdateUserAttributes",
            Self::GetUserAttributeVerificationCode => "GetUserAttributeVerificationCode",
            Self::VerifyUserAttribute => "VerifyUserAttribute",
            Self::GlobalSignOut => "GlobalSignOut",
            Self::RevokeToken => "RevokeToken",
            Self::DeleteUser => "DeleteUser",
            Self::SetUserMfaPreference => "SetUserMFAPreference",
        }
    }

    /// Returns the purpose of the operation, if it is used for several. Empty otherwise.
    #[must_use]
    pub fn usage(self) -> &'static str {
        match self {
            Self::InitiateAuth => "a password, or the first step of SRP",
            Self::RefreshTokenAuth => "a refresh token",
            Self::PasswordVerifier => "the SRP proof",
            Self::RespondToAuthChallenge => "after a correct password",
            Self::UpdateUserAttributes => "other attributes",
            Self::UpdateAlias => "an email address, a phone number or a preferred username",
            _ => "",
        }
    }

    /// The response to an exception. `None` if the table does not contain it.
    pub(super) fn outcome(self, exception: &str) -> Option<Outcome> {
        let exception = Exception::from_name(exception)?;
        rows().find(|row| row.operation == self && row.exception == exception).map(|row| row.outcome)
    }

    /// The response to an exception that the table does not contain. Cognito might raise it for some accounts only. If the operation takes
    /// a username, an address or a code, the response is therefore that for an account that does not exist.
    #[must_use]
    pub fn unforeseen(self) -> Outcome {
        match self {
            Self::SignUp
            | Self::ResendConfirmationCode
            | Self::ForgotPassword
            | Self::UpdateAlias
            | Self::GetUserAttributeVerificationCode => ACCEPTED,
            Self::InitiateAuth | Self::PasswordVerifier => CREDENTIALS,
            Self::ConfirmSignUp | Self::ConfirmForgotPassword | Self::VerifyUserAttribute => CODE,
            Self::RespondToAuthChallenge => SESSION,
            Self::RefreshTokenAuth
            | Self::AssociateSoftwareToken
            | Self::VerifySoftwareToken
            | Self::GetTokensFromRefreshToken
            | Self::ChangePassword
            | Self::GetUser
            | Self::UpdateUserAttributes
            | Self::GlobalSignOut
            | Self::RevokeToken
            | Self::DeleteUser
            | Self::SetUserMfaPreference => Outcome::Error(AccountErrorCode::Failed),
        }
    }
}

impl Row {
    /// Returns whether the same request can succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.outcome {
            Outcome::Error(code) => code.is_retryable(),
            Outcome::SameAsSuccess | Outcome::DependsOnCheckOrder { .. } => false,
        }
    }
}

/// Defines the rows: for each operation, outcomes and the exceptions that have them.
macro_rules! table {
    ($($operation:ident { $($outcome:expr => $($exception:ident)+;)+ })+) => {
        static TABLE: &[(Operation, &[(Outcome, &[Exception])])] = &[
            $((Operation::$operation, &[$(($outcome, &[$(Exception::$exception),+])),+])),+
        ];
    };
}

const ACCEPTED: Outcome = Outcome::SameAsSuccess;
const CREDENTIALS: Outcome = Outcome::Error(AccountErrorCode::InvalidCredentials);
const CODE: Outcome = Outcome::Error(AccountErrorCode::InvalidCode);
const SESSION: Outcome = Outcome::Error(AccountErrorCode::SessionInvalid);
const TOKEN: Outcome = Outcome::Error(AccountErrorCode::TokenInvalid);
const PASSWORD: Outcome = Outcome::Error(AccountErrorCode::PasswordRejected);
const REJECTED: Outcome = Outcome::Error(AccountErrorCode::RequestRejected);
const NO_FACTOR: Outcome = Outcome::Error(AccountErrorCode::MfaNotSetUp);
const UNCONFIRMED: Outcome = Outcome::Error(AccountErrorCode::AccountNotConfirmed);
const RESET: Outcome = Outcome::Error(AccountErrorCode::PasswordResetRequired);
const FORBIDDEN: Outcome = Outcome::Error(AccountErrorCode::Forbidden);
const BUSY: Outcome = Outcome::Error(AccountErrorCode::TooManyRequests);
const SETUP: Outcome = Outcome::Error(AccountErrorCode::Misconfigured);
const UNAVAILABLE: Outcome = Outcome::Error(AccountErrorCode::Unavailable);

const fn if_checked_first(checked_first: AccountErrorCode, otherwise: AccountErrorCode) -> Outcome {
    Outcome::DependsOnCheckOrder { checked_first, otherwise }
}

table! {
    // A sign-up with a free username and one with a taken username must have the same response, in whatever order Cognito checks.
    SignUp {
        ACCEPTED => UsernameExists InvalidParameter InvalidPassword CodeDeliveryFailure LimitExceeded UserLambdaValidation
            UnexpectedLambda InvalidLambdaResponse InvalidSmsRoleAccessPolicy InvalidSmsRoleTrustRelationship
            InvalidEmailRoleAccessPolicy;
        SETUP => ResourceNotFound NotAuthorized OperationNotEnabled;
        FORBIDDEN => Forbidden;
        BUSY => TooManyRequests;
        UNAVAILABLE => InternalError;
    }
    ConfirmSignUp {
        CODE => UserNotFound CodeMismatch ExpiredCode NotAuthorized InvalidParameter TooManyFailedAttempts LimitExceeded
            UserLambdaValidation UnexpectedLambda InvalidLambdaResponse;
        if_checked_first(AccountErrorCode::AliasTaken, AccountErrorCode::InvalidCode) => AliasExists;
        SETUP => ResourceNotFound OperationNotEnabled;
        FORBIDDEN => Forbidden;
        BUSY => TooManyRequests;
        UNAVAILABLE => InternalError;
    }
    ResendConfirmationCode {
        ACCEPTED => UserNotFound InvalidParameter NotAuthorized LimitExceeded CodeDeliveryFailure UserLambdaValidation
            UnexpectedLambda InvalidLambdaResponse InvalidSmsRoleAccessPolicy InvalidSmsRoleTrustRelationship
            InvalidEmailRoleAccessPolicy;
        SETUP => ResourceNotFound OperationNotEnabled;
        FORBIDDEN => Forbidden;
        BUSY => TooManyRequests;
        UNAVAILABLE => InternalError;
    }
    InitiateAuth {
        // `UserNotConfirmed`: the client that signed up has chosen the password. A client that signs up and then signs in would
        // otherwise learn whether the username was free.
        CREDENTIALS => NotAuthorized UserNotFound InvalidParameter UserLambdaValidation UnexpectedLambda
            InvalidLambdaResponse InvalidSmsRoleAccessPolicy InvalidSmsRoleTrustRelationship
            InvalidEmailRoleAccessPolicy UserNotConfirmed;
        if_checked_first(AccountErrorCode::PasswordResetRequired, AccountErrorCode::InvalidCredentials) => PasswordResetRequired;
        SETUP => ResourceNotFound UnsupportedOperation InvalidUserPoolConfiguration OperationNotEnabled
            FeatureUnavailableInTier;
        FORBIDDEN => Forbidden;
        BUSY => TooManyRequests;
        UNAVAILABLE => InternalError;
    }
    RefreshTokenAuth {
        TOKEN => NotAuthorized UserNotFound InvalidParameter UserNotConfirmed PasswordResetRequired;
        FORBIDDEN => UserLambdaValidation Forbidden;
        SETUP => ResourceNotFound UnsupportedOperation InvalidUserPoolConfiguration OperationNotEnabled
            FeatureUnavailableInTier UnexpectedLambda InvalidLambdaResponse InvalidSmsRoleAccessPolicy
            InvalidSmsRoleTrustRelationship InvalidEmailRoleAccessPolicy;
        BUSY => TooManyRequests;
        UNAVAILABLE => InternalError;
    }
    PasswordVerifier {
        CREDENTIALS => NotAuthorized UserNotFound InvalidParameter CodeMismatch ExpiredCode InvalidPassword
            PasswordHistoryPolicyViolation MFAMethodNotFound SoftwareTokenMFANotFound AliasExists UserLambdaValidation
            UnexpectedLambda InvalidLambdaResponse InvalidSmsRoleAccessPolicy InvalidSmsRoleTrustRelationship
            InvalidEmailRoleAccessPolicy UserNotConfirmed;
        if_checked_first(AccountErrorCode::PasswordResetRequired, AccountErrorCode::InvalidCredentials) => PasswordResetRequired;
        SETUP => ResourceNotFound InvalidUserPoolConfiguration OperationNotEnabled;
        FORBIDDEN => Forbidden;
        BUSY => TooManyRequests;
        UNAVAILABLE => InternalError;
    }
    RespondToAuthChallenge {
        // The caller has not proved the ownership of an address that is set together with a new password.
        SESSION => NotAuthorized UserNotFound UserNotConfirmed AliasExists;
        CODE => CodeMismatch ExpiredCode;
        PASSWORD => InvalidPassword PasswordHistoryPolicyViolation;
        REJECTED => InvalidParameter;
        if_checked_first(AccountErrorCode::MfaNotSetUp, AccountErrorCode::SessionInvalid) => MFAMethodNotFound
            SoftwareTokenMFANotFound;
        if_checked_first(AccountErrorCode::PasswordResetRequired, AccountErrorCode::SessionInvalid) => PasswordResetRequired;
        SETUP => ResourceNotFound InvalidUserPoolConfiguration OperationNotEnabled UnexpectedLambda InvalidLambdaResponse
            InvalidSmsRoleAccessPolicy InvalidSmsRoleTrustRelationship InvalidEmailRoleAccessPolicy;
        FORBIDDEN => UserLambdaValidation Forbidden;
        BUSY => TooManyRequests;
        UNAVAILABLE => InternalError;
    }
    AssociateSoftwareToken {
        SESSION => NotAuthorized;
        REJECTED => InvalidParameter;
        NO_FACTOR => SoftwareTokenMFANotFound;
        SETUP => ResourceNotFound OperationNotEnabled;
        FORBIDDEN => Forbidden;
        UNAVAILABLE => InternalError ConcurrentModification;
    }
    VerifySoftwareToken {
        CODE => EnableSoftwareTokenMFA CodeMismatch;
        SESSION => NotAuthorized UserNotFound;
        REJECTED => InvalidParameter;
        NO_FACTOR => SoftwareTokenMFANotFound;
        UNCONFIRMED => UserNotConfirmed;
        RESET => PasswordResetRequired;
        SETUP => ResourceNotFound InvalidUserPoolConfiguration OperationNotEnabled;
        FORBIDDEN => Forbidden;
        BUSY => TooManyRequests;
        UNAVAILABLE => InternalError;
    }
    GetTokensFromRefreshToken {
        TOKEN => NotAuthorized UserNotFound InvalidParameter RefreshTokenReuse;
        FORBIDDEN => UserLambdaValidation Forbidden;
        SETUP => ResourceNotFound OperationNotEnabled UnexpectedLambda InvalidLambdaResponse;
        BUSY => TooManyRequests;
        UNAVAILABLE => InternalError;
    }
    ForgotPassword {
        ACCEPTED => UserNotFound InvalidParameter NotAuthorized LimitExceeded CodeDeliveryFailure UserLambdaValidation
            UnexpectedLambda InvalidLambdaResponse InvalidSmsRoleAccessPolicy InvalidSmsRoleTrustRelationship
            InvalidEmailRoleAccessPolicy;
        SETUP => ResourceNotFound OperationNotEnabled;
        FORBIDDEN => Forbidden;
        BUSY => TooManyRequests;
        UNAVAILABLE => InternalError;
    }
    ConfirmForgotPassword {
        CODE => UserNotFound CodeMismatch ExpiredCode NotAuthorized InvalidParameter TooManyFailedAttempts LimitExceeded
            UserLambdaValidation UnexpectedLambda InvalidLambdaResponse;
        if_checked_first(AccountErrorCode::AccountNotConfirmed, AccountErrorCode::InvalidCode) => UserNotConfirmed;
        if_checked_first(AccountErrorCode::PasswordRejected, AccountErrorCode::InvalidCode) => InvalidPassword
            PasswordHistoryPolicyViolation;
        SETUP => ResourceNotFound OperationNotEnabled;
        FORBIDDEN => Forbidden;
        BUSY => TooManyRequests;
        UNAVAILABLE => InternalError;
    }
    ChangePassword {
        CREDENTIALS => NotAuthorized;
        PASSWORD => InvalidPassword PasswordHistoryPolicyViolation;
        REJECTED => InvalidParameter;
        TOKEN => UserNotFound;
        UNCONFIRMED => UserNotConfirmed;
        RESET => PasswordResetRequired;
        SETUP => ResourceNotFound OperationNotEnabled;
        FORBIDDEN => Forbidden;
        BUSY => TooManyRequests LimitExceeded;
        UNAVAILABLE => InternalError;
    }
    GetUser {
        TOKEN => NotAuthorized UserNotFound;
        REJECTED => InvalidParameter;
        UNCONFIRMED => UserNotConfirmed;
        RESET => PasswordResetRequired;
        SETUP => ResourceNotFound OperationNotEnabled;
        FORBIDDEN => Forbidden;
        BUSY => TooManyRequests;
        UNAVAILABLE => InternalError;
    }
    UpdateUserAttributes {
        TOKEN => NotAuthorized UserNotFound;
        // None of these attributes is an alias.
        REJECTED => InvalidParameter AliasExists;
        CODE => CodeMismatch ExpiredCode;
        UNCONFIRMED => UserNotConfirmed;
        RESET => PasswordResetRequired;
        SETUP => ResourceNotFound OperationNotEnabled UnexpectedLambda InvalidLambdaResponse InvalidSmsRoleAccessPolicy
            InvalidSmsRoleTrustRelationship InvalidEmailRoleAccessPolicy;
        FORBIDDEN => UserLambdaValidation Forbidden;
        BUSY => TooManyRequests;
        UNAVAILABLE => InternalError CodeDeliveryFailure;
    }
    // The response does not reveal that another account has the address. It also does not reveal that a code could not be sent, which happens
    // only if no other account has the address.
    UpdateAlias {
        ACCEPTED => AliasExists InvalidParameter CodeMismatch ExpiredCode CodeDeliveryFailure UserLambdaValidation
            UnexpectedLambda InvalidLambdaResponse InvalidSmsRoleAccessPolicy InvalidSmsRoleTrustRelationship
            InvalidEmailRoleAccessPolicy;
        TOKEN => NotAuthorized UserNotFound;
        UNCONFIRMED => UserNotConfirmed;
        RESET => PasswordResetRequired;
        SETUP => ResourceNotFound OperationNotEnabled;
        FORBIDDEN => Forbidden;
        BUSY => TooManyRequests;
        UNAVAILABLE => InternalError;
    }
    // Whether there is something to verify depends on whether an earlier change succeeded, so the response does not reveal it.
    GetUserAttributeVerificationCode {
        ACCEPTED => InvalidParameter LimitExceeded CodeDeliveryFailure UserLambdaValidation UnexpectedLambda
            InvalidLambdaResponse InvalidSmsRoleAccessPolicy InvalidSmsRoleTrustRelationship
            InvalidEmailRoleAccessPolicy;
        TOKEN => NotAuthorized UserNotFound;
        UNCONFIRMED => UserNotConfirmed;
        RESET => PasswordResetRequired;
        SETUP => ResourceNotFound OperationNotEnabled;
        FORBIDDEN => Forbidden;
        BUSY => TooManyRequests;
        UNAVAILABLE => InternalError;
    }
    VerifyUserAttribute {
        CODE => CodeMismatch ExpiredCode InvalidParameter LimitExceeded;
        if_checked_first(AccountErrorCode::AliasTaken, AccountErrorCode::InvalidCode) => AliasExists;
        TOKEN => NotAuthorized UserNotFound;
        UNCONFIRMED => UserNotConfirmed;
        RESET => PasswordResetRequired;
        SETUP => ResourceNotFound OperationNotEnabled;
        FORBIDDEN => Forbidden;
        BUSY => TooManyRequests;
        UNAVAILABLE => InternalError;
    }
    GlobalSignOut {
        TOKEN => NotAuthorized;
        REJECTED => InvalidParameter;
        UNCONFIRMED => UserNotConfirmed;
        RESET => PasswordResetRequired;
        SETUP => ResourceNotFound OperationNotEnabled;
        FORBIDDEN => Forbidden;
        BUSY => TooManyRequests;
        UNAVAILABLE => InternalError;
    }
    RevokeToken {
        TOKEN => Unauthorized UnsupportedTokenType InvalidParameter;
        SETUP => UnsupportedOperation OperationNotEnabled;
        FORBIDDEN => Forbidden;
        BUSY => TooManyRequests;
        UNAVAILABLE => InternalError;
    }
    DeleteUser {
        TOKEN => NotAuthorized UserNotFound;
        REJECTED => InvalidParameter;
        UNCONFIRMED => UserNotConfirmed;
        RESET => PasswordResetRequired;
        SETUP => ResourceNotFound OperationNotEnabled;
        FORBIDDEN => Forbidden;
        BUSY => TooManyRequests;
        UNAVAILABLE => InternalError;
    }
    SetUserMfaPreference {
        TOKEN => NotAuthorized UserNotFound;
        REJECTED => InvalidParameter;
        UNCONFIRMED => UserNotConfirmed;
        RESET => PasswordResetRequired;
        SETUP => ResourceNotFound OperationNotEnabled;
        FORBIDDEN => Forbidden;
        UNAVAILABLE => InternalError;
    }
}
