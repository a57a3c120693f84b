//! The exceptions that Cognito declares for the operations used here.

/// Names the exceptions, and says what each means for who reads the logs.
macro_rules! exceptions {
    ($($variant:ident: $meaning:literal,)+) => {
        /// An exception of the user pools API.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Exception {
            $(#[doc = $meaning] $variant,)+
        }

        impl Exception {
            /// All of them, by name.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name in the service model.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!(stringify!($variant), "Exception"),)+
                }
            }

            /// What it means, for logs.
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
    CodeDeliveryFailure: "the code could not be sent: see the pool's email or SMS settings",
    CodeMismatch: "the code is wrong",
    ConcurrentModification: "two changes at once",
    EnableSoftwareTokenMFA: "the code of the authenticator app is wrong",
    ExpiredCode: "the code has expired, or none was asked for",
    FeatureUnavailableInTier: "the pool's feature plan does not include this",
    Forbidden: "AWS WAF refused the request",
    InternalError: "an error inside Cognito",
    InvalidEmailRoleAccessPolicy: "Cognito may not send email: see the pool's email settings",
    InvalidLambdaResponse: "a Lambda trigger answered with nonsense",
    InvalidParameter: "Cognito refused a parameter, or the account is in no state for this",
    InvalidPassword: "the pool's password policy refused what ours let through: make them the same",
    InvalidSmsRoleAccessPolicy: "Cognito may not send text messages: see the role's policy",
    InvalidSmsRoleTrustRelationship: "Cognito may not take the SMS role: see its trust relationship",
    InvalidUserPoolConfiguration: "the user pool's configuration is not valid",
    LimitExceeded: "a limit of the account, the user or the pool's email is used up",
    MFAMethodNotFound: "the user has no such second factor",
    NotAuthorized: "not authorized: a wrong secret, a disabled user, or a request that the app client may not make",
    OperationNotEnabled: "the operation is not enabled for the pool",
    PasswordHistoryPolicyViolation: "the password was used before",
    PasswordResetRequired: "the password must be reset",
    RefreshTokenReuse: "a refresh token was used again after its rotation",
    ResourceNotFound: "no such user pool or app client",
    SoftwareTokenMFANotFound: "the user has no authenticator app",
    TooManyFailedAttempts: "too many wrong codes for this user",
    TooManyRequests: "too many requests for the account's quota",
    Unauthorized: "the token is not of this app client",
    UnexpectedLambda: "a Lambda trigger failed",
    UnsupportedOperation: "the app client does not allow the operation",
    UnsupportedTokenType: "not a refresh token",
    UserLambdaValidation: "a Lambda trigger refused the user",
    UserNotConfirmed: "the account is not confirmed",
    UserNotFound: "there is no such user",
    UsernameExists: "there is a user of this name",
}

impl Exception {
    /// The exception of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|exception| exception.name() == name)
    }
}
