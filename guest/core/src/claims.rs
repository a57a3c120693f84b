//! The third room: the payload's grammar and the types of the claims (RFC 7519 section 4, Cognito's token reference).
//!
//! Nothing here is trusted yet: [`Claims`] serve to refuse early and to choose the key. Only
//! [`Verified`](crate::Verified), which the verifier alone can build, says that a signature stands behind them.

use crate::{
    Hint, Reason,
    json::{self, Duplicates, Object, Value},
};
use alloc::{borrow::ToOwned, string::String, vec, vec::Vec};
use core::fmt;

/// The kind of a Cognito token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenUse {
    /// `"access"`
    Access,
    /// `"id"`
    Id,
}

/// What `token_use` says, which need not be a kind that there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatedUse {
    Known(TokenUse),
    Other,
}

impl StatedUse {
    fn from_name(name: &str) -> Self {
        match name {
            "access" => Self::Known(TokenUse::Access),
            "id" => Self::Known(TokenUse::Id),
            _ => Self::Other,
        }
    }
}

/// Claims of the right types, not verified.
pub struct Claims {
    pub(crate) issuer: Option<String>,
    pub(crate) subject: Option<String>,
    /// `username` of an access token, `cognito:username` of an ID token; nothing of a token that says to be neither.
    pub(crate) username: Option<String>,
    pub(crate) token_use: Option<StatedUse>,
    pub(crate) audience: Option<Vec<String>>,
    pub(crate) client_id: Option<String>,
    pub(crate) groups: Vec<String>,
    /// Of an ID token none.
    pub(crate) scopes: Vec<String>,
    /// `cnf` is there: only the holder of a key may use the token (RFC 7800).
    pub(crate) is_sender_constrained: bool,
    pub(crate) expires_at: NumericDate,
    pub(crate) not_before: Option<NumericDate>,
    pub(crate) issued_at: Option<NumericDate>,
    pub(crate) auth_time: Option<NumericDate>,
    pub(crate) jti: Option<String>,
    pub(crate) origin_jti: Option<String>,
}

impl Claims {
    /// Reads a decoded payload.
    ///
    /// # Errors
    /// The `Payload…` reasons for its grammar, [`Reason::ExpiryMissing`], and for each claim of a wrong type its own.
    pub fn parse(payload: &str, depth: u32) -> Result<Self, Reason> {
        Self::read(payload, depth).map_err(|fault| fault.reason)
    }

    /// The same; the fault says which claim it is.
    pub(crate) fn read(payload: &str, depth: u32) -> Result<Self, ClaimError> {
        let object = json::parse_object_text(payload, depth, Duplicates::Refuse).map_err(|fault| match fault {
            json::ParseError::Malformed => Reason::PayloadMalformed,
            json::ParseError::DuplicateMember => Reason::PayloadDuplicateMember,
            json::ParseError::TooDeep => Reason::PayloadTooDeep,
            json::ParseError::TrailingBytes => Reason::PayloadTrailingBytes,
        })?;
        let read = Read::from(&object);
        let issuer = string(read.iss, Reason::IssuerInvalid)?;
        let expires_at = match read.exp.map(NumericDate::parse) {
            None => return Err(Reason::ExpiryMissing.into()),
            Some(Err(DateFault::NotANumber)) => return Err(Reason::ExpiryInvalid.into()),
            Some(Err(DateFault::OutOfRange)) => return Err(Reason::ExpiryOutOfRange.into()),
            Some(Ok(date)) => date,
        };
        let jti = string(read.jti, Hint::JtiInvalid)?;
        let origin_jti = string(read.origin_jti, Hint::OriginJtiInvalid)?;
        let access_username = text(read.username, Hint::UsernameInvalid)?;
        let id_username = text(read.cognito_username, Hint::CognitoUsernameInvalid)?;
        let not_before = date(read.nbf, Reason::NotBeforeInvalid)?;
        let issued_at = date(read.iat, Reason::IssuedAtInvalid)?;
        let auth_time = date(read.auth_time, Hint::AuthTimeInvalid)?;
        let subject = string(read.sub, Hint::SubInvalid)?;
        let token_use = text(read.token_use, Reason::TokenUseInvalid)?.map(StatedUse::from_name);
        let audience = audience(read.aud)?;
        let client_id = string(read.client_id, Reason::ClientInvalid)?;
        let groups = strings(read.groups, Reason::GroupsInvalid)?;
        let scopes = scopes(read.scope)?;
        // A trigger may add any other claim to an ID token, also a user's own attribute under the name `username` or `scope` (Cognito
        // developer guide, "Pre token generation Lambda trigger"). Which names Cognito itself gives, the token's use says.
        let (username, scopes) = match token_use {
            Some(StatedUse::Known(TokenUse::Access)) => (access_username, scopes),
            Some(StatedUse::Known(TokenUse::Id)) => (id_username, Vec::new()),
            Some(StatedUse::Other) | None => (None, scopes),
        };
        Ok(Self {
            issuer,
            subject,
            username: username.map(str::to_owned),
            token_use,
            audience,
            client_id,
            groups,
            scopes,
            // What it says is looked at by nobody: whatever it is, no proof of a key comes with the token. Null is no member.
            is_sender_constrained: !matches!(read.cnf, None | Some(Value::Null)),
            expires_at,
            not_before,
            issued_at,
            auth_time,
            jti,
            origin_jti,
        })
    }
}

impl fmt::Debug for Claims {
    /// Leaves out what names a person or a token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Claims")
            .field("issuer", &self.issuer)
            .field("token_use", &self.token_use)
            .field("client_id", &self.client_id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// What is wrong with a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClaimError {
    pub(crate) reason: Reason,
    pub(crate) hint: Option<Hint>,
}

impl From<Reason> for ClaimError {
    fn from(reason: Reason) -> Self {
        Self { reason, hint: None }
    }
}

impl From<Hint> for ClaimError {
    /// A claim that has no reason of its own.
    fn from(hint: Hint) -> Self {
        Self { reason: Reason::ClaimInvalid, hint: Some(hint) }
    }
}

/// The claims that are looked at, found in one walk over the payload's members.
#[derive(Default)]
struct Read<'o> {
    iss: Option<&'o Value<'o>>,
    sub: Option<&'o Value<'o>>,
    aud: Option<&'o Value<'o>>,
    exp: Option<&'o Value<'o>>,
    nbf: Option<&'o Value<'o>>,
    iat: Option<&'o Value<'o>>,
    jti: Option<&'o Value<'o>>,
    origin_jti: Option<&'o Value<'o>>,
    username: Option<&'o Value<'o>>,
    cognito_username: Option<&'o Value<'o>>,
    token_use: Option<&'o Value<'o>>,
    client_id: Option<&'o Value<'o>>,
    auth_time: Option<&'o Value<'o>>,
    groups: Option<&'o Value<'o>>,
    scope: Option<&'o Value<'o>>,
    cnf: Option<&'o Value<'o>>,
}

impl<'o> Read<'o> {
    fn from(object: &'o Object<'o>) -> Self {
        let mut read = Self::default();
        for (name, value) in object.iter() {
            let place = match name {
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
            *place = Some(value);
        }
        read
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

fn text<'o>(value: Option<&'o Value<'_>>, wrong: impl Into<ClaimError>) -> Result<Option<&'o str>, ClaimError> {
    match value.map(Value::as_str) {
        None => Ok(None),
        Some(None) => Err(wrong.into()),
        Some(text) => Ok(text),
    }
}

fn string(value: Option<&Value<'_>>, wrong: impl Into<ClaimError>) -> Result<Option<String>, ClaimError> {
    Ok(text(value, wrong)?.map(str::to_owned))
}

fn date(value: Option<&Value<'_>>, wrong: impl Into<ClaimError>) -> Result<Option<NumericDate>, ClaimError> {
    value.map(NumericDate::parse).transpose().map_err(|_| wrong.into())
}

fn strings(value: Option<&Value<'_>>, wrong: Reason) -> Result<Vec<String>, Reason> {
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

/// A single string or an array of them (RFC 7519 section 4.1.3).
fn audience(value: Option<&Value<'_>>) -> Result<Option<Vec<String>>, Reason> {
    match value {
        None => Ok(None),
        Some(Value::String(one)) => Ok(Some(vec![one.as_ref().to_owned()])),
        Some(_) => strings(value, Reason::AudienceInvalid).map(Some),
    }
}

/// Names separated by single spaces (RFC 6749 section 3.3, RFC 8693 section 4.2).
fn scopes(value: Option<&Value<'_>>) -> Result<Vec<String>, ClaimError> {
    let names = text(value, Reason::ScopeInvalid)?.unwrap_or_default();
    Ok(names.split(' ').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_names_nobody() {
        let payload = r#"{"iss":"me","exp":9,"token_use":"id","sub":"SECRET","cognito:username":"SECRET","jti":"SECRET",
            "origin_jti":"SECRET","aud":"SECRET","cognito:groups":["SECRET"]}"#;
        let claims = Claims::parse(payload, 4).unwrap();
        assert_eq!((claims.subject.as_deref(), claims.username.as_deref()), (Some("SECRET"), Some("SECRET")));
        let debug = alloc::format!("{claims:?}");
        assert!(!debug.contains("SECRET") && debug.contains("me"), "{debug}");
    }

    #[test]
    fn the_use_of_a_token_says_which_claim_is_the_users_name_and_whether_it_has_scopes() {
        let others = r#""exp":9,"username":"one","cognito:username":"other","scope":"a b""#;
        for (token_use, username, scopes) in [
            (r#""token_use":"access","#, Some("one"), 2),
            (r#""token_use":"id","#, Some("other"), 0),
            (r#""token_use":"refresh","#, None, 2),
            ("", None, 2),
        ] {
            let claims = Claims::parse(&alloc::format!("{{{token_use}{others}}}"), 4).unwrap();
            assert_eq!((claims.username.as_deref(), claims.scopes.len()), (username, scopes), "{token_use}");
        }
        // An attribute that its owner writes, copied into the ID token by a trigger.
        let claims = Claims::parse(r#"{"exp":9,"token_use":"id","username":"root"}"#, 4).unwrap();
        assert_eq!(claims.username, None);
    }

    #[test]
    fn a_claim_of_a_wrong_type_is_named() {
        for (claim, hint) in [
            ("sub", Hint::SubInvalid),
            ("username", Hint::UsernameInvalid),
            ("cognito:username", Hint::CognitoUsernameInvalid),
            ("auth_time", Hint::AuthTimeInvalid),
            ("jti", Hint::JtiInvalid),
            ("origin_jti", Hint::OriginJtiInvalid),
        ] {
            let fault = Claims::read(&alloc::format!(r#"{{"exp":9,"{claim}":[]}}"#), 4).unwrap_err();
            assert_eq!(fault, ClaimError { reason: Reason::ClaimInvalid, hint: Some(hint) }, "{claim}");
        }
    }

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
