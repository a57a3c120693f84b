//! The sixth room: the signature. A [`PreparedKey`] holds what can be computed once; verifying handles public data only,
//! so nothing here needs to run in constant time.
//!
//! Each family of algorithms is one file with one prepared type and one `verify`. That is the seam for faster kernels.

#[cfg(feature = "ecdsa")]
mod ecdsa;
#[cfg(feature = "eddsa")]
mod eddsa;
mod emsa_pkcs1;
mod rsa;

use crate::{Algorithm, KeyError, Reason};

/// Why a signature is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureError {
    /// Not as long as the modulus or the curve asks (RFC 8017 section 8.2.2 step 1, RFC 7518 section 3.4).
    Length,
    /// As a number, not below the RSA modulus (RFC 8017 section 5.2.2 step 1).
    OutOfRange,
    /// It does not match.
    Mismatch,
}

impl From<SignatureError> for Reason {
    fn from(fault: SignatureError) -> Self {
        match fault {
            SignatureError::Length => Reason::SignatureLength,
            SignatureError::OutOfRange => Reason::SignatureOutOfRange,
            SignatureError::Mismatch => Reason::SignatureInvalid,
        }
    }
}

/// The numbers of a public key, as a JWK brings them, decoded and not judged yet.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(all(feature = "ecdsa", feature = "eddsa")), allow(dead_code, reason = "not every family is built in"))]
pub(crate) enum PublicNumbers<'a> {
    /// RFC 7518 section 6.3.1: big-endian, without leading zeros.
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
    /// The JWK's `alg`: the only algorithm that the key may be used with.
    algorithm: Option<Algorithm>,
}

#[derive(Debug)]
enum Family {
    Rsa(rsa::RsaKey),
    #[cfg(feature = "ecdsa")]
    Ec(ecdsa::EcKey),
    #[cfg(feature = "eddsa")]
    Ed25519(eddsa::Ed25519Key),
}

impl PreparedKey {
    pub(crate) fn new(numbers: PublicNumbers<'_>, algorithm: Option<Algorithm>) -> Result<Self, KeyError> {
        let family = match numbers {
            PublicNumbers::Rsa { modulus, exponent } => Family::Rsa(rsa::RsaKey::new(modulus, exponent)?),
            #[cfg(feature = "ecdsa")]
            PublicNumbers::Ec { curve, x, y } => Family::Ec(ecdsa::EcKey::new(curve, x, y)?),
            #[cfg(feature = "eddsa")]
            PublicNumbers::Okp { curve, x } => Family::Ed25519(eddsa::Ed25519Key::new(curve, x)?),
            #[allow(unreachable_patterns, reason = "reached where an algorithm is not built in")]
            _ => return Err(KeyError::UnsupportedKeyType),
        };
        let key = Self { family, algorithm: None };
        match algorithm {
            Some(algorithm) if !key.is_for(algorithm) => Err(KeyError::AlgorithmMismatch),
            _ => Ok(Self { algorithm, ..key }),
        }
    }

    /// Whether the key's type, curve and `alg` go with this algorithm.
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

    /// Verifies a signature over the signing input.
    ///
    /// # Errors
    /// [`Reason::AlgorithmMismatch`] if the key is not for this algorithm, else what [`SignatureError`] says.
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
