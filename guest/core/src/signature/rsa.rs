//! RSASSA-PKCS1-v1_5 and RSASSA-PSS (RFC 8017 section 8, RFC 7518 sections 3.3 and 3.5).
//!
//! `poolgate-rsa` verifies PKCS1-v1_5 signatures of keys with the exponent 65,537 and 2,048, 3,072 or 4,096 bits, such as Cognito's. In
//! builds with the feature `rsa-general`, the `rsa` crate verifies all others; other builds reject such keys.

use super::{
    emsa_pkcs1,
    key_error::{KeyError, LocatedKeyError},
    signature_error::SignatureError,
};
use crate::jwa::Algorithm;
use alloc::boxed::Box;
#[cfg(feature = "rsa-general")]
use core::cell::OnceCell;
#[cfg(feature = "rsa-general")]
use crypto_bigint::BoxedUint;
#[cfg(feature = "rsa-general")]
use rsa::{Pkcs1v15Sign, Pss, PublicKey, traits::SignatureScheme};
use sha2::{Digest, Sha256, Sha384, Sha512, digest::const_oid::AssociatedOid};

/// The algorithms of an RSA key.
pub(super) const ALGORITHMS: [Algorithm; 6] =
    [Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512, Algorithm::Ps256, Algorithm::Ps384, Algorithm::Ps512];

/// RFC 7518 section 3.3: "A key of size 2048 bits or larger MUST be used".
const MODULUS_BITS_MIN: usize = 2048;
const MODULUS_BITS_MAX: usize = 8192;
/// 64 bits. With an exponent as long as the modulus, each token would take a third of a second.
const EXPONENT_BYTES_MAX: usize = 8;

/// 65,537, the exponent that Cognito and almost all others use.
const USUAL_EXPONENT: [u8; 3] = [1, 0, 1];
/// The maximum length of the kernel's modulus, in bytes.
const KERNEL_BYTES_MAX: usize = 512;

/// An RSA public key, with precomputed values.
pub(super) struct RsaKey {
    /// n, big-endian, without leading zeros. A signature has the same length.
    modulus: Box<[u8]>,
    #[cfg(feature = "rsa-general")]
    exponent: Box<[u8]>,
    /// For RSASSA-PKCS1-v1_5, if it supports the size and the exponent.
    kernel: Option<poolgate_rsa::PublicKey>,
    /// For everything else. It is prepared on first use.
    #[cfg(feature = "rsa-general")]
    general: OnceCell<PublicKey>,
}

impl RsaKey {
    /// Prepares a key from n and e, both big-endian. RFC 7518 section 6.3.1.1 warns that some libraries "prefix an extra zero-valued octet".
    pub(super) fn new(modulus: &[u8], exponent: &[u8]) -> Result<Self, LocatedKeyError> {
        let (modulus, exponent) = (without_leading_zeros(modulus), without_leading_zeros(exponent));
        let bits = bit_length(modulus);
        if bits < MODULUS_BITS_MIN {
            return Err(KeyError::ModulusTooSmall.of("n"));
        }
        if bits > MODULUS_BITS_MAX {
            return Err(KeyError::ModulusTooLarge.of("n"));
        }
        if !is_odd(modulus) {
            return Err(KeyError::ModulusEven.of("n"));
        }
        // The exponent must be odd and at least 3; it is short enough to be less than n. An odd number below 3 is 1.
        if !is_odd(exponent) || exponent == [1] || exponent.len() > EXPONENT_BYTES_MAX {
            return Err(KeyError::BadExponent.of("e"));
        }
        let kernel = if exponent == USUAL_EXPONENT { poolgate_rsa::PublicKey::new(modulus) } else { None };
        if kernel.is_none() && cfg!(not(feature = "rsa-general")) {
            return Err(KeyError::UnsupportedKeyType.into());
        }
        Ok(Self {
            modulus: modulus.into(),
            #[cfg(feature = "rsa-general")]
            exponent: exponent.into(),
            kernel,
            #[cfg(feature = "rsa-general")]
            general: OnceCell::new(),
        })
    }

    /// Returns whether both keys have the same numbers.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        #[cfg(feature = "rsa-general")]
        let is_same_exponent = self.exponent == other.exponent;
        // Other builds have no keys with another exponent than 65,537.
        #[cfg(not(feature = "rsa-general"))]
        let is_same_exponent = true;
        is_same_exponent && self.modulus == other.modulus
    }

    pub(super) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        if signature.len() != self.modulus.len() {
            return Err(SignatureError::Length);
        }
        // Both are big-endian and of the same length, so comparing the bytes compares the numbers.
        if signature >= &*self.modulus {
            return Err(SignatureError::OutOfRange);
        }
        match algorithm {
            Algorithm::Rs256 => self.verify_pkcs1::<Sha256>(message, signature),
            Algorithm::Rs384 => self.verify_pkcs1::<Sha384>(message, signature),
            Algorithm::Rs512 => self.verify_pkcs1::<Sha512>(message, signature),
            // The salt is as long as the hash (RFC 7518 section 3.5).
            #[cfg(feature = "rsa-general")]
            Algorithm::Ps256 => self.verify_generally(Pss::<Sha256>::new(), &Sha256::digest(message), signature),
            #[cfg(feature = "rsa-general")]
            Algorithm::Ps384 => self.verify_generally(Pss::<Sha384>::new(), &Sha384::digest(message), signature),
            #[cfg(feature = "rsa-general")]
            Algorithm::Ps512 => self.verify_generally(Pss::<Sha512>::new(), &Sha512::digest(message), signature),
            _ => Err(SignatureError::Mismatch),
        }
    }

    /// RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2.2).
    fn verify_pkcs1<H: Digest + AssociatedOid>(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let digest = H::digest(message);
        let Some(kernel) = &self.kernel else {
            #[cfg(feature = "rsa-general")]
            return self.verify_generally(Pkcs1v15Sign::new::<H>(), &digest, signature);
            #[cfg(not(feature = "rsa-general"))]
            return Err(SignatureError::Mismatch);
        };
        let mut buffer = [0; KERNEL_BYTES_MAX];
        let encoded = buffer.get_mut(..signature.len()).ok_or(SignatureError::Length)?;
        // Steps 2 and 3: EM = signature ^ e mod n, and the expected encoding. Step 4: compare them.
        kernel.public_operation(signature, encoded).ok_or(SignatureError::OutOfRange)?;
        if emsa_pkcs1::is_encoding(encoded, H::OID.as_bytes(), &digest) {
            Ok(())
        } else {
            Err(SignatureError::Mismatch)
        }
    }

    #[cfg(feature = "rsa-general")]
    fn verify_generally(
        &self,
        scheme: impl SignatureScheme,
        digest: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        let key = self.general.get_or_init(|| {
            // The checked constructor of the `rsa` crate rejects exponents over 33 bits. The checks that matter are in `new`.
            PublicKey::new_unchecked(
                BoxedUint::from_be_slice_vartime(&self.modulus),
                BoxedUint::from_be_slice_vartime(&self.exponent),
            )
        });
        key.verify(scheme, digest, signature).map_err(|_| SignatureError::Mismatch)
    }
}

impl core::fmt::Debug for RsaKey {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("RsaKey").field("bits", &bit_length(&self.modulus)).finish_non_exhaustive()
    }
}

fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let leading_zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(leading_zeros..).unwrap_or_default()
}

/// Returns the bit length of a big-endian number without leading zeros.
fn bit_length(number: &[u8]) -> usize {
    let leading = number.first().map_or(0, |byte| byte.leading_zeros() as usize);
    number.len().saturating_mul(8).saturating_sub(leading)
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|byte| byte & 1 == 1)
}
