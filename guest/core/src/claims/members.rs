//! Finds the claims in a payload, and reads their types.

use super::{claim_error::ClaimError, numeric_date::NumericDate};
use crate::{
    json::{Object, Value},
    reason::Reason,
};
use alloc::{borrow::ToOwned, string::String, vec, vec::Vec};

/// The names of the claims that depend on the issuer.
#[derive(Clone, Debug)]
pub(crate) struct ClaimNames {
    /// The claim that names the client.
    pub(crate) client: &'static str,
    pub(crate) scopes: ScopeClaim,
}

/// The claim with the scopes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ScopeClaim {
    /// `scope`, as one text: the tokens of user pools.
    Scope,
    /// `scope`, or `scp` if there is no `scope`; as one text or as an array.
    ScopeOrScp,
    /// This claim, as one text or as an array.
    Named(String),
}

impl ClaimNames {
    /// The names in tokens of user pools.
    pub(crate) const OF_USER_POOL: Self = Self { client: "client_id", scopes: ScopeClaim::Scope };
}

/// The claims that are used, found in one pass over the members of the payload.
#[derive(Default)]
pub(crate) struct Read<'o> {
    pub(super) iss: Option<&'o Value<'o>>,
    pub(super) tid: Option<&'o Value<'o>>,
    pub(super) azp: Option<&'o Value<'o>>,
    pub(super) scp: Option<&'o Value<'o>>,
    pub(super) sub: Option<&'o Value<'o>>,
    pub(super) aud: Option<&'o Value<'o>>,
    pub(super) exp: Option<&'o Value<'o>>,
    pub(super) nbf: Option<&'o Value<'o>>,
    pub(super) iat: Option<&'o Value<'o>>,
    pub(super) jti: Option<&'o Value<'o>>,
    pub(super) origin_jti: Option<&'o Value<'o>>,
    pub(super) username: Option<&'o Value<'o>>,
    pub(super) cognito_username: Option<&'o Value<'o>>,
    pub(super) token_use: Option<&'o Value<'o>>,
    pub(super) client_id: Option<&'o Value<'o>>,
    pub(super) auth_time: Option<&'o Value<'o>>,
    pub(super) groups: Option<&'o Value<'o>>,
    pub(super) scope: Option<&'o Value<'o>>,
    pub(super) cnf: Option<&'o Value<'o>>,
}

impl<'o> Read<'o> {
    /// Finds the claims. A claim that is `null` is absent: Cognito itself writes such claims, and no one but the issuer can.
    pub(crate) fn from(object: &'o Object<'o>) -> Self {
        let mut read = Self::default();
        for (name, value) in object.iter().filter(|(_, value)| !matches!(value, Value::Null)) {
            let claim = match name {
                "iss" => &mut read.iss,
                "tid" => &mut read.tid,
                "azp" => &mut read.azp,
                "scp" => &mut read.scp,
                "sub" => &mut read.sub,
                "aud" => &mut read.aud,
                "exp" => &mut read.exp,
                "nbf" => &mut read.nbf,
                "iat" => &mut read.iat,
                "jti" => &mut read.jti,
                "origin_jti" => &mut read.origin_jti,
                "username" => &mut read.username,
                "cognito:username" => &mut read.cognito_username,
                "token_use" => &mut read.token_use,
                "client_id" => &mut read.client_id,
                "auth_time" => &mut read.auth_time,
                "cognito:groups" => &mut read.groups,
                "scope" => &mut read.scope,
                "cnf" => &mut read.cnf,
                _ => continue,
            };
            *claim = Some(value);
        }
        read
    }

    /// Returns `iss`, before anything else of the token is known.
    pub(crate) fn issuer(&self) -> Result<Option<&'o str>, Reason> {
        self.iss.map(|value| value.as_str().ok_or(Reason::IssuerInvalid)).transpose()
    }

    /// Returns `tid`, the tenant of Microsoft Entra ID.
    pub(crate) fn tenant(&self) -> Option<&'o str> {
        self.tid.and_then(Value::as_str)
    }
}

pub(super) fn text<'o>(
    value: Option<&'o Value<'_>>,
    wrong: impl Into<ClaimError>,
) -> Result<Option<&'o str>, ClaimError> {
    match value.map(Value::as_str) {
        None => Ok(None),
        Some(None) => Err(wrong.into()),
        Some(text) => Ok(text),
    }
}

pub(super) fn string(value: Option<&Value<'_>>, wrong: impl Into<ClaimError>) -> Result<Option<String>, ClaimError> {
    Ok(text(value, wrong)?.map(str::to_owned))
}

pub(super) fn date(value: Option<&Value<'_>>, wrong: impl Into<ClaimError>) -> Result<Option<NumericDate>, ClaimError> {
    value.map(NumericDate::parse).transpose().map_err(|_| wrong.into())
}

pub(super) fn strings(value: Option<&Value<'_>>, wrong: Reason) -> Result<Vec<String>, Reason> {
    match value {
        None => Ok(Vec::new()),
        Some(Value::Array(values)) => {
            let mut strings = Vec::with_capacity(values.len());
            for value in values {
                strings.push(value.as_str().ok_or(wrong)?.to_owned());
            }
            Ok(strings)
        }
        Some(_) => Err(wrong),
    }
}

/// Reads `aud`: a string or an array of strings (RFC 7519 section 4.1.3).
pub(super) fn audience(value: Option<&Value<'_>>) -> Result<Option<Vec<String>>, Reason> {
    match value {
        None => Ok(None),
        Some(Value::String(one)) => Ok(Some(vec![one.as_ref().to_owned()])),
        Some(_) => strings(value, Reason::AudienceInvalid).map(Some),
    }
}

/// Reads scopes: names separated by spaces (RFC 6749 section 3.3, RFC 8693 section 4.2). Some issuers write an array, in which each element is
/// one scope: an element with a space is not two.
pub(super) fn scopes(read: &Read<'_>, object: &Object<'_>, claim: &ScopeClaim) -> Result<Vec<String>, Reason> {
    let value = match claim {
        ScopeClaim::Scope => read.scope,
        ScopeClaim::ScopeOrScp => read.scope.or(read.scp),
        ScopeClaim::Named(name) => object.get(name).filter(|value| !matches!(value, Value::Null)),
    };
    match value {
        Some(Value::String(names)) => Ok(names.split(' ').filter(|name| !name.is_empty()).map(str::to_owned).collect()),
        Some(Value::Array(_)) if *claim == ScopeClaim::Scope => Err(Reason::ScopeInvalid),
        value => strings(value, Reason::ScopeInvalid),
    }
}
