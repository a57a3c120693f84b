//! What the public is told when something goes wrong, and what only the logs are.

use alloc::string::String;

/// Names the problems, their status, and whether sending the same again may help.
macro_rules! problems {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $status:literal, $retry:literal;)+) => {
        /// A public problem. Names stay.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum AccountErrorCode {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl AccountErrorCode {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The stable name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The HTTP status (RFC 9110 section 15).
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)+ }
            }

            /// Whether sending the same again may help.
            #[must_use]
            pub fn retry_helps(self) -> bool {
                match self { $(Self::$variant => $retry,)+ }
            }

            /// What it means.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

problems! {
    /// An input is missing, too long, or has characters that it can't have.
    InvalidRequest = "invalid-request", 400, false;
    /// Cognito refused an input.
    RequestRejected = "request-rejected", 400, false;
    /// The new password is not one that the pool allows.
    PasswordRejected = "password-rejected", 400, false;
    /// The code is wrong or has expired, or was not for this user.
    InvalidCode = "invalid-code", 400, false;
    /// The user name or the password is wrong.
    InvalidCredentials = "invalid-credentials", 401, false;
    /// The session has expired: sign in again.
    SessionInvalid = "session-invalid", 401, false;
    /// The access or refresh token is invalid, has expired, or was revoked.
    TokenInvalid = "token-invalid", 401, false;
    /// The account must be confirmed first. Told after the right code, and to a signed-in user, only.
    AccountNotConfirmed = "account-not-confirmed", 403, false;
    /// The password must be reset first. Told after the right password only.
    PasswordResetRequired = "password-reset-required", 403, false;
    /// A firewall or a trigger of the pool's owner refused it.
    Forbidden = "forbidden", 403, false;
    /// Another account has this email address or phone number. Told after the right code only.
    AliasTaken = "alias-taken", 409, false;
    /// This second factor is not set up.
    MfaNotSetUp = "mfa-not-set-up", 409, false;
    /// Too many requests at once.
    TooManyRequests = "too-many-requests", 429, true;
    /// The user pool or its app client is not set up for this.
    Misconfigured = "misconfigured", 500, false;
    /// Something failed that nobody has foreseen.
    Failed = "failed", 500, false;
    /// Cognito asks for a challenge that poolgate does not know.
    ChallengeUnsupported = "challenge-unsupported", 501, false;
    /// Cognito can't be reached, takes too long, or is out of order.
    Unavailable = "unavailable", 503, true;
}

/// Why, for logs and metrics. It holds no input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InternalReason {
    /// The operation of the user pools API; empty if none was called.
    pub operation: &'static str,
    /// The exception's name, or what else went wrong.
    pub failure: String,
    /// What it means.
    pub meaning: &'static str,
    /// An exception that the table does not have: the operator must look at it.
    pub unforeseen: bool,
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountError {
    /// For the caller.
    pub code: AccountErrorCode,
    /// For the caller: which input is wrong, and how. It says nothing about accounts.
    pub detail: Option<&'static str>,
    /// Seconds after which sending the same again may help.
    pub retry_after: Option<u32>,
    /// For logs.
    pub internal: InternalReason,
}

impl AccountError {
    /// An input is refused before anything is called.
    pub(super) fn invalid(detail: &'static str) -> Self {
        Self::of(AccountErrorCode::InvalidRequest, "input refused", detail)
    }

    /// A problem of ours, not of an exception.
    pub(super) fn of(code: AccountErrorCode, failure: &str, meaning: &'static str) -> Self {
        let detail =
            matches!(code, AccountErrorCode::InvalidRequest | AccountErrorCode::PasswordRejected).then_some(meaning);
        let internal = InternalReason { operation: "", failure: failure.into(), meaning, unforeseen: false };
        Self { code, detail, retry_after: None, internal }
    }
}
