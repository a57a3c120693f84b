//! Why a token is rejected, and the error code for the client.

/// The error code for the client (RFC 6750 section 3.1), which determines the HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// 401 with `error="invalid_token"`.
    InvalidToken,
    /// 403 with `error="insufficient_scope"`.
    InsufficientScope,
    /// 503: the token was not verified. A retry may succeed.
    Unavailable,
}

impl ErrorCode {
    /// Returns the HTTP status.
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
        /// Why a token was rejected. Names never change; new ones may be added at the end.
        ///
        /// It is for logs and metrics. Send only the [`ErrorCode`] to the client.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[$doc])* $name,)+
        }

        impl Reason {
            /// Every reason, in the order of the contract.
            pub const ALL: &[Reason] = &[$(Reason::$name,)+];

            /// Returns the stable name, as in the WIT contract.
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
    /// The token has five parts: it is an encrypted token (JWE, RFC 7516), which no Cognito API accepts.
    TokenEncrypted = "token-encrypted",
    /// A part has a character outside the base64url alphabet, or an impossible length. A part of a load balancer's token lacks its padding.
    EncodingInvalid = "encoding-invalid",
    /// A part is padded with `=`, which RFC 7515 section 2 forbids. A part of a load balancer's token has too much padding.
    EncodingPadded = "encoding-padded",
    /// A part has unused bits that are set, so it is a second encoding of the same bytes.
    EncodingNotCanonical = "encoding-not-canonical",
    /// The header is not a JSON object in UTF-8, or `cty`, `x5t` or `x5t#S256` is not a string.
    HeaderMalformed = "header-malformed",
    /// The header has two members of the same name, at any depth.
    HeaderDuplicateMember = "header-duplicate-member",
    /// The header is nested deeper than the limit.
    HeaderTooDeep = "header-too-deep",
    /// Something follows the JSON object of the header.
    HeaderTrailingBytes = "header-trailing-bytes",
    /// `alg` is missing or not a string.
    AlgorithmMissing = "algorithm-missing",
    /// `alg` is "none": the token is unsigned.
    AlgorithmNone = "algorithm-none",
    /// `alg` is an HMAC (HS256 …). A public key must never be used as a shared secret.
    AlgorithmSymmetric = "algorithm-symmetric",
    /// `alg` is not in the list of the pool.
    AlgorithmNotAllowed = "algorithm-not-allowed",
    /// `alg` is not the algorithm of the key.
    AlgorithmMismatch = "algorithm-mismatch",
    /// `crit` is present: the token requires an extension, and poolgate supports none (RFC 7515 section 4.1.11).
    CriticalHeader = "critical-header",
    /// `b64` is present: an unencoded payload (RFC 7797), which is forbidden in a JWT.
    UnencodedPayload = "unencoded-payload",
    /// `typ` names another kind of token (RFC 8725 section 3.11). By default, "JWT", "at+jwt" and no `typ` are accepted.
    TypeNotAllowed = "type-not-allowed",
    /// The header contains a key or refers to one (`jwk`, `jku`, `x5u`, `x5c`). Such a key is never used.
    EmbeddedKey = "embedded-key",
    /// `kid` is missing. A token of another issuer than a user pool needs one unless exactly one key fits its `alg`.
    KeyIdMissing = "key-id-missing",
    /// `kid` is not a string, or is empty. In a load balancer's token, it is not a UUID in lower case.
    KeyIdInvalid = "key-id-invalid",
    /// `kid` is longer than 256 bytes.
    KeyIdTooLong = "key-id-too-long",
    /// The payload is not a JSON object in UTF-8, or has a number that no IEEE 754 double can represent.
    PayloadMalformed = "payload-malformed",
    /// The payload has two members of the same name, at any depth.
    PayloadDuplicateMember = "payload-duplicate-member",
    /// The payload is nested deeper than the limit.
    PayloadTooDeep = "payload-too-deep",
    /// Something follows the JSON object of the payload.
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
    /// `nbf` is in the future.
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
    /// The issuer publishes a key with this `kid`, but the key is rejected (too small, even, private …), or is for another tenant.
    KeyRefused = "key-refused",
    /// The issuer's key set is currently unavailable. The token was not verified.
    KeysUnavailable = "keys-unavailable",
    /// The length of the signature is not that of the key or the curve.
    SignatureLength = "signature-length",
    /// The signature, as a number, is not less than the RSA modulus.
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
    /// `aud` of an ID token, or of another token whose client is in `aud`, does not contain an accepted client. Or an ID token has several
    /// audiences, and `azp` is not an accepted client.
    AudienceMismatch = "audience-mismatch",
    /// `client_id` of an access token, or the claim that the pool configures, is missing. In a load balancer's token, it is `client` of the header.
    ClientMissing = "client-missing",
    /// The claim that names the client (`client_id`, or the one that the pool configures) is not a string.
    ClientInvalid = "client-invalid",
    /// `client_id`, or the claim that the pool configures, is not an accepted client.
    ClientMismatch = "client-mismatch",
    /// `aud` is missing from an access token that must be bound to a resource server.
    ResourceMissing = "resource-missing",
    /// `aud` of an access token contains neither an accepted resource server nor an accepted app client.
    ResourceMismatch = "resource-mismatch",
    /// `cognito:groups` is not an array of strings.
    GroupsInvalid = "groups-invalid",
    /// The token lacks a required group.
    GroupMissing = "group-missing",
    /// The claim with the scopes is neither a string nor, for other issuers than user pools, an array of strings.
    ScopeInvalid = "scope-invalid",
    /// The token lacks a required scope.
    ScopeMissing = "scope-missing",
    /// `configure` was not called.
    NotConfigured = "not-configured",
    /// The sandbox failed: it trapped or ran out of memory. Set by the host, never by the component.
    SandboxFailed = "sandbox-failed",
    /// The call in the sandbox took too long. Set by the host, never by the component.
    SandboxTimeout = "sandbox-timeout",
    /// No key had this `kid` a short time ago, so the key set was not fetched again (negative cache).
    KeyUnknownCached = "key-unknown-cached",
    /// No current key has this `kid`, and the rate limit for fetches of unknown keys is reached.
    KeyUnknownLimited = "key-unknown-limited",
    /// Too many calls wait for the sandbox. Set by the host, never by the component.
    Overloaded = "overloaded",
    /// The verifier is being shut down. Set by the host, never by the component.
    ShuttingDown = "shutting-down",
    /// The token is valid but was revoked: individually (`jti`), with its sign-in session (`origin_jti`), or because its user signed out
    /// everywhere.
    Revoked = "revoked",
    /// The token is valid, but its revocation status is unavailable, and the operator rejects such tokens.
    RevocationUnavailable = "revocation-unavailable",
    /// The token is bound to a key (`cnf`; RFC 8705, RFC 9449). Without a proof of possession of that key, it may be stolen.
    SenderConstrained = "sender-constrained",
    /// `sub` is missing, empty, or only white space. Such a token can't be revoked by signing its user out.
    SubjectMissing = "subject-missing",
    /// Several different keys of the issuer have this `kid` and fit `alg`, so the key of the token is not known.
    KeyAmbiguous = "key-ambiguous",
    /// A claim does not fit a claim rule of the pool.
    ClaimMismatch = "claim-mismatch",
    /// A claim does not fit a claim rule of the route's policy.
    ClaimForbidden = "claim-forbidden",
    /// `nonce` of an ID token is missing, or is not the one of the request.
    NonceMismatch = "nonce-mismatch",
    /// `at_hash` of an ID token is missing, or is not that of the access token that came with it.
    AccessTokenMismatch = "access-token-mismatch",
    /// `signer` in the header of a load balancer's token is missing, or is not a configured ARN.
    SignerMismatch = "signer-mismatch",
    /// `iss` or `exp` in the header of a load balancer's token is missing, or differs from the claim (RFC 7519 section 5.3).
    HeaderMismatch = "header-mismatch",
}

/// More about a rejection than its reason, for the operator's logs. Do not send it to the client.
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
    /// `iss` differs from a configured issuer only by a `/` at the end.
    IssuerSlash,
}

impl Reason {
    /// Returns the error code for the client.
    pub fn error_code(self) -> ErrorCode {
        match self {
            Reason::GroupMissing | Reason::ScopeMissing | Reason::ClaimForbidden => ErrorCode::InsufficientScope,
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
