//! Where keys come from, and how long they are used.

use serde::Deserialize;

/// The source of a pool's keys: a JWKS endpoint, a key set in the configuration, or both. With both, the configured key set is used until the
/// first fetch succeeds. The JWKS endpoint is at `url`, or where the issuer's discovery document says.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// A JWK Set (RFC 7517 section 5). Without `cluster`, `url` and `discover`, it does not expire while it is configured.
    pub jwks: Option<serde_json::Map<String, serde_json::Value>>,
    /// The proxy's name for the server of the JWKS endpoint. In Envoy it is a cluster, which must exist and should use TLS; it is required there if
    /// keys are fetched. Other integrations send their requests to the URL itself, and ignore the name.
    pub cluster: Option<String>,
    /// The URL of the JWKS endpoint. The default is `ISSUER/.well-known/jwks.json`.
    pub url: Option<String>,
    /// Reads the URL of the JWKS endpoint from the issuer's discovery document (OpenID Connect Discovery 1.0 section 4), instead of `cluster`
    /// and `url`. For `issuer`, `issuers` and `issuer_template`. Not supported in Envoy. See docs/discovery.md.
    #[serde(default)]
    pub discover: bool,
    /// With `discover`: the URL of the document. The default is `ISSUER/.well-known/openid-configuration`. Required with `issuer_template`.
    pub discovery_url: Option<String>,
    /// With `discover`: the hosts on which `jwks_uri` of the document may be, beside the host of the issuer. Names or addresses, without scheme,
    /// port and path.
    #[serde(default)]
    pub key_hosts: Vec<String>,
    /// The maximum duration of a request, in milliseconds, from 1 to 60,000. The default is 5,000. With `discover`, a fetch of the keys makes up
    /// to four requests.
    #[serde(default = "Keys::timeout_ms")]
    pub timeout_ms: u32,
}

/// The maximum number of requests of one key fetch with discovery: to the last two key URLs, for the document, and to the key URL that it names.
const DISCOVERY_REQUESTS: u32 = 4;

impl Default for Keys {
    /// The keys are fetched from the URL that is derived from the issuer.
    fn default() -> Self {
        Self {
            jwks: None,
            cluster: None,
            url: None,
            discover: false,
            discovery_url: None,
            key_hosts: Vec::new(),
            timeout_ms: Self::timeout_ms(),
        }
    }
}

impl Keys {
    fn timeout_ms() -> u32 {
        5_000
    }

    /// Returns whether keys are fetched: if there is no configured key set, or a place to fetch them from beside it.
    pub(crate) fn are_fetched(&self) -> bool {
        self.jwks.is_none() || self.cluster.is_some() || self.url.is_some() || self.discover
    }

    /// Returns the maximum duration of a key fetch with all of its requests, in milliseconds.
    pub(super) fn longest_fetch_ms(&self) -> u32 {
        let requests = if self.discover { DISCOVERY_REQUESTS } else { 1 };
        self.timeout_ms.saturating_mul(requests)
    }
}

/// How long keys are used, and when they are fetched again. Times are in seconds. See docs/keys.md.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct KeyPolicy {
    /// The age at which a key set is refreshed in the background, if its response had no `Cache-Control: max-age`.
    pub soft_ttl: u32,
    /// The minimum of this age. A shorter `max-age` counts as this.
    pub soft_ttl_min: u32,
    /// The maximum of this age. A longer `max-age` counts as this.
    pub soft_ttl_max: u32,
    /// The age at which a key set expires. Tokens are not verified with older keys; they get 503 until a fetch succeeds.
    pub hard_ttl: u32,
    /// The delay after the first failed fetch. It doubles with each further failure.
    pub retry_min: u32,
    /// The maximum of this delay.
    pub retry_max: u32,
    /// The maximum number of fetches for unknown key IDs in a burst, per JWKS endpoint and worker (token bucket). At most 1,000.
    pub unknown_key_fetches: u32,
    /// The time after which the token bucket allows one more such fetch.
    pub unknown_key_interval: u32,
    /// How long a key ID is cached as unknown after a fetch did not return it.
    pub unknown_key_ttl: u32,
    /// The maximum number of key IDs that are cached as unknown, at most 65,536.
    pub unknown_key_entries: u32,
}

impl Default for KeyPolicy {
    fn default() -> Self {
        let core = poolgate_core::KeyPolicy::default();
        Self {
            soft_ttl: core.soft_ttl,
            soft_ttl_min: core.soft_ttl_min,
            soft_ttl_max: core.soft_ttl_max,
            hard_ttl: core.hard_ttl,
            retry_min: core.retry_min,
            retry_max: core.retry_max,
            unknown_key_fetches: core.unknown_key_fetches,
            unknown_key_interval: core.unknown_key_interval,
            unknown_key_ttl: core.unknown_key_ttl,
            unknown_key_entries: core.unknown_key_entries,
        }
    }
}
