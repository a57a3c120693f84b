//! Why a JSON Web Key can't be used.

/// Why a JSON Web Key can't be used (RFC 7517, RFC 7518 section 6, RFC 8037 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyError {
    /// It is not a JSON object, or a member has the wrong type.
    Malformed,
    /// An object in it has two members of the same name.
    DuplicateMember,
    /// `kid` is missing or empty, so no token can refer to the key.
    NoKeyId,
    /// `kid` is longer than 256 bytes.
    KeyIdTooLong,
    /// Another key of the set has the same `kid` and fits the same algorithm, so neither is used for it.
    DuplicateKeyId,
    /// `kty` is missing.
    NoKeyType,
    /// This build does not support `kty` or `crv`.
    UnsupportedKeyType,
    /// It is a symmetric key (`kty` "oct"), which must never be published.
    Symmetric,
    /// It has a private member: anyone who can read the set can create signatures.
    PrivateMember,
    /// `use` is not "sig", or `key_ops` does not contain "verify".
    NotForSignatures,
    /// `alg` is not a signature algorithm for this type of key.
    AlgorithmMismatch,
    /// A required member (`n`, `e`, `crv`, `x`, `y`) is missing.
    MissingMember,
    /// A number is not base64url, or is longer than the curve requires. An Ed25519 key does not have 32 bytes.
    BadEncoding,
    /// The RSA modulus has fewer than 2,048 bits.
    ModulusTooSmall,
    /// The RSA modulus has more than 8,192 bits.
    ModulusTooLarge,
    /// The RSA modulus is even.
    ModulusEven,
    /// The RSA public exponent is even, less than 3, or longer than 64 bits.
    BadExponent,
    /// The point is not on the curve, or is of small order.
    BadPoint,
    /// It has a certificate (`x5c`) and lacks the numbers of the key. OpenID Connect Discovery 1.0 section 3: "the bare key values MUST still
    /// be present".
    CertificateOnly,
}

/// Why a JSON Web Key can't be used, and the member that is the cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LocatedKeyError {
    pub(crate) error: KeyError,
    /// `None` if the whole key is the cause.
    pub(crate) member: Option<&'static str>,
}

impl KeyError {
    /// Names the member that is the cause.
    pub(crate) fn of(self, member: &'static str) -> LocatedKeyError {
        LocatedKeyError { error: self, member: Some(member) }
    }
}

impl From<KeyError> for LocatedKeyError {
    fn from(error: KeyError) -> Self {
        Self { error, member: None }
    }
}
