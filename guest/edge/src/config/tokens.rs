//! Where a request carries its token.

use serde::Deserialize;

/// Where a request carries its token, and whether the application receives it.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// The locations. A request with a token in more than one of them is rejected (400). The default is `Authorization: Bearer`.
    #[serde(default = "Tokens::from")]
    pub from: Vec<TokenLocation>,
    /// Whether the token is forwarded to the application. The default is `true`.
    #[serde(default = "Tokens::forward")]
    pub forward: bool,
}

impl Tokens {
    fn from() -> Vec<TokenLocation> {
        let (header, prefix) = (Some("authorization".to_owned()), Some("Bearer ".to_owned()));
        vec![TokenLocation { header, prefix, cookie: None, query: None }]
    }

    fn forward() -> bool {
        true
    }
}

impl Default for Tokens {
    fn default() -> Self {
        Self { from: Self::from(), forward: Self::forward() }
    }
}

/// A location of a token. Set exactly one of `header`, `cookie` and `query`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TokenLocation {
    /// The name of a header, in lower case.
    pub header: Option<String>,
    /// The text before the token in the header. A header that does not begin with it contains no token. In `authorization`, upper and lower
    /// case are the same.
    pub prefix: Option<String>,
    /// The name of a cookie.
    pub cookie: Option<String>,
    /// The name of a query parameter. URLs are often logged; RFC 6750 section 2.3 advises against this location.
    pub query: Option<String>,
}
