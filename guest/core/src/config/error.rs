//! Why a configuration is rejected.

/// Why a configuration is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is no pool.
    NoPool,
    /// A user pool ID is not `<region>_<letters and digits>`, or is longer than 55 characters.
    InvalidUserPoolId,
    /// A region belongs to no known AWS partition.
    UnknownRegion,
    /// An issuer is empty.
    InvalidIssuer,
    /// Two pools have the same issuer.
    DuplicateIssuer,
    /// A pool does not check the issuer, and there are other pools.
    UncheckedIssuerNotAlone,
    /// The JWKS URL can't be derived: the issuer is not checked, or is not a URL.
    KeysNotDerivable,
    /// The list of app clients is empty or contains an empty string.
    NoClient,
    /// A list of groups, scopes or resource servers is empty or contains an empty string.
    EmptyList,
    /// Resource servers are configured for a pool that accepts only ID tokens. The `aud` of an ID token is an app client.
    ResourceOfIdTokens,
    /// This build does not support an algorithm.
    AlgorithmNotBuilt,
    /// A leeway, a limit or a number of the key policy is out of its range.
    OutOfRange,
    /// The pools of a changed policy have other issuers than the current ones.
    OtherIssuers,
}

impl core::fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str(match self {
            ConfigError::NoPool => "there is no pool",
            ConfigError::InvalidUserPoolId => "a user pool ID is not <region>_<letters and digits>",
            ConfigError::UnknownRegion => "a region belongs to no known AWS partition",
            ConfigError::InvalidIssuer => "an issuer is empty",
            ConfigError::DuplicateIssuer => "two pools have the same issuer",
            ConfigError::UncheckedIssuerNotAlone => "a pool that does not check the issuer must be the only pool",
            ConfigError::KeysNotDerivable => "the JWKS URL can't be derived from the issuer",
            ConfigError::NoClient => "the list of app clients is empty or contains an empty string",
            ConfigError::EmptyList => {
                "a list of groups, scopes or resource servers is empty or contains an empty string"
            }
            ConfigError::ResourceOfIdTokens => {
                "resource servers are configured, but only ID tokens are accepted, which have none"
            }
            ConfigError::AlgorithmNotBuilt => "this build does not support an algorithm",
            ConfigError::OtherIssuers => "the changed policy is for other issuers",
            ConfigError::OutOfRange => "a leeway, a limit or a number of the key policy is out of its range",
        })
    }
}

impl core::error::Error for ConfigError {}
