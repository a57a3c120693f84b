//! Finds the claims in a payload, and reads their types.

use super::{claim_error::ClaimError, numeric_date::NumericDate};
use crate::{
    json::{Object, Value},
    reason::Reason,
};
use alloc::{borrow::ToOwned, string::String, vec, vec::Vec};

/// The claims that are used, found in one pass over the members of the payload.
#[derive(Default)]
pub(super) struct Read<'o> {
    pub(super) iss: Option<&'o Value<'o>>,
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
    pub(super) fn from(object: &'o Object<'o>) -> Self {
        let mut read = Self::default();
        for (name, value) in object.iter() {
            let claim = match name {
                "iss" => &mut read.iss,
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

/// Reads `scope`: names separated by spaces (RFC 6749 section 3.3, RFC 8693 section 4.2).
pub(super) fn scopes(value: Option<&Value<'_>>) -> Result<Vec<String>, ClaimError> {
    let names = text(value, Reason::ScopeInvalid)?.unwrap_or_default();
    Ok(names.split(' ').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}
