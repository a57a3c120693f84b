//! Parses and checks one JSON Web Key (RFC 7517 section 4).

use crate::{
    base64url,
    header::KEY_ID_LIMIT,
    json::{Object, Value},
    jwa::Algorithm,
    signature::{KeyError, PreparedKey, PublicNumbers},
};
use alloc::{boxed::Box, vec::Vec};

/// The private members (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1; RFC 8037 section 2).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The `kid`, and the key or the reason why it can't be used.
pub(super) struct Jwk {
    pub(super) key_id: Result<Box<str>, KeyError>,
    pub(super) key: Result<PreparedKey, KeyError>,
}

impl Jwk {
    pub(super) fn parse(value: &Value<'_>) -> Self {
        let error = if value.is_ambiguous() { KeyError::DuplicateMember } else { KeyError::Malformed };
        match value {
            Value::Object(object) if error == KeyError::Malformed => {
                Self { key_id: key_id(object), key: prepare(object) }
            }
            _ => Self { key_id: Err(error), key: Err(error) },
        }
    }
}

fn key_id(object: &Object<'_>) -> Result<Box<str>, KeyError> {
    match text(object, "kid")? {
        None | Some("") => Err(KeyError::NoKeyId),
        Some(name) if name.len() > KEY_ID_LIMIT => Err(KeyError::KeyIdTooLong),
        Some(name) => Ok(name.into()),
    }
}

fn prepare(object: &Object<'_>) -> Result<PreparedKey, KeyError> {
    let key_type = text(object, "kty")?.ok_or(KeyError::NoKeyType)?;
    if key_type == "oct" {
        return Err(KeyError::Symmetric);
    }
    if PRIVATE_MEMBERS.iter().any(|name| object.has(name)) {
        return Err(KeyError::PrivateMember);
    }
    check_purpose(object)?;
    let algorithm = match text(object, "alg")? {
        None => None,
        Some(name) => Some(Algorithm::from_name(name).ok_or(KeyError::AlgorithmMismatch)?),
    };
    match key_type {
        "RSA" => {
            let (modulus, exponent) = (unsigned(object, "n")?, unsigned(object, "e")?);
            PreparedKey::new(PublicNumbers::Rsa { modulus: &modulus, exponent: &exponent }, algorithm)
        }
        "EC" => {
            let (curve, x, y) = (curve(object)?, octets(object, "x")?, octets(object, "y")?);
            PreparedKey::new(PublicNumbers::Ec { curve, x: &x, y: &y }, algorithm)
        }
        "OKP" => {
            let (curve, x) = (curve(object)?, octets(object, "x")?);
            PreparedKey::new(PublicNumbers::Okp { curve, x: &x }, algorithm)
        }
        _ => Err(KeyError::UnsupportedKeyType),
    }
}

/// Checks `use` and `key_ops` (RFC 7517 sections 4.2 and 4.3).
fn check_purpose(object: &Object<'_>) -> Result<(), KeyError> {
    if text(object, "use")?.is_some_and(|purpose| purpose != "sig") {
        return Err(KeyError::NotForSignatures);
    }
    match object.get("key_ops") {
        None => Ok(()),
        Some(Value::Array(operations)) if operations.iter().any(|value| value.as_str() == Some("verify")) => Ok(()),
        Some(Value::Array(_)) => Err(KeyError::NotForSignatures),
        Some(_) => Err(KeyError::Malformed),
    }
}

fn curve<'o>(object: &'o Object<'_>) -> Result<&'o str, KeyError> {
    text(object, "crv")?.ok_or(KeyError::MissingMember)
}

fn text<'o>(object: &'o Object<'_>, name: &str) -> Result<Option<&'o str>, KeyError> {
    object.get(name).map(|value| value.as_str().ok_or(KeyError::Malformed)).transpose()
}

fn octets(object: &Object<'_>, name: &str) -> Result<Vec<u8>, KeyError> {
    let encoded = text(object, name)?.ok_or(KeyError::MissingMember)?;
    base64url::decode(encoded).map_err(|_| KeyError::BadEncoding)
}

/// Decodes a Base64urlUInt: it "MUST utilize the minimum number of octets" (RFC 7518 section 2).
fn unsigned(object: &Object<'_>, name: &str) -> Result<Vec<u8>, KeyError> {
    let number = octets(object, name)?;
    if number.first().is_none_or(|byte| *byte == 0) { Err(KeyError::BadEncoding) } else { Ok(number) }
}
