//! RSASSA-PKCS1-v1_5 and RSASSA-PSS (RFC 8017 section 8, RFC 7518 sections 3.3 and 3.5), through the `rsa` crate.
//!
//! The seam for a faster kernel: [`RsaKey::new`] and [`RsaKey::verify`] are all that the core knows of RSA.

use super::SignatureFault;
use crate::{Algorithm, KeyFault};
use alloc::boxed::Box;
use crypto_bigint::BoxedUint;
use rsa::{Pkcs1v15Sign, Pss, PublicKey};
use sha2::{Digest, Sha256, Sha384, Sha512};

/// The algorithms of an RSA key.
pub(super) const ALGORITHMS: [Algorithm; 6] =
    [Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512, Algorithm::Ps256, Algorithm::Ps384, Algorithm::Ps512];

/// RFC 7518 section 3.3: "A key of size 2048 bits or larger MUST be used".
const MODULUS_BITS_MIN: usize = 2048;
const MODULUS_BITS_MAX: usize = 8192;

/// An RSA public key with its Montgomery parameters.
pub(super) struct RsaKey {
    key: PublicKey,
    /// n, big-endian, without leading zeros: as long as a signature must be.
    modulus: Box<[u8]>,
}

impl RsaKey {
    /// Takes n and e, big-endian and without leading zeros.
    pub(super) fn new(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyFault> {
        let bits = bit_length(modulus);
        if bits < MODULUS_BITS_MIN {
            return Err(KeyFault::ModulusTooSmall);
        }
        if bits > MODULUS_BITS_MAX {
            return Err(KeyFault::ModulusTooLarge);
        }
        if !is_odd(modulus) {
            return Err(KeyFault::ModulusEven);
        }
        // Odd, at least 3, below n. An odd number without leading zeros is below 3 only if it is 1.
        let below_modulus = (exponent.len(), exponent) < (modulus.len(), modulus);
        if !is_odd(exponent) || exponent == [1] || !below_modulus {
            return Err(KeyFault::BadExponent);
        }
        // The `rsa` crate's own constructor refuses exponents over 33 bits; "unchecked" skips just the checks made above.
        let key = PublicKey::new_unchecked(
            BoxedUint::from_be_slice_vartime(modulus),
            BoxedUint::from_be_slice_vartime(exponent),
        );
        Ok(Self { key, modulus: modulus.into() })
    }

    pub(super) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Result<(), SignatureFault> {
        if signature.len() != self.modulus.len() {
            return Err(SignatureFault::Length);
        }
        // Of one length and big-endian: the order of the bytes is the order of the numbers.
        if signature >= &*self.modulus {
            return Err(SignatureFault::OutOfRange);
        }
        match algorithm {
            Algorithm::Rs256 => self.key.verify(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message), signature),
            Algorithm::Rs384 => self.key.verify(Pkcs1v15Sign::new::<Sha384>(), &Sha384::digest(message), signature),
            Algorithm::Rs512 => self.key.verify(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(message), signature),
            // The salt is as long as the hash (RFC 7518 section 3.5).
            Algorithm::Ps256 => self.key.verify(Pss::<Sha256>::new(), &Sha256::digest(message), signature),
            Algorithm::Ps384 => self.key.verify(Pss::<Sha384>::new(), &Sha384::digest(message), signature),
            Algorithm::Ps512 => self.key.verify(Pss::<Sha512>::new(), &Sha512::digest(message), signature),
            Algorithm::Es256 | Algorithm::Es384 | Algorithm::Es512 | Algorithm::EdDsa => {
                return Err(SignatureFault::Mismatch);
            }
        }
        .map_err(|_| SignatureFault::Mismatch)
    }
}

impl core::fmt::Debug for RsaKey {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("RsaKey").field("bits", &bit_length(&self.modulus)).finish_non_exhaustive()
    }
}

/// The bits of a big-endian number without leading zeros.
fn bit_length(number: &[u8]) -> usize {
    let leading = number.first().map_or(0, |byte| byte.leading_zeros() as usize);
    number.len().saturating_mul(8).saturating_sub(leading)
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|byte| byte & 1 == 1)
}
