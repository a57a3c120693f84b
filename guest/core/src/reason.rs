//! Why a token is refused, and what the caller is told.

/// What to answer the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// 401 with `error="invalid_token"` (RFC 6750 section 3.1).
    InvalidToken,
    /// 403 with `error="insufficient_scope"` (RFC 6750 section 3.1).
    InsufficientScope,
    /// 503: the token was not judged. Trying again may help.
    Unavailable,
}

impl ErrorCode {
    /// The HTTP status.
    pub fn status(self) -> u16 {
        match self {
            ErrorCode::InvalidToken => 401,
            ErrorCode::InsufficientScope => 403,
            ErrorCode::Unavailable => 503,
        }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)+) => {
        /// Why a token was refused. A public contract: names stay, new ones may be added at the end.
        ///
        /// For logs and metrics; a caller is told only the [`ErrorCode`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[$doc])* $name,)+
        }

        impl Reason {
            /// Every reason, in the order of the contract.
            pub const ALL: &[Reason] = &[$(Reason::$name,)+];

            /// The stable name, as in the WIT contract.
            pub fn name(self) -> &'static str {
                match self {
                    $(Reason::$name => $text,)+
                }
            }
        }
    };
}

reasons! {
    /// The token is an empty string.
    TokenEmpty = "token-empty",
    /// The token is longer than the limit.
    TokenTooLarge = "token-too-large",
    /// The token does not have exactly three parts.
    TokenNotThreeParts = "token-not-three-parts",
    /// The token has five parts: an encrypted token (JWE, RFC 7516), which no Cognito API expects.
    TokenEncrypted = "token-encrypted",
    /// A part has a character outside the base64url alphabet, or an impossible length.
    EncodingInvalid = "encoding-invalid",
    /// A part is padded with `=` (RFC 7515 section 2 forbids it).
    EncodingPadded = "encoding-padded",
    /// A part has unused bits set: a second spelling of the same bytes.
    EncodingNotCanonical = "encoding-not-canonical",
    /// The header is not a JSON object in UTF-8, or `cty`, `x5t` or `x5t#S256` is not a string.
    HeaderMalformed = "header-malformed",
    /// The header has two members of the same name, at any depth.
    HeaderDuplicateMember = "header-duplicate-member",
    /// The header is nested deeper than the limit.
    HeaderTooDeep = "header-too-deep",
    /// Something follows the header's JSON object.
    HeaderTrailingBytes = "header-trailing-bytes",
    /// `alg` is missing or not a string.
    AlgorithmMissing = "algorithm-missing",
    /// `alg` is "none": an unsigned token.
    AlgorithmNone = "algorithm-none",
    /// `alg` is an HMAC (HS256 …): a public key must never be used as a shared secret.
    AlgorithmSymmetric = "algorithm-symmetric",
    /// `alg` is not in the pool's list.
    AlgorithmNotAllowed = "algorithm-not-allowed",
    /// `alg` is not the one that the key is for.
    AlgorithmMismatch = "algorithm-mismatch",
    /// `crit` is there: an extension that must be understood, and none is (RFC 7515 section 4.1.11).
    CriticalHeader = "critical-header",
    /// `b64` is there: an unencoded payload (RFC 7797), forbidden in a JWT.
    UnencodedPayload = "unencoded-payload",
    /// `typ` says that it is another kind of token (only "JWT" and "at+jwt" are accepted, or none; RFC 8725 section 3.11).
    TypeNotAllowed = "type-not-allowed",
    /// The header brings its own key (`jwk`, `jku`, `x5u`, `x5c`). It is never used, and no token needs it.
    EmbeddedKey = "embedded-key",
    /// `kid` is missing.
    KeyIdMissing = "key-id-missing",
    /// `kid` is not a string, or is empty.
    KeyIdInvalid = "key-id-invalid",
    /// `kid` is longer than 256 bytes.
    KeyIdTooLong = "key-id-too-long",
    /// The payload is not a JSON object in UTF-8, or has a number that no IEEE 754 double can hold.
    PayloadMalformed = "payload-malformed",
    /// The payload has two members of the same name, at any depth.
    PayloadDuplicateMember = "payload-duplicate-member",
    /// The payload is nested deeper than the limit.
    PayloadTooDeep = "payload-too-deep",
    /// Something follows the payload's JSON object.
    PayloadTrailingBytes = "payload-trailing-bytes",
    /// `iss` is missing.
    IssuerMissing = "issuer-missing",
    /// `iss` is not a string.
    IssuerInvalid = "issuer-invalid",
    /// `iss` is not one of the configured issuers.
    IssuerUnknown = "issuer-unknown",
    /// `exp` is missing.
    ExpiryMissing = "expiry-missing",
    /// `exp` is not a number.
    ExpiryInvalid = "expiry-invalid",
    /// `exp` is negative, or after the year 9999.
    ExpiryOutOfRange = "expiry-out-of-range",
    /// `exp` has passed.
    Expired = "expired",
    /// `nbf` is not a number, or out of range.
    NotBeforeInvalid = "not-before-invalid",
    /// `nbf` has not come yet.
    NotYetValid = "not-yet-valid",
    /// `iat` is missing, and a maximum age is configured.
    IssuedAtMissing = "issued-at-missing",
    /// `iat` is not a number, or out of range.
    IssuedAtInvalid = "issued-at-invalid",
    /// `iat` is in the future.
    IssuedInFuture = "issued-in-future",
    /// The token is older than the maximum age.
    TooOld = "too-old",
    /// Another claim that poolgate reads (`sub`, `username`, `cognito:username`, `auth_time`, `jti`, `origin_jti`) has the wrong type.
    ClaimInvalid = "claim-invalid",
    /// No key of the issuer has this `kid`.
    KeyUnknown = "key-unknown",
    /// The issuer publishes this `kid`, but with a key that is refused (too small, even, private …).
    KeyRefused = "key-refused",
    /// The issuer's keys can't be had now. The token was not judged.
    KeysUnavailable = "keys-unavailable",
    /// The signature's length is not that of the key or the curve.
    SignatureLength = "signature-length",
    /// The signature, as a number, is not below the RSA modulus.
    SignatureOutOfRange = "signature-out-of-range",
    /// The signature does not match.
    SignatureInvalid = "signature-invalid",
    /// `token_use` is missing.
    TokenUseMissing = "token-use-missing",
    /// `token_use` is not a string.
    TokenUseInvalid = "token-use-invalid",
    /// `token_use` is not the configured one.
    TokenUseMismatch = "token-use-mismatch",
    /// `aud` is missing from an ID token.
    AudienceMissing = "audience-missing",
    /// `aud` is neither a string nor an array of strings.
    AudienceInvalid = "audience-invalid",
    /// `aud` of an ID token names no accepted app client.
    AudienceMismatch = "audience-mismatch",
    /// `client_id` is missing from an access token.
    ClientMissing = "client-missing",
    /// `client_id` is not a string.
    ClientInvalid = "client-invalid",
    /// `client_id` is not an accepted app client.
    ClientMismatch = "client-mismatch",
    /// `aud` is missing from an access token that must be bound to a resource server.
    ResourceMissing = "resource-missing",
    /// `aud` of an access token names neither an accepted resource server nor an accepted app client.
    ResourceMismatch = "resource-mismatch",
    /// `cognito:groups` is not an array of strings.
    GroupsInvalid = "groups-invalid",
    /// A required group is not there. 403.
    GroupMissing = "group-missing",
    /// `scope` is not a string.
    ScopeInvalid = "scope-invalid",
    /// A required scope is not there. 403.
    ScopeMissing = "scope-missing",
    /// `configure` was not called. 503.
    NotConfigured = "not-configured",
    /// The sandbox failed: a trap, or no memory. Said by the host, never by the component. 503.
    SandboxFailed = "sandbox-failed",
    /// The sandbox took too long. Said by the host, never by the component. 503.
    SandboxTimeout = "sandbox-timeout",
    /// No key had this `kid` when it was last looked for, a moment ago. It was not looked for again.
    KeyUnknownCached = "key-unknown-cached",
    /// No key that is held has this `kid`, and no more fetches are made for unknown ones for now.
    KeyUnknownLimited = "key-unknown-limited",
    /// Too many calls wait for the sandbox. Said by the host, never by the component. 503.
    Overloaded = "overloaded",
    /// The verifier is being shut down. Said by the host, never by the component. 503.
    ShuttingDown = "shutting-down",
    /// The token was good, and was revoked: itself, its sign-in, or everything of its user until some time.
    Revoked = "revoked",
    /// The token is good, but whether it was revoked can't be asked now, and the operator wants it refused then. 503.
    RevocationUnavailable = "revocation-unavailable",
    /// The token is bound to a key (`cnf`; RFC 8705, RFC 9449): sent without a proof of that key, it may be stolen.
    SenderConstrained = "sender-constrained",
    /// `sub` is missing or empty: nobody's token, which no sign-out of a user can revoke.
    SubjectMissing = "subject-missing",
}

/// More about a refusal than its reason. For the operator: for logs, never for a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Hint {
    /// `sub` is not a string.
    SubInvalid,
    /// `username` is not a string.
    UsernameInvalid,
    /// `cognito:username` is not a string.
    CognitoUsernameInvalid,
    /// `auth_time` is not a number, or out of range.
    AuthTimeInvalid,
    /// `jti` is not a string.
    JtiInvalid,
    /// `origin_jti` is not a string.
    OriginJtiInvalid,
    /// `iss` differs from a configured issuer by a `/` at the end alone.
    IssuerSlash,
}

impl Reason {
    /// What the caller is told.
    pub fn error_code(self) -> ErrorCode {
        match self {
            Reason::GroupMissing | Reason::ScopeMissing => ErrorCode::InsufficientScope,
            Reason::KeysUnavailable
            | Reason::NotConfigured
            | Reason::SandboxFailed
            | Reason::SandboxTimeout
            | Reason::Overloaded
            | Reason::ShuttingDown
            | Reason::RevocationUnavailable => ErrorCode::Unavailable,
            _ => ErrorCode::InvalidToken,
        }
    }
}
