//! The claims of a payload.

use super::{
    claim_error::ClaimError,
    members::{ClaimNames, Read, audience, date, scopes, string, strings, text},
    numeric_date::{DateError, NumericDate},
    token_use::{TokenUse, TokenUseClaim},
};
use crate::{
    json::{Duplicates, Object, ParseError, Value, parse_object_text},
    reason::{Hint, Reason},
};
use alloc::{borrow::ToOwned, string::String, vec::Vec};
use core::fmt;

/// Claims with the right types. They are not verified.
pub struct Claims {
    pub(crate) issuer: Option<String>,
    pub(crate) subject: Option<String>,
    /// `username` of an access token, `cognito:username` of an ID token, and `None` for any other token.
    pub(crate) username: Option<String>,
    pub(crate) token_use: Option<TokenUseClaim>,
    pub(crate) audience: Option<Vec<String>>,
    /// The claim that names the client: `client_id`, unless the pool configures another one.
    pub(crate) client_id: Option<String>,
    /// `azp` of an ID token with several audiences. Otherwise it is not read.
    pub(crate) authorized_party: Option<String>,
    pub(crate) groups: Vec<String>,
    /// Empty for an ID token.
    pub(crate) scopes: Vec<String>,
    /// Whether `cnf` is present: only the holder of a key may use the token (RFC 7800).
    pub(crate) is_sender_constrained: bool,
    pub(crate) expires_at: NumericDate,
    pub(crate) not_before: Option<NumericDate>,
    pub(crate) issued_at: Option<NumericDate>,
    pub(crate) auth_time: Option<NumericDate>,
    pub(crate) jti: Option<String>,
    pub(crate) origin_jti: Option<String>,
}

impl Claims {
    /// Parses a decoded payload of a user pool's token, with JSON nested at most `depth` levels deep.
    ///
    /// # Errors
    /// One of the `Payload…` reasons for invalid JSON, [`Reason::ExpiryMissing`], and the reason for a claim with the wrong type.
    pub fn parse(payload: &str, depth: u32) -> Result<Self, Reason> {
        let object = parse_payload(payload, depth)?;
        Self::read(&Read::from(&object), &object, &ClaimNames::OF_USER_POOL).map_err(|error| error.reason)
    }

    /// Reads the claims of a parsed payload. The error also names the claim with the wrong type.
    pub(crate) fn read(read: &Read<'_>, object: &Object<'_>, names: &ClaimNames) -> Result<Self, ClaimError> {
        let issuer = string(read.iss, Reason::IssuerInvalid)?;
        let expires_at = match read.exp.map(NumericDate::parse) {
            None => return Err(Reason::ExpiryMissing.into()),
            Some(Err(DateError::NotANumber)) => return Err(Reason::ExpiryInvalid.into()),
            Some(Err(DateError::OutOfRange)) => return Err(Reason::ExpiryOutOfRange.into()),
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
        let token_use = text(read.token_use, Reason::TokenUseInvalid)?.map(TokenUseClaim::from_name);
        let audience = audience(read.aud)?;
        let client = match names.client {
            "client_id" => read.client_id,
            "azp" => read.azp,
            // The client is chosen among the entries of `aud`.
            "aud" => None,
            name => object.get(name).filter(|value| !matches!(value, Value::Null)),
        };
        let client_id = string(client, Reason::ClientInvalid)?;
        let groups = strings(read.groups, Reason::GroupsInvalid)?;
        let scopes = scopes(read, object, &names.scopes)?;
        let has_several_audiences = audience.as_ref().is_some_and(|audience| audience.len() > 1);
        let authorized_party = match token_use {
            Some(TokenUseClaim::Known(TokenUse::Id)) if has_several_audiences => {
                string(read.azp, Reason::ClientInvalid)?
            }
            _ => None,
        };
        // A Lambda trigger may add any other claim to an ID token, for example a user's attribute as `username` or `scope` (Cognito developer
        // guide, "Pre token generation Lambda trigger"). So only the claim that Cognito itself sets for this kind of token is used.
        let (username, scopes) = match token_use {
            Some(TokenUseClaim::Known(TokenUse::Access)) => (access_username, scopes),
            Some(TokenUseClaim::Known(TokenUse::Id)) => (id_username, Vec::new()),
            Some(TokenUseClaim::Other) | None => (None, scopes),
        };
        Ok(Self {
            issuer,
            subject,
            username: username.map(str::to_owned),
            token_use,
            audience,
            client_id,
            authorized_party,
            groups,
            scopes,
            // The contents of `cnf` don't matter, because no proof of possession is checked.
            is_sender_constrained: read.cnf.is_some(),
            expires_at,
            not_before,
            issued_at,
            auth_time,
            jti,
            origin_jti,
        })
    }
}

/// Parses a decoded payload as JSON.
pub(crate) fn parse_payload(payload: &str, depth: u32) -> Result<Object<'_>, Reason> {
    parse_object_text(payload, depth, Duplicates::Reject).map_err(|error| match error {
        ParseError::Malformed => Reason::PayloadMalformed,
        ParseError::DuplicateMember => Reason::PayloadDuplicateMember,
        ParseError::TooDeep => Reason::PayloadTooDeep,
        ParseError::TrailingBytes => Reason::PayloadTrailingBytes,
    })
}

impl fmt::Debug for Claims {
    /// Omits what identifies a person or a token.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_identifies_nobody() {
        let payload = r#"{"iss":"me","exp":9,"token_use":"id","sub":"SECRET","cognito:username":"SECRET","jti":"SECRET",
            "origin_jti":"SECRET","aud":"SECRET","cognito:groups":["SECRET"]}"#;
        let claims = Claims::parse(payload, 4).unwrap();
        assert_eq!((claims.subject.as_deref(), claims.username.as_deref()), (Some("SECRET"), Some("SECRET")));
        let debug = alloc::format!("{claims:?}");
        assert!(!debug.contains("SECRET") && debug.contains("me"), "{debug}");
    }

    #[test]
    fn token_use_decides_which_claim_is_the_username_and_whether_there_are_scopes() {
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
        // An attribute that the user can write, copied into the ID token by a trigger.
        let claims = Claims::parse(r#"{"exp":9,"token_use":"id","username":"root"}"#, 4).unwrap();
        assert_eq!(claims.username, None);
    }

    #[test]
    fn a_claim_with_the_wrong_type_is_named() {
        for (claim, hint) in [
            ("sub", Hint::SubInvalid),
            ("username", Hint::UsernameInvalid),
            ("cognito:username", Hint::CognitoUsernameInvalid),
            ("auth_time", Hint::AuthTimeInvalid),
            ("jti", Hint::JtiInvalid),
            ("origin_jti", Hint::OriginJtiInvalid),
        ] {
            let payload = alloc::format!(r#"{{"exp":9,"{claim}":[]}}"#);
            let object = parse_payload(&payload, 4).unwrap();
            let error = Claims::read(&Read::from(&object), &object, &ClaimNames::OF_USER_POOL).unwrap_err();
            assert_eq!(error, ClaimError { reason: Reason::ClaimInvalid, hint: Some(hint) }, "{claim}");
        }
    }
}
