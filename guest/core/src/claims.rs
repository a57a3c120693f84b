//! The third room: the payload's grammar and the types of the claims (RFC 7519 section 4, Cognito's token reference).
//!
//! Nothing here is trusted yet: [`Claims`] serve to refuse early and to choose the key. Only
//! [`Verified`](crate::Verified), which the verifier alone can build, says that a signature stands behind them.

use crate::{
    Reason,
    json::{self, Duplicates, Object, Value},
};
use alloc::{borrow::ToOwned, string::String, vec, vec::Vec};

/// The kind of a Cognito token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenUse {
    /// `"access"`
    Access,
    /// `"id"`
    Id,
}

/// Claims of the right types, not verified.
#[derive(Debug)]
pub struct Claims {
    pub(crate) issuer: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) token_use: Option<String>,
    pub(crate) audience: Option<Vec<String>>,
    pub(crate) client_id: Option<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) expires_at: NumericDate,
    pub(crate) not_before: Option<NumericDate>,
    pub(crate) issued_at: Option<NumericDate>,
    pub(crate) auth_time: Option<NumericDate>,
}

impl Claims {
    /// Reads a decoded payload.
    ///
    /// # Errors
    /// The `Payload…` reasons for its grammar, [`Reason::ExpiryMissing`], and for each claim of a wrong type its own.
    pub fn parse(bytes: &[u8], depth: u32) -> Result<Self, Reason> {
        let object = json::parse_object(bytes, depth, Duplicates::Refuse).map_err(|fault| match fault {
            json::Fault::Malformed => Reason::PayloadMalformed,
            json::Fault::DuplicateMember => Reason::PayloadDuplicateMember,
            json::Fault::TooDeep => Reason::PayloadTooDeep,
            json::Fault::TrailingBytes => Reason::PayloadTrailingBytes,
        })?;
        let date = |name, wrong| object.get(name).map(NumericDate::parse).transpose().map_err(|_| wrong);
        let issuer = string(&object, "iss", Reason::IssuerInvalid)?;
        let expires_at = match object.get("exp").map(NumericDate::parse) {
            None => return Err(Reason::ExpiryMissing),
            Some(Err(DateFault::NotANumber)) => return Err(Reason::ExpiryInvalid),
            Some(Err(DateFault::OutOfRange)) => return Err(Reason::ExpiryOutOfRange),
            Some(Ok(date)) => date,
        };
        // Read for their types alone: what a later reader of the payload will rely on.
        string(&object, "jti", Reason::ClaimInvalid)?;
        string(&object, "origin_jti", Reason::ClaimInvalid)?;
        let access_username = string(&object, "username", Reason::ClaimInvalid)?;
        let id_username = string(&object, "cognito:username", Reason::ClaimInvalid)?;
        Ok(Self {
            issuer,
            expires_at,
            not_before: date("nbf", Reason::NotBeforeInvalid)?,
            issued_at: date("iat", Reason::IssuedAtInvalid)?,
            auth_time: date("auth_time", Reason::ClaimInvalid)?,
            subject: string(&object, "sub", Reason::ClaimInvalid)?,
            username: access_username.or(id_username),
            token_use: string(&object, "token_use", Reason::TokenUseInvalid)?,
            audience: audience(&object)?,
            client_id: string(&object, "client_id", Reason::ClientInvalid)?,
            groups: strings(&object, "cognito:groups", Reason::GroupsInvalid)?,
            scopes: scopes(&object)?,
        })
    }
}

/// Seconds since the Unix epoch, perhaps with a fraction (RFC 7519 section 2, "NumericDate").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NumericDate {
    seconds: u64,
    has_fraction: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DateFault {
    NotANumber,
    OutOfRange,
}

impl NumericDate {
    /// 9999-12-31T23:59:59Z, the last second that RFC 3339 can write.
    const LAST: u64 = 253_402_300_799;

    fn parse(value: &Value<'_>) -> Result<Self, DateFault> {
        match *value {
            Value::Unsigned(seconds) if seconds <= Self::LAST => Ok(Self { seconds, has_fraction: false }),
            Value::Number(number) if (0.0..=Self::LAST as f64).contains(&number) => {
                let seconds = number as u64;
                Ok(Self { seconds, has_fraction: seconds as f64 != number })
            }
            Value::Unsigned(_) | Value::Number(_) => Err(DateFault::OutOfRange),
            _ => Err(DateFault::NotANumber),
        }
    }

    /// The last whole second that is not after it.
    pub(crate) fn floor(self) -> u64 {
        self.seconds
    }

    /// The first whole second that is not before it.
    pub(crate) fn ceil(self) -> u64 {
        self.seconds.saturating_add(u64::from(self.has_fraction))
    }
}

fn string(object: &Object<'_>, name: &str, wrong: Reason) -> Result<Option<String>, Reason> {
    object.get(name).map(|value| value.as_str().map(str::to_owned).ok_or(wrong)).transpose()
}

fn strings(object: &Object<'_>, name: &str, wrong: Reason) -> Result<Vec<String>, Reason> {
    match object.get(name) {
        None => Ok(Vec::new()),
        Some(Value::Array(values)) => {
            values.iter().map(|value| value.as_str().map(str::to_owned).ok_or(wrong)).collect()
        }
        Some(_) => Err(wrong),
    }
}

/// A single string or an array of them (RFC 7519 section 4.1.3).
fn audience(object: &Object<'_>) -> Result<Option<Vec<String>>, Reason> {
    match object.get("aud") {
        None => Ok(None),
        Some(Value::String(one)) => Ok(Some(vec![one.as_ref().to_owned()])),
        Some(_) => strings(object, "aud", Reason::AudienceInvalid).map(Some),
    }
}

/// Names separated by single spaces (RFC 6749 section 3.3, RFC 8693 section 4.2).
fn scopes(object: &Object<'_>) -> Result<Vec<String>, Reason> {
    let text = string(object, "scope", Reason::ScopeInvalid)?.unwrap_or_default();
    Ok(text.split(' ').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numeric_date_is_a_finite_number_of_this_side_of_the_year_10000() {
        for (value, expected) in [
            (Value::Unsigned(0), Ok((0, 0))),
            (Value::Number(1.5), Ok((1, 2))),
            (Value::Number(2.0), Ok((2, 2))),
            (Value::Unsigned(NumericDate::LAST), Ok((NumericDate::LAST, NumericDate::LAST))),
            (Value::Unsigned(NumericDate::LAST + 1), Err(DateFault::OutOfRange)),
            (Value::Number(1e300), Err(DateFault::OutOfRange)),
            (Value::Number(-1.0), Err(DateFault::OutOfRange)),
            (Value::Null, Err(DateFault::NotANumber)),
            (Value::Bool(true), Err(DateFault::NotANumber)),
            (Value::String("1700000000".into()), Err(DateFault::NotANumber)),
        ] {
            assert_eq!(NumericDate::parse(&value).map(|date| (date.floor(), date.ceil())), expected, "{value:?}");
        }
    }
}
