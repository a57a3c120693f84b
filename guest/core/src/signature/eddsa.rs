//! Ed25519 (RFC 8032 section 5.1, RFC 8037), through the `ed25519-dalek` crate.

use super::{key_error::KeyError, signature_error::SignatureError};
use ed25519_dalek::{Signature, VerifyingKey};

/// An Ed25519 public key.
#[derive(Debug)]
pub(super) struct Ed25519Key(VerifyingKey);

impl Ed25519Key {
    pub(super) fn new(curve: &str, x: &[u8]) -> Result<Self, KeyError> {
        if curve != "Ed25519" {
            return Err(KeyError::UnsupportedKeyType);
        }
        let bytes = x.try_into().map_err(|_| KeyError::BadEncoding)?;
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::BadPoint)?;
        // With a key of small order, anyone can create a valid signature.
        if key.is_weak() { Err(KeyError::BadPoint) } else { Ok(Self(key)) }
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let bytes = signature.try_into().map_err(|_| SignatureError::Length)?;
        // `verify_strict` rejects the non-canonical encodings that RFC 8032 section 5.1.7 allows a verifier to accept.
        self.0.verify_strict(message, &Signature::from_bytes(bytes)).map_err(|_| SignatureError::Mismatch)
    }
}
