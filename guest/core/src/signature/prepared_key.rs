//! A public key of any supported family.

#[cfg(feature = "ecdsa")]
use super::ecdsa::EcKey;
#[cfg(feature = "eddsa")]
use super::eddsa::Ed25519Key;
use super::{
    key_error::{KeyError, LocatedKeyError},
    rsa::{self, RsaKey},
};
use crate::{jwa::Algorithm, reason::Reason};
use alloc::boxed::Box;

/// The numbers of a JWK, decoded but not checked.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(all(feature = "ecdsa", feature = "eddsa")), allow(dead_code, reason = "not every family is built in"))]
pub(crate) enum PublicNumbers<'a> {
    /// RFC 7518 section 6.3.1: big-endian.
    Rsa { modulus: &'a [u8], exponent: &'a [u8] },
    /// RFC 7518 section 6.2.1: `crv` and both coordinates.
    Ec { curve: &'a str, x: &'a [u8], y: &'a [u8] },
    /// RFC 8037 section 2: `crv` and the public key.
    Okp { curve: &'a str, x: &'a [u8] },
}

/// A public key that is ready to verify.
#[derive(Debug)]
pub struct PreparedKey {
    family: Family,
    /// The `alg` of the JWK, if present: the only algorithm that the key may be used with.
    algorithm: Option<Algorithm>,
    /// The member `issuer`, with which a key set of many tenants names the issuer of each key.
    pub(crate) issuer: Option<Box<str>>,
}

#[derive(Debug)]
enum Family {
    Rsa(RsaKey),
    #[cfg(feature = "ecdsa")]
    Ec(EcKey),
    #[cfg(feature = "eddsa")]
    Ed25519(Ed25519Key),
}

impl PreparedKey {
    pub(crate) fn new(numbers: PublicNumbers<'_>, algorithm: Option<Algorithm>) -> Result<Self, LocatedKeyError> {
        let family = match numbers {
            PublicNumbers::Rsa { modulus, exponent } => Family::Rsa(RsaKey::new(modulus, exponent)?),
            #[cfg(feature = "ecdsa")]
            PublicNumbers::Ec { curve, x, y } => Family::Ec(EcKey::new(curve, x, y)?),
            #[cfg(feature = "eddsa")]
            PublicNumbers::Okp { curve, x } => Family::Ed25519(Ed25519Key::new(curve, x)?),
            #[allow(unreachable_patterns, reason = "reached if an algorithm is not built in")]
            _ => return Err(KeyError::UnsupportedKeyType.into()),
        };
        let key = Self { family, algorithm: None, issuer: None };
        match algorithm {
            Some(algorithm) if !key.is_for(algorithm) => Err(KeyError::AlgorithmMismatch.of("alg")),
            _ => Ok(Self { algorithm, ..key }),
        }
    }

    /// Returns whether the type, the curve and the `alg` of the key fit this algorithm.
    pub fn is_for(&self, algorithm: Algorithm) -> bool {
        let of_family = match &self.family {
            Family::Rsa(_) => rsa::ALGORITHMS.contains(&algorithm),
            #[cfg(feature = "ecdsa")]
            Family::Ec(key) => key.algorithm() == algorithm,
            #[cfg(feature = "eddsa")]
            Family::Ed25519(_) => algorithm == Algorithm::EdDsa,
        };
        of_family && self.algorithm.is_none_or(|own| own == algorithm)
    }

    /// Returns whether both keys have the same numbers and the same issuer, so that it does not matter which of them is used.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let has_same_numbers = match (&self.family, &other.family) {
            (Family::Rsa(one), Family::Rsa(other)) => one.is_same(other),
            #[cfg(feature = "ecdsa")]
            (Family::Ec(one), Family::Ec(other)) => one == other,
            #[cfg(feature = "eddsa")]
            (Family::Ed25519(one), Family::Ed25519(other)) => one == other,
            #[allow(unreachable_patterns, reason = "reached if several families are built in")]
            _ => false,
        };
        has_same_numbers && self.issuer == other.issuer
    }

    /// Verifies a signature over the signing input.
    ///
    /// # Errors
    /// [`Reason::AlgorithmMismatch`] if the key is not for this algorithm; otherwise the reason for the
    /// [`SignatureError`](super::SignatureError).
    pub fn verify(&self, algorithm: Algorithm, signing_input: &[u8], signature: &[u8]) -> Result<(), Reason> {
        if !self.is_for(algorithm) {
            return Err(Reason::AlgorithmMismatch);
        }
        match &self.family {
            Family::Rsa(key) => key.verify(algorithm, signing_input, signature)?,
            #[cfg(feature = "ecdsa")]
            Family::Ec(key) => key.verify(signing_input, signature)?,
            #[cfg(feature = "eddsa")]
            Family::Ed25519(key) => key.verify(signing_input, signature)?,
        }
        Ok(())
    }
}
