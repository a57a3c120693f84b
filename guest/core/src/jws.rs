//! Verifies signatures without claims: a compact JWS (RFC 7515 section 7.1) with any payload.

use crate::{
    compact::CompactJws,
    config::Limits,
    header::Header,
    jwa::{Algorithm, Algorithms},
    keys::{Found, KeySet},
    reason::Reason,
    signature::PreparedKey,
};
use alloc::{boxed::Box, string::String, vec::Vec};

/// A JWS whose signature was verified. Only [`verify`] creates it.
#[non_exhaustive]
pub struct VerifiedJws {
    /// `alg`.
    pub algorithm: Algorithm,
    /// `kid`.
    pub key_id: Option<Box<str>>,
    /// The JOSE header as JSON text.
    pub header: String,
    /// The payload.
    pub payload: Vec<u8>,
}

impl core::fmt::Debug for VerifiedJws {
    /// Omits the header and the payload.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("VerifiedJws").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// Verifies the syntax and the signature of a compact JWS. If its header has no `kid`, the set must have exactly one usable key. A set with one
/// key that has no `kid` is used for any header.
///
/// # Errors
/// The reasons for the compact serialization, the header, the key and the signature.
pub fn verify(compact: &str, keys: &KeySet, allowed: Algorithms, limits: &Limits) -> Result<VerifiedJws, Reason> {
    let jws = CompactJws::split(compact, limits.token_bytes as usize)?;
    let text = String::from_utf8(jws.header()?).map_err(|_| Reason::HeaderMalformed)?;
    let header = Header::parse(text.as_bytes(), limits.json_depth)?;
    if !allowed.contains(header.algorithm) {
        return Err(Reason::AlgorithmNotAllowed);
    }
    let payload = jws.payload()?;
    let signature = jws.signature()?;
    let key = find(keys, header.key_id.as_deref())?;
    key.verify(header.algorithm, jws.signing_input(), &signature)?;
    Ok(VerifiedJws { algorithm: header.algorithm, key_id: header.key_id, header: text, payload })
}

/// Verifies a signature over any bytes. Without a key ID, the set must have exactly one usable key.
///
/// # Errors
/// The reasons for the algorithm, the key and the signature.
pub fn verify_detached(
    keys: &KeySet,
    allowed: Algorithms,
    algorithm: Algorithm,
    key_id: Option<&str>,
    message: &[u8],
    signature: &[u8],
) -> Result<(), Reason> {
    if !allowed.contains(algorithm) {
        return Err(Reason::AlgorithmNotAllowed);
    }
    find(keys, key_id)?.verify(algorithm, message, signature)
}

fn find<'k>(keys: &'k KeySet, key_id: Option<&str>) -> Result<&'k PreparedKey, Reason> {
    let Some(key_id) = key_id else {
        return keys.only_key().ok_or(Reason::KeyIdMissing);
    };
    match keys.find(key_id) {
        Found::Key(key) => Ok(key),
        Found::Rejected => Err(Reason::KeyRefused),
        // The only key of the set has no `kid`, so it is used for any `kid`.
        Found::Unknown => keys.only_unnamed_key().ok_or(Reason::KeyUnknown),
    }
}
