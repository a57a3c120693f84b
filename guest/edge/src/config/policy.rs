//! Named requirements that routes refer to.

use super::{claim_rule::ClaimRule, not_null::not_null, pool::TokenUse};
use serde::Deserialize;

/// A requirement on tokens, in addition to the checks of their pool. A token must satisfy every member that is present; at least one must be.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The name by which routes refer to the policy. Choose any.
    pub name: String,
    /// The token must be from one of these pools.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub pools: Option<Vec<String>>,
    /// The token must be of this kind.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "TokenUse"))]
    pub token_use: Option<TokenUse>,
    /// The token must be from one of these app clients.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub client_ids: Option<Vec<String>>,
    /// The required groups (`cognito:groups`).
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Membership"))]
    pub groups: Option<Membership>,
    /// The required scopes (`scope`).
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Membership"))]
    pub scopes: Option<Membership>,
    /// Rules for any claims. The token must fit all of them; otherwise the request is denied (403).
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<ClaimRule>"))]
    pub claims: Option<Vec<ClaimRule>>,
}

/// The required groups or scopes of a token. Set `any_of`, `all_of` or both. A list must not be empty or contain an empty name.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Membership {
    /// The token must have at least one of these.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub any_of: Option<Vec<String>>,
    /// The token must have all of these.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub all_of: Option<Vec<String>>,
}
