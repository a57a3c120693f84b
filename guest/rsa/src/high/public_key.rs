//! RSA public keys with the exponent 65,537 (RFC 8017 section 3.1).

use crate::low::{Fastest, Kernel};
use crate::mid::montgomery::Modulus;

/// A modulus of 2,048, 3,072 or 4,096 bits with its Montgomery constants, for the public exponent 65,537.
///
/// For 2,048 bits it uses 680 bytes of heap memory with the wide kernel and 596 with the others. `K` is the kernel; the default is the fastest
/// one for the target.
pub struct PublicKey<K: Kernel = Fastest> {
    modulus: Modulus<K>,
    /// The length of the modulus, of signatures and of messages, in bytes (k in RFC 8017).
    length: usize,
}

impl PublicKey {
    /// Creates a key from its modulus, big-endian and without leading zeros.
    ///
    /// Returns `None` if the modulus does not have 2,048, 3,072 or 4,096 bits, or is even.
    #[must_use]
    pub fn new(modulus: &[u8]) -> Option<Self> {
        Self::with_kernel(modulus)
    }
}

impl<K: Kernel> PublicKey<K> {
    /// Like [`PublicKey::new`], with a given kernel, so that tests can run every kernel on every target.
    #[doc(hidden)]
    #[must_use]
    pub fn with_kernel(modulus: &[u8]) -> Option<Self> {
        let length = modulus.len();
        let is_known_size = matches!(length, 256 | 384 | 512);
        let has_top_bit = modulus.first().is_some_and(|byte| byte >> 7 == 1);
        let is_odd = modulus.last().is_some_and(|byte| byte & 1 == 1);
        (is_known_size && has_top_bit && is_odd).then(|| Self { modulus: Modulus::new(modulus), length })
    }

    /// Computes m = s^65537 mod n (RSAVP1, RFC 8017 section 5.2.2), and writes it to `message`, big-endian.
    ///
    /// Returns `None`, and does not change `message`, if the signature is not less than n (the RFC's "signature representative out of range"),
    /// or if one of the two is not as long as the modulus. The time depends on the signature and the modulus, which are public.
    #[must_use]
    pub fn public_operation(&self, signature: &[u8], message: &mut [u8]) -> Option<()> {
        if signature.len() != self.length || message.len() != self.length {
            return None;
        }
        self.modulus.power_65537(signature, message)
    }
}

impl<K: Kernel> core::fmt::Debug for PublicKey<K> {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("PublicKey").field("bits", &(self.length * 8)).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_odd_moduli_of_the_three_sizes_are_accepted() {
        for length in [0, 1, 255, 257, 320, 511, 513] {
            assert!(PublicKey::new(&[0xff; 600][..length]).is_none(), "{length} bytes");
        }
        for length in [256, 384, 512] {
            let mut modulus = [0xff; 512];
            assert!(PublicKey::new(&modulus[..length]).is_some(), "{length} bytes");
            modulus[length - 1] = 0xfe;
            assert!(PublicKey::new(&modulus[..length]).is_none(), "{length} bytes, even");
            modulus[length - 1] = 0xff;
            modulus[0] = 0x7f;
            assert!(PublicKey::new(&modulus[..length]).is_none(), "{length} bytes without the top bit");
        }
    }

    #[test]
    fn wrong_lengths_and_a_signature_not_below_the_modulus_do_not_change_the_message() {
        let mut modulus = [0; 256];
        (modulus[0], modulus[255]) = (0x80, 1);
        let key = PublicKey::new(&modulus).expect("a modulus");
        let mut message = [7; 257];
        for (signature, length) in
            [(&modulus[..], 256), (&[0xff; 256], 256), (&[1; 255], 256), (&[1; 256], 255), (&[1; 256], 257)]
        {
            assert_eq!(key.public_operation(signature, &mut message[..length]), None);
            assert_eq!(message, [7; 257]);
        }
    }
}
