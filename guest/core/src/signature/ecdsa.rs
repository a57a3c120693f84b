//! ECDSA on P-256, P-384 and P-521 (RFC 7518 section 3.4), through the `p256`, `p384` and `p521` crates.

use super::{
    key_error::{KeyError, LocatedKeyError},
    signature_error::SignatureError,
};
use crate::jwa::Algorithm;
use alloc::vec::Vec;
use p256::ecdsa::signature::Verifier;

/// A public key on one of the three curves. The curve fixes the algorithm.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum EcKey {
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
}

impl EcKey {
    /// Prepares a key from `crv` and the coordinates, big-endian. RFC 7518 section 6.2.1 requires them to be as long as the field, but some
    /// issuers omit leading zeros, or add some.
    pub(super) fn new(curve: &str, x: &[u8], y: &[u8]) -> Result<Self, LocatedKeyError> {
        // SEC 1 section 2.3.3: the uncompressed form.
        let point = |length: usize| -> Result<Vec<u8>, LocatedKeyError> {
            let mut point = [4].to_vec();
            append_coordinate(&mut point, x, length).ok_or(KeyError::BadEncoding.of("x"))?;
            append_coordinate(&mut point, y, length).ok_or(KeyError::BadEncoding.of("y"))?;
            Ok(point)
        };
        let bad_point = |_| KeyError::BadPoint.into();
        match curve {
            "P-256" => p256::ecdsa::VerifyingKey::from_sec1_bytes(&point(32)?).map(Self::P256).map_err(bad_point),
            "P-384" => p384::ecdsa::VerifyingKey::from_sec1_bytes(&point(48)?).map(Self::P384).map_err(bad_point),
            "P-521" => p521::ecdsa::VerifyingKey::from_sec1_bytes(&point(66)?).map(Self::P521).map_err(bad_point),
            _ => Err(KeyError::UnsupportedKeyType.of("crv")),
        }
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        match self {
            Self::P256(_) => Algorithm::Es256,
            Self::P384(_) => Algorithm::Es384,
            Self::P521(_) => Algorithm::Es512,
        }
    }

    /// Verifies a signature that consists of r and s, each as long as the order of the curve (RFC 7518 section 3.4).
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let length = match self {
            Self::P256(_) => 64,
            Self::P384(_) => 96,
            Self::P521(_) => 132,
        };
        if signature.len() != length {
            return Err(SignatureError::Length);
        }
        match self {
            Self::P256(key) => p256::ecdsa::Signature::from_slice(signature).and_then(|rs| key.verify(message, &rs)),
            Self::P384(key) => p384::ecdsa::Signature::from_slice(signature).and_then(|rs| key.verify(message, &rs)),
            Self::P521(key) => p521::ecdsa::Signature::from_slice(signature).and_then(|rs| key.verify(message, &rs)),
        }
        .map_err(|_| SignatureError::Mismatch)
    }
}

/// Appends a coordinate with this length to a point. Returns `None` if the number is longer.
fn append_coordinate(point: &mut Vec<u8>, coordinate: &[u8], length: usize) -> Option<()> {
    let leading_zeros = coordinate.iter().take_while(|byte| **byte == 0).count();
    let number = coordinate.get(leading_zeros..)?;
    let missing = length.checked_sub(number.len())?;
    point.resize(point.len().checked_add(missing)?, 0);
    point.extend_from_slice(number);
    Some(())
}
