//! The exceptions that Cognito declares for the operations that the flows use.

/// Defines the exceptions, each with an explanation for logs.
macro_rules! exceptions {
    ($($variant:ident: $meaning:literal,)+) => {
        /// An exception of the user pools API.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Exception {
            $(#[doc = $meaning] $variant,)+
        }

        impl Exception {
            /// All exceptions, sorted by name.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Returns the name in the service model.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!(stringify!($variant), "Exception"),)+
                }
            }

            /// Returns an explanation for logs.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => $meaning,)+
                }
            }
        }
    };
}

exceptions! {
    AliasExists: "another account has this email address or phone number",
    CodeDeliveryFailure: "the code could not be sent; check the email and SMS settings of the user pool",
    CodeMismatch: "the code is wrong",
    ConcurrentModification: "two changes were made at the same time",
    EnableSoftwareTokenMFA: "the code of the authenticator app is wrong",
    ExpiredCode: "the code has expired, or no code was requested",
    FeatureUnavailableInTier: "the feature plan of the user pool does not include the operation",
    Forbidden: "AWS WAF rejected the request",
    InternalError: "an internal error of Cognito",
    InvalidEmailRoleAccessPolicy: "Cognito is not allowed to send email; check the email settings of the user pool",
    InvalidLambdaResponse: "a Lambda trigger returned an invalid response",
    InvalidParameter: "Cognito rejected a parameter, or the state of the account does not allow the operation",
    InvalidPassword: "Cognito rejected a password that the configured policy allows; set the password policy to that of the user pool",
    InvalidSmsRoleAccessPolicy: "Cognito is not allowed to send text messages; check the policy of the SMS role",
    InvalidSmsRoleTrustRelationship: "Cognito is not allowed to assume the SMS role; check its trust relationship",
    InvalidUserPoolConfiguration: "the configuration of the user pool is invalid",
    LimitExceeded: "a limit of the AWS account, the user or the user pool's email was reached",
    MFAMethodNotFound: "the user has no such second factor",
    NotAuthorized: "not authorized: wrong credentials, a wrong secret hash, a disabled user, or an operation that the app client does not allow",
    OperationNotEnabled: "the operation is not enabled for the user pool",
    PasswordHistoryPolicyViolation: "the password was used before",
    PasswordResetRequired: "the password must be reset",
    RefreshTokenReuse: "a refresh token was used again after its rotation",
    ResourceNotFound: "the user pool or the app client does not exist",
    SoftwareTokenMFANotFound: "the user has no authenticator app",
    TooManyFailedAttempts: "too many wrong codes for this user",
    TooManyRequests: "too many requests for the quota of the AWS account",
    Unauthorized: "the token belongs to another app client",
    UnexpectedLambda: "a Lambda trigger failed",
    UnsupportedOperation: "the app client does not allow the operation",
    UnsupportedTokenType: "the token is not a refresh token",
    UserLambdaValidation: "a Lambda trigger rejected the user",
    UserNotConfirmed: "the account is not confirmed",
    UserNotFound: "the user does not exist",
    UsernameExists: "another user has this username",
}

impl Exception {
    /// Returns the exception with this name. `None` if it is unknown.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|exception| exception.name() == name)
    }
}
