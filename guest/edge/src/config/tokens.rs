//! Where a request carries its token.

use super::not_null::not_null;
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
        vec![TokenLocation { header, prefix, ..TokenLocation::default() }]
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

/// A location of a token. Set exactly one of `header`, `cookie`, `cookie_pattern` and `query`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TokenLocation {
    /// The name of a header, in lower case.
    pub header: Option<String>,
    /// The text before the token in the header. A header that does not begin with it contains no token. In `authorization`, upper and lower
    /// case are the same.
    pub prefix: Option<String>,
    /// Also takes the whole header as the token, if it does not begin with the prefix and is one word. Credentials of another scheme, such as
    /// `Basic YTpi`, are several words, and no token.
    #[serde(default)]
    pub prefix_optional: bool,
    /// The header is a list (RFC 9110 section 5.6.1), and the token is the element that begins with this text. Upper and lower case are the same.
    /// If tokens are not forwarded, this element alone is removed.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub element_prefix: Option<String>,
    /// The name of a cookie.
    pub cookie: Option<String>,
    /// The names of cookies: a text with one `*`, which stands for one or more characters. For AWS Amplify:
    /// `CognitoIdentityServiceProvider.CLIENT_ID.*.accessToken`.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub cookie_pattern: Option<String>,
    /// The name of a query parameter. URLs are often logged; RFC 6750 section 2.3 advises against this location.
    pub query: Option<String>,
}
