//! The interface of a kernel: one Montgomery multiplication.

/// Montgomery multiplication for an odd modulus n, with R = 2^([`LIMB_BITS`](Self::LIMB_BITS) · limbs) ≥ 4n.
///
/// Numbers are slices of limbs, least significant first, all as long as the modulus; a limb holds `LIMB_BITS` bits.
/// Because R ≥ 4n, factors below 2n result in a number below 2n, so that no operation needs a final comparison (Walter 1999, "Montgomery
/// exponentiation needs no final subtractions").
pub trait Kernel {
    /// A digit in the radix 2^`LIMB_BITS`.
    type Limb: Copy + Default + Ord + Into<u64>;

    /// The number of bits of a limb that are used. It is less than its type has, so that products can be summed without a carry.
    const LIMB_BITS: u32;

    /// Returns the number of limbs of n' = -n^-1 that the reduction needs, for a modulus of `limbs` limbs. n' is computed mod 2^(`LIMB_BITS` ·
    /// this number).
    fn inverse_limbs(limbs: usize) -> usize;

    /// Returns the number of limbs of a modulus.
    fn limbs(modulus_bits: usize) -> usize;

    /// Returns the limb with this value, which is less than 2^`LIMB_BITS`.
    fn limb(value: u64) -> Self::Limb;

    /// n and n', prepared once for many multiplications.
    type Ready<'m>;

    /// Prepares a modulus. `inverse` is n'.
    fn ready<'m>(modulus: &'m [Self::Limb], inverse: &'m [Self::Limb]) -> Self::Ready<'m>;

    /// x = x · x / R mod n, below 2n.
    fn square(x: &mut [Self::Limb], ready: &mut Self::Ready<'_>);

    /// x = x · y / R mod n, below 2n.
    fn multiply(x: &mut [Self::Limb], y: &[Self::Limb], ready: &mut Self::Ready<'_>);
}

/// n and n', without further preparation.
#[derive(Clone, Copy)]
pub struct Plain<'m, Limb> {
    /// n.
    pub modulus: &'m [Limb],
    /// n'.
    pub inverse: &'m [Limb],
}
