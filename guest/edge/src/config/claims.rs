//! Claims that are forwarded.

use serde::Deserialize;

/// A claim that is forwarded to the application as a header.
///
/// A string is copied, with `%` and every byte outside printable ASCII percent-encoded (RFC 3986 section 2.1). An array of strings is
/// joined with commas; a comma inside an element is percent-encoded. Any other value is written as JSON, encoded like a string.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ClaimToHeader {
    /// The name of the claim, such as `sub` or `cognito:groups`.
    pub claim: String,
    /// The names of nested members, outermost first, if the value is inside the claim.
    #[serde(default)]
    pub path: Vec<String>,
    /// The name of the header, in lower case.
    pub header: String,
}

/// The name under which the Envoy filter writes the reason of a rejection into the filter state.
pub const REASON_IN_FILTER_STATE: &str = "poolgate_reason";

/// A claim that is passed to later filters. The value is written as in a header.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ClaimToFilterState {
    /// The name of the claim.
    pub claim: String,
    /// The names of nested members, outermost first, if the value is inside the claim.
    #[serde(default)]
    pub path: Vec<String>,
    /// The name in the filter state. Not `poolgate_reason`.
    pub name: String,
}
