//! What the public learns of each exception of each operation: data, not code.
//!
//! An operation that anyone can call for any username tells nothing about the account. What Cognito may say of one account
//! only is answered as it is for an account that is not there: as if accepted, as wrong credentials, or as a wrong code.

use super::{Exception, ProblemName};

/// An operation of the user pools API, in the use that is made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Operation {
    /// `SignUp`.
    SignUp,
    /// `ConfirmSignUp`.
    ConfirmSignUp,
    /// `ResendConfirmationCode`.
    ResendConfirmationCode,
    /// `InitiateAuth` with a password, or the begin of SRP.
    InitiateAuth,
    /// `InitiateAuth` with a refresh token.
    RefreshTokenAuth,
    /// `RespondToAuthChallenge` with the proof of SRP: the password is not known to be right.
    PasswordVerifier,
    /// `RespondToAuthChallenge` after the right password.
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
    /// `UpdateUserAttributes`.
    UpdateUserAttributes,
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

/// What the public learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// This problem.
    Problem(ProblemName),
    /// The answer that a success has.
    AsIfAccepted,
    /// The first where the operator has stated that Cognito looks at the password or code first; otherwise the second, which
    /// is what a wrong one gets.
    AfterProof {
        /// What the owner is told.
        told: ProblemName,
        /// What everyone is told.
        hidden: ProblemName,
    },
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The operation.
    pub operation: Operation,
    /// What it answered.
    pub exception: Exception,
    /// What the public learns.
    pub outcome: Outcome,
}

/// All rows.
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
    /// The name in the service model.
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
            Self::UpdateUserAttributes => "UpdateUserAttributes",
            Self::GetUserAttributeVerificationCode => "GetUserAttributeVerificationCode",
            Self::VerifyUserAttribute => "VerifyUserAttribute",
            Self::GlobalSignOut => "GlobalSignOut",
            Self::RevokeToken => "RevokeToken",
            Self::DeleteUser => "DeleteUser",
            Self::SetUserMfaPreference => "SetUserMFAPreference",
        }
    }

    /// The use that is made of it, where there are several.
    #[must_use]
    pub fn usage(self) -> &'static str {
        match self {
            Self::InitiateAuth => "a password, or the begin of SRP",
            Self::RefreshTokenAuth => "a refresh token",
            Self::PasswordVerifier => "the proof of SRP",
            Self::RespondToAuthChallenge => "after the right password",
            _ => "",
        }
    }

    /// What the public learns of an exception. One that is not in the table is a failure that nobody has foreseen.
    pub(super) fn outcome(self, exception: &str) -> Outcome {
        let row = Exception::from_name(exception)
            .and_then(|exception| rows().find(|row| row.operation == self && row.exception == exception));
        row.map_or(Outcome::Problem(ProblemName::Failed), |row| row.outcome)
    }
}

impl Row {
    /// Whether sending the same again may help.
    #[must_use]
    pub fn retry_helps(&self) -> bool {
        match self.outcome {
            Outcome::Problem(name) => name.retry_helps(),
            Outcome::AsIfAccepted | Outcome::AfterProof { .. } => false,
        }
    }
}

/// `Outcome: exceptions` for each operation.
macro_rules! table {
    ($($operation:ident { $($outcome:expr => $($exception:ident)+;)+ })+) => {
        static TABLE: &[(Operation, &[(Outcome, &[Exception])])] = &[
            $((Operation::$operation, &[$(($outcome, &[$(Exception::$exception),+])),+])),+
        ];
    };
}

const ACCEPTED: Outcome = Outcome::AsIfAccepted;
const CREDENTIALS: Outcome = Outcome::Problem(ProblemName::InvalidCredentials);
const CODE: Outcome = Outcome::Problem(ProblemName::InvalidCode);
const SESSION: Outcome = Outcome::Problem(ProblemName::SessionInvalid);
const TOKEN: Outcome = Outcome::Problem(ProblemName::TokenInvalid);
const PASSWORD: Outcome = Outcome::Problem(ProblemName::PasswordRejected);
const REJECTED: Outcome = Outcome::Problem(ProblemName::RequestRejected);
const ALIAS: Outcome = Outcome::Problem(ProblemName::AliasTaken);
const NO_FACTOR: Outcome = Outcome::Problem(ProblemName::MfaNotSetUp);
const UNCONFIRMED: Outcome = Outcome::Problem(ProblemName::AccountNotConfirmed);
const RESET: Outcome = Outcome::Problem(ProblemName::PasswordResetRequired);
const FORBIDDEN: Outcome = Outcome::Problem(ProblemName::Forbidden);
const BUSY: Outcome = Outcome::Problem(ProblemName::TooManyRequests);
const SETUP: Outcome = Outcome::Problem(ProblemName::Misconfigured);
const UNAVAILABLE: Outcome = Outcome::Problem(ProblemName::Unavailable);

const fn after_proof(told: ProblemName, hidden: ProblemName) -> Outcome {
    Outcome::AfterProof { told, hidden }
}

table! {
    // A new user and one who is there already must look alike, whatever Cognito looks at first.
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
        // Cognito compares it with other accounts after the code was right.
        ALIAS => AliasExists;
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
        CREDENTIALS => NotAuthorized UserNotFound InvalidParameter UserLambdaValidation UnexpectedLambda
            InvalidLambdaResponse InvalidSmsRoleAccessPolicy InvalidSmsRoleTrustRelationship
            InvalidEmailRoleAccessPolicy;
        after_proof(ProblemName::AccountNotConfirmed, ProblemName::InvalidCredentials) => UserNotConfirmed;
        after_proof(ProblemName::PasswordResetRequired, ProblemName::InvalidCredentials) => PasswordResetRequired;
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
            InvalidEmailRoleAccessPolicy;
        after_proof(ProblemName::AccountNotConfirmed, ProblemName::InvalidCredentials) => UserNotConfirmed;
        after_proof(ProblemName::PasswordResetRequired, ProblemName::InvalidCredentials) => PasswordResetRequired;
        SETUP => ResourceNotFound InvalidUserPoolConfiguration OperationNotEnabled;
        FORBIDDEN => Forbidden;
        BUSY => TooManyRequests;
        UNAVAILABLE => InternalError;
    }
    RespondToAuthChallenge {
        SESSION => NotAuthorized UserNotFound;
        CODE => CodeMismatch ExpiredCode;
        PASSWORD => InvalidPassword PasswordHistoryPolicyViolation;
        REJECTED => InvalidParameter;
        ALIAS => AliasExists;
        NO_FACTOR => MFAMethodNotFound SoftwareTokenMFANotFound;
        after_proof(ProblemName::AccountNotConfirmed, ProblemName::SessionInvalid) => UserNotConfirmed;
        after_proof(ProblemName::PasswordResetRequired, ProblemName::SessionInvalid) => PasswordResetRequired;
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
        after_proof(ProblemName::AccountNotConfirmed, ProblemName::InvalidCode) => UserNotConfirmed;
        after_proof(ProblemName::PasswordRejected, ProblemName::InvalidCode) => InvalidPassword
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
        // The address need not be the caller's own: whose it is, is not told.
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
    GetUserAttributeVerificationCode {
        TOKEN => NotAuthorized UserNotFound;
        REJECTED => InvalidParameter;
        UNCONFIRMED => UserNotConfirmed;
        RESET => PasswordResetRequired;
        SETUP => ResourceNotFound OperationNotEnabled UnexpectedLambda InvalidLambdaResponse InvalidSmsRoleAccessPolicy
            InvalidSmsRoleTrustRelationship InvalidEmailRoleAccessPolicy;
        FORBIDDEN => UserLambdaValidation Forbidden;
        BUSY => TooManyRequests LimitExceeded;
        UNAVAILABLE => InternalError CodeDeliveryFailure;
    }
    VerifyUserAttribute {
        TOKEN => NotAuthorized UserNotFound;
        CODE => CodeMismatch ExpiredCode;
        REJECTED => InvalidParameter;
        // Cognito compares it with other accounts after the code was right.
        ALIAS => AliasExists;
        UNCONFIRMED => UserNotConfirmed;
        RESET => PasswordResetRequired;
        SETUP => ResourceNotFound OperationNotEnabled;
        FORBIDDEN => Forbidden;
        BUSY => TooManyRequests LimitExceeded;
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
