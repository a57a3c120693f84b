//! Parses the JOSE header (RFC 7515 section 4). It is not verified, and serves only to choose a key or to reject the token.

use crate::{
    json::{Duplicates, Object, ParseError, Value, parse_object},
    jwa::Algorithm,
    reason::Reason,
};
use alloc::{borrow::ToOwned, boxed::Box, string::String};

/// The maximum length of a `kid`, in bytes.
pub const KEY_ID_LIMIT: usize = 256;

/// Header members that contain a key or refer to one (RFC 7515 sections 4.1.2, 4.1.3, 4.1.5, 4.1.6). No token needs them.
const EMBEDDED_KEYS: [&str; 4] = ["jwk", "jku", "x5u", "x5c"];

/// Registered members that must be strings but are not used (RFC 7515 sections 4.1.7, 4.1.8 and 4.1.10).
const TEXTS: [&str; 3] = ["x5t", "x5t#S256", "cty"];

/// The type of a token (`typ`, RFC 7515 section 4.1.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenType {
    /// There is no `typ`.
    Absent,
    /// In lower case, because it is a media type, and without `application/`, which may be omitted.
    Named(Box<str>),
    /// It is not a string, or is empty.
    Invalid,
}

/// A header that contains nothing for which the token must be rejected.
#[derive(Debug)]
pub struct Header {
    /// `alg`.
    pub algorithm: Algorithm,
    /// `kid`, from 1 to [`KEY_ID_LIMIT`] bytes.
    pub key_id: Option<Box<str>>,
    /// `typ`.
    pub token_type: TokenType,
}

impl Header {
    /// Parses a decoded header, with JSON nested at most `depth` levels deep.
    ///
    /// # Errors
    /// The reasons from [`Reason::HeaderMalformed`] to [`Reason::KeyIdTooLong`], except [`Reason::TypeNotAllowed`] and
    /// [`Reason::KeyIdMissing`]. The caller checks `typ` and `kid`, because a JWS that is not a token may lack both.
    pub fn parse(bytes: &[u8], depth: u32) -> Result<Self, Reason> {
        Self::read(&parse_header(bytes, depth)?)
    }

    /// Reads a parsed header.
    pub(crate) fn read(object: &Object<'_>) -> Result<Self, Reason> {
        let algorithm = algorithm(object.get("alg"))?;
        if object.has("crit") {
            return Err(Reason::CriticalHeader);
        }
        if object.has("b64") {
            return Err(Reason::UnencodedPayload);
        }
        if EMBEDDED_KEYS.iter().any(|name| object.has(name)) {
            return Err(Reason::EmbeddedKey);
        }
        if TEXTS.iter().any(|name| object.get(name).is_some_and(|value| value.as_str().is_none())) {
            return Err(Reason::HeaderMalformed);
        }
        Ok(Self {
            algorithm,
            key_id: object.get("kid").map(key_id).transpose()?,
            token_type: object.get("typ").map_or(TokenType::Absent, TokenType::of),
        })
    }
}

/// Parses a decoded header as JSON.
pub(crate) fn parse_header(bytes: &[u8], depth: u32) -> Result<Object<'_>, Reason> {
    parse_object(bytes, depth, Duplicates::Reject).map_err(|error| match error {
        ParseError::Malformed => Reason::HeaderMalformed,
        ParseError::DuplicateMember => Reason::HeaderDuplicateMember,
        ParseError::TooDeep => Reason::HeaderTooDeep,
        ParseError::TrailingBytes => Reason::HeaderTrailingBytes,
    })
}

fn algorithm(value: Option<&Value<'_>>) -> Result<Algorithm, Reason> {
    let name = value.and_then(Value::as_str).ok_or(Reason::AlgorithmMissing)?;
    Algorithm::from_name(name).ok_or_else(|| {
        if name.eq_ignore_ascii_case("none") {
            Reason::AlgorithmNone
        } else if name.get(..2).is_some_and(|family| family.eq_ignore_ascii_case("hs")) {
            Reason::AlgorithmSymmetric
        } else {
            Reason::AlgorithmNotAllowed
        }
    })
}

fn key_id(value: &Value<'_>) -> Result<Box<str>, Reason> {
    match value {
        Value::String(text) if text.is_empty() => Err(Reason::KeyIdInvalid),
        Value::String(text) if text.len() > KEY_ID_LIMIT => Err(Reason::KeyIdTooLong),
        Value::String(text) => Ok(text.as_ref().into()),
        _ => Err(Reason::KeyIdInvalid),
    }
}

impl TokenType {
    fn of(value: &Value<'_>) -> Self {
        match value.as_str().map(media_type) {
            // `application/` alone is no media type. Without a name, it would be taken for a token without `typ`.
            Some(name) if !name.is_empty() => Self::Named(name.into()),
            _ => Self::Invalid,
        }
    }
}

/// Returns a media type in lower case and without `application/` (RFC 7515 section 4.1.9).
pub(crate) fn media_type(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    match lower.strip_prefix("application/") {
        Some(short) => short.to_owned(),
        None => lower,
    }
}
