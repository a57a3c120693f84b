//! Parses the JOSE header (RFC 7515 section 4). It is not verified, and serves only to choose a key or to reject the token.

use crate::{
    json::{Duplicates, ParseError, Value, parse_object},
    jwa::Algorithm,
    reason::Reason,
};
use alloc::boxed::Box;

/// The maximum length of a `kid`, in bytes.
pub const KEY_ID_LIMIT: usize = 256;

/// Header members that contain a key or refer to one (RFC 7515 sections 4.1.2, 4.1.3, 4.1.5, 4.1.6). No token needs them.
const EMBEDDED_KEYS: [&str; 4] = ["jwk", "jku", "x5u", "x5c"];

/// Registered members that must be strings but are not used (RFC 7515 sections 4.1.7, 4.1.8 and 4.1.10).
const TEXTS: [&str; 3] = ["x5t", "x5t#S256", "cty"];

/// A header that contains nothing for which the token must be rejected.
#[derive(Debug)]
pub struct Header {
    /// `alg`.
    pub algorithm: Algorithm,
    /// `kid`, from 1 to [`KEY_ID_LIMIT`] bytes.
    pub key_id: Option<Box<str>>,
    /// Whether `typ` is absent or names a JWT or an access token (RFC 8725 section 3.11, RFC 9068 section 2.1).
    pub is_token_type: bool,
}

impl Header {
    /// Parses a decoded header, with JSON nested at most `depth` levels deep.
    ///
    /// # Errors
    /// The reasons from [`Reason::HeaderMalformed`] to [`Reason::KeyIdTooLong`], except [`Reason::TypeNotAllowed`] and
    /// [`Reason::KeyIdMissing`]. The caller checks `typ` and `kid`, because a JWS that is not a token may lack both.
    pub fn parse(bytes: &[u8], depth: u32) -> Result<Self, Reason> {
        let object = parse_object(bytes, depth, Duplicates::Reject).map_err(|error| match error {
            ParseError::Malformed => Reason::HeaderMalformed,
            ParseError::DuplicateMember => Reason::HeaderDuplicateMember,
            ParseError::TooDeep => Reason::HeaderTooDeep,
            ParseError::TrailingBytes => Reason::HeaderTrailingBytes,
        })?;
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
            is_token_type: object.get("typ").is_none_or(is_token_type),
        })
    }
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

/// Returns whether `typ` names a JWT or an access token. It is a media type, compared without case, and `application/` may be omitted (RFC
/// 7515 section 4.1.9).
fn is_token_type(value: &Value<'_>) -> bool {
    value.as_str().is_some_and(|name| {
        let short = match name.split_at_checked("application/".len()) {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application/") => rest,
            _ => name,
        };
        short.eq_ignore_ascii_case("JWT") || short.eq_ignore_ascii_case("at+jwt")
    })
}
