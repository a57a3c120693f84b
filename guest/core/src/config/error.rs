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
    /// A list of groups, scopes or resource servers is empty or contains an empty string, or unbound clients contain one. Or a list of
    /// [`Config::requirements`](crate::Config::requirements) is empty.
    EmptyList,
    /// Resource servers are configured for a pool that accepts only ID tokens. The `aud` of an ID token is an app client.
    ResourceOfIdTokens,
    /// This build does not support an algorithm.
    AlgorithmNotBuilt,
    /// A leeway, a limit or a number of the key policy is out of its range.
    OutOfRange,
    /// A type of token has a protocol of its own (`dpop+jwt`, `logout+jwt`, `secevent+jwt`, `oauth-authz-req+jwt`, `kb+jwt`), or is `application/`
    /// alone.
    InvalidType,
    /// Clients and resource servers are configured for tokens whose `token_use` is not checked, and no claim names the client.
    ClientClaimMissing,
    /// A claim that names the client is configured, although `token_use` is checked and decides which claim it is.
    ClientClaimUnused,
    /// A configured scope contains a space, which separates scopes.
    InvalidScope,
    /// A claim with the scopes is configured for a user pool, whose scopes are in `scope`.
    ScopeClaimOfUserPool,
    /// Clients that may be unbound are configured without resource servers.
    UnboundWithoutResources,
    /// An issuer template does not contain `{tid}` exactly once, or a tenant is not a UUID in lower case.
    InvalidTemplate,
    /// Any client is accepted of `https://cognito-identity.amazonaws.com`, or of the same issuer in another AWS partition. Everybody with an AWS
    /// account can get tokens of that issuer.
    AnyClientOfIdentityPool,
    /// A pool with an identity pool does not have exactly one client, its ID: `<region>:<UUID>`, with a region of the partition `aws`. Or
    /// `token_use` is checked, which its tokens do not have.
    InvalidIdentityPool,
    /// A pool with load balancers is not complete and consistent: the list of ARNs is empty; an ARN is not that of an Application Load Balancer, or
    /// its region has no known key URL; `token_use` is checked; another algorithm than ES256 or a claim that names the client is configured; or
    /// no key can be fetched, because `unknown_key_fetches` is 0.
    InvalidLoadBalancer,
    /// A claim rule is not complete and consistent, or exceeds a limit: see [`ClaimRule`](crate::ClaimRule).
    InvalidClaimRule,
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
                "a list of groups, scopes or resource servers is empty or contains an empty string, or a list of claim rules is empty"
            }
            ConfigError::ResourceOfIdTokens => {
                "resource servers are configured, but only ID tokens are accepted, which have none"
            }
            ConfigError::AlgorithmNotBuilt => "this build does not support an algorithm",
            ConfigError::InvalidType => {
                "a type of token has a protocol of its own, so that it is never an access token or an ID token, or is application/ alone"
            }
            ConfigError::ClientClaimMissing => {
                "clients and resource servers are configured, token_use is not checked, and no claim names the client"
            }
            ConfigError::ClientClaimUnused => {
                "a claim that names the client is configured, but token_use is checked and decides which it is"
            }
            ConfigError::InvalidScope => "a scope contains a space, which separates scopes",
            ConfigError::ScopeClaimOfUserPool => "a user pool has its scopes in the claim scope",
            ConfigError::UnboundWithoutResources => "unbound clients are configured without resource servers",
            ConfigError::InvalidTemplate => {
                "an issuer template must contain {tid} exactly once, and tenants are UUIDs in lower case"
            }
            ConfigError::AnyClientOfIdentityPool => {
                "everybody with an AWS account can get tokens of an identity pool, so any client can't be accepted"
            }
            ConfigError::InvalidIdentityPool => {
                "an identity pool needs its ID, <region>:<UUID>, as the only client, and its tokens have no token_use"
            }
            ConfigError::InvalidLoadBalancer => {
                "load balancers need ARNs of Application Load Balancers in a known region, and their tokens have no token_use"
            }
            ConfigError::InvalidClaimRule => "a claim rule is incomplete, inconsistent or too large",
            ConfigError::OtherIssuers => "the changed policy is for other issuers",
            ConfigError::OutOfRange => "a leeway, a limit or a number of the key policy is out of its range",
        })
    }
}

impl core::error::Error for ConfigError {}
