//! Exponentiation by 65,537 in Montgomery form (Montgomery 1985, "Modular multiplication without trial division").

use super::limbs::{double, from_bytes, is_below, subtract_while_not_below, to_bytes};
use crate::low::Kernel;
use alloc::{boxed::Box, vec};

/// The limbs of the largest modulus, 4,096 bits, in the kernel with the smallest limbs, 28 bits.
const MAX_LIMBS: usize = 148;

/// An odd modulus n, with the constants of Montgomery multiplication.
pub struct Modulus<K: Kernel> {
    /// n, R^2 mod n, and n' = -n^-1, in one allocation, because a verifier may have thousands of keys.
    limbs: Box<[K::Limb]>,
    /// The number of limbs of n.
    count: usize,
}

impl<K: Kernel> Modulus<K> {
    /// Creates a modulus from an odd number of at most 4,096 bits, big-endian, whose top bit is set.
    pub(crate) fn new(modulus: &[u8]) -> Self {
        let bits = modulus.len() * 8;
        let count = K::limbs(bits);
        let mut limbs = vec![K::Limb::default(); 2 * count + K::inverse_limbs(count)].into_boxed_slice();
        let (n, rest) = limbs.split_at_mut(count);
        let (r_squared, inverse) = rest.split_at_mut(count);
        from_bytes::<K>(modulus, n);
        negative_inverse::<K>(inverse, n);
        square_of_r::<K>(r_squared, n, inverse, bits);
        Self { limbs, count }
    }

    /// message = signature^65537 mod n. Returns `None` if the signature is not less than n.
    pub(crate) fn power_65537(&self, signature: &[u8], message: &mut [u8]) -> Option<()> {
        let (n, rest) = self.limbs.split_at_checked(self.count)?;
        let (r_squared, inverse) = rest.split_at_checked(self.count)?;
        let (mut s, mut x) = ([K::Limb::default(); MAX_LIMBS], [K::Limb::default(); MAX_LIMBS]);
        let (s, x) = (s.get_mut(..n.len())?, x.get_mut(..n.len())?);
        from_bytes::<K>(signature, s);
        if !is_below::<K>(s, n) {
            return None;
        }
        let mut ready = K::ready(n, inverse);
        // Into Montgomery form: s · R^2 / R.
        x.copy_from_slice(s);
        K::multiply(x, r_squared, &mut ready);
        for _ in 0..16 {
            K::square(x, &mut ready);
        }
        // s^65536 · R times s itself, not its Montgomery form, so this multiplication also removes the factor R.
        K::multiply(x, s, &mut ready);
        subtract_while_not_below::<K>(x, n);
        to_bytes::<K>(x, message);
        Some(())
    }
}

/// x = n' = -n^-1 mod 2^(`LIMB_BITS` · x.len()), for an x that is not longer than n.
///
/// It works limb by limb, in the same way as Montgomery reduction finds its multipliers: each limb clears the lowest limb of the difference
/// between x · n and -1.
fn negative_inverse<K: Kernel>(x: &mut [K::Limb], n: &[K::Limb]) {
    let mask = (1u64 << K::LIMB_BITS) - 1;
    let inverse = inverse_of_word(n.first().copied().unwrap_or_default().into());
    // -1, without its sign.
    let mut rest = vec![mask; x.len()];
    for x in x {
        let limb = rest.first().map_or(0, |lowest| lowest.wrapping_mul(inverse) & mask);
        *x = K::limb(limb);
        let mut carry = 0i128;
        for (rest, n) in rest.iter_mut().zip(n) {
            let sum = carry + i128::from(*rest) - i128::from(limb) * i128::from((*n).into());
            *rest = sum as u64 & mask;
            carry = sum >> K::LIMB_BITS;
        }
        rest.rotate_left(1);
    }
}

/// n^-1 mod 2^64 for an odd n, by Newton's iteration: each step doubles the number of correct low bits.
fn inverse_of_word(n: u64) -> u64 {
    // n · n = 1 mod 8: three bits to begin with, then 6, 12, 24, 48, 96.
    (0..5).fold(n, |inverse, _| inverse.wrapping_mul(2u64.wrapping_sub(n.wrapping_mul(inverse))))
}

/// x = R^2 mod n, for an x of zeros.
///
/// Doubling gives 2R. Then a Montgomery squaring takes 2^e · R to 2^2e · R, and doubling takes it to 2^(e+1) · R, so that e follows the bits of
/// the exponent of R.
fn square_of_r<K: Kernel>(x: &mut [K::Limb], n: &[K::Limb], inverse: &[K::Limb], bits: usize) {
    let limb_bits = K::LIMB_BITS as usize;
    let r_exponent = n.len() * limb_bits;
    // 2^(bits - 1) is less than n, which is odd and has its top bit set.
    if let Some(limb) = x.get_mut((bits - 1) / limb_bits) {
        *limb = K::limb(1 << ((bits - 1) % limb_bits));
    }
    for _ in bits - 1..r_exponent + 1 {
        double::<K>(x, n);
    }
    let mut ready = K::ready(n, inverse);
    for bit in (0..r_exponent.ilog2()).rev() {
        K::square(x, &mut ready);
        if r_exponent >> bit & 1 == 1 {
            double::<K>(x, n);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::low::{fused::FusedDoubles, narrow::Narrow, simd::Simd, wide::Wide};
    use num_bigint::BigUint;

    fn number<K: Kernel>(limbs: &[K::Limb]) -> BigUint {
        limbs.iter().rev().fold(BigUint::ZERO, |sum, &limb| (sum << K::LIMB_BITS) + limb.into())
    }

    fn check_constants<K: Kernel>(bits: usize) {
        let bytes: alloc::vec::Vec<u8> = (0..bits / 8).map(|at| (at * 37 + 129) as u8 | 1).collect();
        let modulus = Modulus::<K>::new(&bytes);
        let (n, rest) = modulus.limbs.split_at(modulus.count);
        let (r_squared, inverse) = rest.split_at(modulus.count);
        let one = BigUint::from(1u8);
        let r = &one << (modulus.count * K::LIMB_BITS as usize);
        let n = number::<K>(n);
        assert_eq!(n, BigUint::from_bytes_be(&bytes), "n of {bits} bits");
        assert!(r >= &n * 4u8, "R ≥ 4n for {bits} bits");
        assert!(modulus.count <= MAX_LIMBS, "{bits} bits fit");
        assert_eq!(number::<K>(r_squared) % &n, &r * &r % &n, "R^2 mod n for {bits} bits");
        let block = &one << (K::inverse_limbs(modulus.count) * K::LIMB_BITS as usize);
        assert_eq!((number::<K>(inverse) * &n + one) % block, BigUint::ZERO, "n' for {bits} bits");
    }

    #[test]
    fn the_constants_are_correct() {
        for bits in [2048, 3072, 4096] {
            check_constants::<Wide>(bits);
            check_constants::<Narrow>(bits);
            check_constants::<Simd>(bits);
            check_constants::<FusedDoubles>(bits);
        }
    }
}
