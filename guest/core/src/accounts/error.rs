//! The error of a flow: an error code for the client, and an internal reason for logs.

use alloc::string::String;

/// Defines the error codes: variant, stable name, HTTP status, and whether the same request can succeed later.
macro_rules! error_codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $status:literal, $retry:literal;)+) => {
        /// The error code of a flow. The names are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum AccountErrorCode {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl AccountErrorCode {
            /// All error codes.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Returns the stable name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Returns the HTTP status (RFC 9110 section 15).
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)+ }
            }

            /// Returns whether the same request can succeed later.
            #[must_use]
            pub fn is_retryable(self) -> bool {
                match self { $(Self::$variant => $retry,)+ }
            }

            /// Returns a sentence that explains the code.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

error_codes! {
    /// An input is missing, too long, or contains characters that are not allowed.
    InvalidRequest = "invalid-request", 400, false;
    /// Cognito rejected an input.
    RequestRejected = "request-rejected", 400, false;
    /// The new password does not satisfy the user pool's password policy.
    PasswordRejected = "password-rejected", 400, false;
    /// The code is wrong, has expired, or was sent to another user.
    InvalidCode = "invalid-code", 400, false;
    /// The username or the password is wrong.
    InvalidCredentials = "invalid-credentials", 401, false;
    /// The session is invalid or has expired. The user must sign in again.
    SessionInvalid = "session-invalid", 401, false;
    /// The access or refresh token is invalid, has expired, or was revoked.
    TokenInvalid = "token-invalid", 401, false;
    /// The account must be confirmed first. Returned only after a correct code, or to a signed-in user.
    AccountNotConfirmed = "account-not-confirmed", 403, false;
    /// The password must be reset first. Returned only after a correct password, code or session, or to a signed-in user.
    PasswordResetRequired = "password-reset-required", 403, false;
    /// A firewall or a Lambda trigger of the user pool rejected the request.
    Forbidden = "forbidden", 403, false;
    /// Another account has this email address or phone number. Returned only after a correct code.
    AliasTaken = "alias-taken", 409, false;
    /// The second factor is not set up.
    MfaNotSetUp = "mfa-not-set-up", 409, false;
    /// There are too many requests.
    TooManyRequests = "too-many-requests", 429, true;
    /// The configuration of the user pool or its app client does not allow the operation.
    Misconfigured = "misconfigured", 500, false;
    /// An unexpected failure occurred.
    Failed = "failed", 500, false;
    /// Cognito requires a challenge that poolgate does not support.
    ChallengeUnsupported = "challenge-unsupported", 501, false;
    /// Cognito is unreachable, too slow, or out of service.
    Unavailable = "unavailable", 503, true;
}

/// The internal reason of an error, for logs and metrics only. It contains no input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InternalReason {
    /// The operation of the user pools API. Empty if no operation was called.
    pub operation: &'static str,
    /// The name of Cognito's exception, or of poolgate's own failure.
    pub failure: String,
    /// A sentence that explains `failure`.
    pub meaning: &'static str,
    /// Whether the exception is not in the table. An operator should look into it.
    pub unforeseen: bool,
}

/// Why a flow failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountError {
    /// The error code, for the client.
    pub code: AccountErrorCode,
    /// Which input is invalid and why, for the client. It depends on the input alone, never on an account.
    pub detail: Option<&'static str>,
    /// Seconds after which the client may send the same request again.
    pub retry_after: Option<u32>,
    /// The internal reason, for logs and metrics only.
    pub internal: InternalReason,
}

impl AccountError {
    /// An input was rejected before Cognito was called.
    pub(super) fn invalid(detail: &'static str) -> Self {
        Self::new(AccountErrorCode::InvalidRequest, "input rejected", detail)
    }

    /// An error that was not caused by an exception.
    pub(super) fn new(code: AccountErrorCode, failure: &str, meaning: &'static str) -> Self {
        let detail =
            matches!(code, AccountErrorCode::InvalidRequest | AccountErrorCode::PasswordRejected).then_some(meaning);
        let internal = InternalReason { operation: "", failure: failure.into(), meaning, unforeseen: false };
        Self { code, detail, retry_after: None, internal }
    }
}
