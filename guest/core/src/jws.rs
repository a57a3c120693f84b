//! Verifies signatures without claims: a compact JWS (RFC 7515 section 7.1) with any payload.

use crate::{
    compact::CompactJws,
    config::Limits,
    header::Header,
    jwa::{Algorithm, Algorithms},
    keys::{KeySet, NoKey, UnnamedKeys},
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

/// Verifies the syntax and the signature of a compact JWS. If its header has no `kid`, exactly one key of the set must fit `alg`. If the only usable
/// key of the set has no `kid`, it is used for any header.
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
    let key = find(keys, header.key_id.as_deref(), header.algorithm)?;
    key.verify(header.algorithm, jws.signing_input(), &signature)?;
    Ok(VerifiedJws { algorithm: header.algorithm, key_id: header.key_id, header: text, payload })
}

/// Verifies a signature over any bytes. Without a key ID, exactly one key of the set must fit the algorithm.
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
    find(keys, key_id, algorithm)?.verify(algorithm, message, signature)
}

fn find<'k>(keys: &'k KeySet, key_id: Option<&str>, algorithm: Algorithm) -> Result<&'k PreparedKey, Reason> {
    keys.find(key_id, algorithm, UnnamedKeys::Accepted).map_err(|error| match error {
        NoKey::UnknownKeyId => Reason::KeyUnknown,
        NoKey::Rejected => Reason::KeyRefused,
        NoKey::Ambiguous => Reason::KeyAmbiguous,
        NoKey::OtherAlgorithm => Reason::AlgorithmMismatch,
        NoKey::NoKeyId => Reason::KeyIdMissing,
    })
}
