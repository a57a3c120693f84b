//! Ed25519 (RFC 8032 section 5.1, RFC 8037), through the `ed25519-dalek` crate.

use super::{
    key_error::{KeyError, LocatedKeyError},
    signature_error::SignatureError,
};
use ed25519_dalek::{Signature, VerifyingKey};

/// An Ed25519 public key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ed25519Key(VerifyingKey);

impl Ed25519Key {
    pub(super) fn new(curve: &str, x: &[u8]) -> Result<Self, LocatedKeyError> {
        if curve != "Ed25519" {
            return Err(KeyError::UnsupportedKeyType.of("crv"));
        }
        // These octets are not a big-endian number, so none may be missing (RFC 8037 section 2).
        let bytes = x.try_into().map_err(|_| KeyError::BadEncoding.of("x"))?;
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::BadPoint.of("x"))?;
        // With a key of small order, anyone can create a valid signature.
        if key.is_weak() { Err(KeyError::BadPoint.of("x")) } else { Ok(Self(key)) }
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let bytes = signature.try_into().map_err(|_| SignatureError::Length)?;
        // `verify_strict` rejects the non-canonical encodings that RFC 8032 section 5.1.7 allows a verifier to accept.
        self.0.verify_strict(message, &Signature::from_bytes(bytes)).map_err(|_| SignatureError::Mismatch)
    }
}
