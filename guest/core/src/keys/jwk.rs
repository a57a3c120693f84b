//! Parses and checks one JSON Web Key (RFC 7517 section 4).
//!
//! A key set is published by the issuer, so its numbers are judged by their value, not by their spelling. A member that is `null` is absent.

use crate::{
    base64url,
    header::KEY_ID_LIMIT,
    json::{Object, Value},
    jwa::Algorithm,
    signature::{KeyError, LocatedKeyError, PreparedKey, PublicNumbers},
};
use alloc::{borrow::Cow, boxed::Box, vec::Vec};

/// The private members (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1; RFC 8037 section 2).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The `kid`, and the key or the reason why it can't be used.
pub(super) struct Jwk {
    pub(super) key_id: Result<Option<Box<str>>, LocatedKeyError>,
    pub(super) key: Result<PreparedKey, LocatedKeyError>,
}

impl Jwk {
    pub(super) fn parse(value: &Value<'_>) -> Self {
        let error = if value.is_ambiguous() { KeyError::DuplicateMember } else { KeyError::Malformed };
        match value {
            Value::Object(object) if error == KeyError::Malformed => {
                Self { key_id: key_id(object), key: prepare(object) }
            }
            _ => Self { key_id: Err(error.into()), key: Err(error.into()) },
        }
    }
}

fn key_id(object: &Object<'_>) -> Result<Option<Box<str>>, LocatedKeyError> {
    match text(object, "kid")? {
        None | Some("") => Ok(None),
        Some(name) if name.len() > KEY_ID_LIMIT => Err(KeyError::KeyIdTooLong.into()),
        Some(name) => Ok(Some(name.into())),
    }
}

fn prepare(object: &Object<'_>) -> Result<PreparedKey, LocatedKeyError> {
    let key_type = text(object, "kty")?.ok_or(KeyError::NoKeyType)?;
    if key_type == "oct" {
        return Err(KeyError::Symmetric.into());
    }
    if let Some(name) = PRIVATE_MEMBERS.into_iter().find(|name| member(object, name).is_some()) {
        return Err(KeyError::PrivateMember.of(name));
    }
    check_purpose(object)?;
    let algorithm = match text(object, "alg")? {
        None => None,
        Some(name) => Some(Algorithm::from_name(name).ok_or(KeyError::AlgorithmMismatch.of("alg"))?),
    };
    let key = match key_type {
        "RSA" => {
            let (modulus, exponent) = (octets(object, "n")?, octets(object, "e")?);
            PreparedKey::new(PublicNumbers::Rsa { modulus: &modulus, exponent: &exponent }, algorithm)
        }
        "EC" => {
            let (curve, x, y) = (required(object, "crv")?, octets(object, "x")?, octets(object, "y")?);
            PreparedKey::new(PublicNumbers::Ec { curve, x: &x, y: &y }, algorithm)
        }
        "OKP" => {
            let (curve, x) = (required(object, "crv")?, octets(object, "x")?);
            PreparedKey::new(PublicNumbers::Okp { curve, x: &x }, algorithm)
        }
        _ => Err(KeyError::UnsupportedKeyType.of("kty")),
    };
    let mut key = key?;
    key.issuer = member(object, "issuer").and_then(Value::as_str).map(Into::into);
    Ok(key)
}

/// Checks `use` and `key_ops` (RFC 7517 sections 4.2 and 4.3).
fn check_purpose(object: &Object<'_>) -> Result<(), LocatedKeyError> {
    if text(object, "use")?.is_some_and(|purpose| purpose != "sig") {
        return Err(KeyError::NotForSignatures.of("use"));
    }
    match member(object, "key_ops") {
        None => Ok(()),
        Some(Value::Array(operations)) if operations.iter().any(|value| value.as_str() == Some("verify")) => Ok(()),
        Some(Value::Array(_)) => Err(KeyError::NotForSignatures.of("key_ops")),
        Some(_) => Err(KeyError::Malformed.of("key_ops")),
    }
}

/// Returns a member that is present and not `null`.
fn member<'o>(object: &'o Object<'_>, name: &str) -> Option<&'o Value<'o>> {
    object.get(name).filter(|value| !matches!(value, Value::Null))
}

fn text<'o>(object: &'o Object<'_>, name: &'static str) -> Result<Option<&'o str>, LocatedKeyError> {
    member(object, name).map(|value| value.as_str().ok_or(KeyError::Malformed.of(name))).transpose()
}

fn required<'o>(object: &'o Object<'_>, name: &'static str) -> Result<&'o str, LocatedKeyError> {
    let has_certificate = || member(object, "x5c").is_some();
    text(object, name)?.ok_or_else(|| match has_certificate() {
        true => KeyError::CertificateOnly.of(name),
        false => KeyError::MissingMember.of(name),
    })
}

/// Decodes the octets of a number. RFC 7518 section 2 requires base64url without padding, but some issuers publish standard base64, or pad.
fn octets(object: &Object<'_>, name: &'static str) -> Result<Vec<u8>, LocatedKeyError> {
    let encoded = required(object, name)?;
    let unpadded = encoded.strip_suffix("==").or_else(|| encoded.strip_suffix('=')).unwrap_or(encoded);
    let text = match unpadded.contains(['+', '/']) {
        true => Cow::Owned(unpadded.replace('+', "-").replace('/', "_")),
        false => Cow::Borrowed(unpadded),
    };
    base64url::decode(&text).map_err(|_| KeyError::BadEncoding.of(name))
}
