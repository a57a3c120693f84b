//! What a kernel does: one Montgomery multiplication.

/// Montgomery multiplication for an odd modulus n, with R = 2^([`LIMB_BITS`](Self::LIMB_BITS) · limbs) ≥ 4n.
///
/// Numbers are slices of limbs, least significant first, all as long as the modulus; a limb holds `LIMB_BITS` bits.
/// Because R ≥ 4n, factors below 2n give a result below 2n, and no operation ends with a comparison (Walter 1999,
/// "Montgomery exponentiation needs no final subtractions").
pub trait Kernel {
    /// A digit in the radix 2^`LIMB_BITS`.
    type Limb: Copy + Default + Ord + Into<u64>;

    /// The bits of a limb that are used: fewer than its type has, so that products can be summed without a carry.
    const LIMB_BITS: u32;

    /// How many limbs of n' = -n^-1 the reduction wants, for a modulus of so many limbs: n' is taken mod 2^(`LIMB_BITS` · this).
    fn inverse_limbs(limbs: usize) -> usize;

    /// How many limbs a modulus of so many bits takes.
    fn limbs(modulus_bits: usize) -> usize;

    /// The limb that holds `value`, which is below 2^`LIMB_BITS`.
    fn limb(value: u64) -> Self::Limb;

    /// x = x · x / R mod n, below 2n. `inverse` is n'.
    fn square(x: &mut [Self::Limb], modulus: &[Self::Limb], inverse: &[Self::Limb]);

    /// x = x · y / R mod n, below 2n. `inverse` is n'.
    fn multiply(x: &mut [Self::Limb], y: &[Self::Limb], modulus: &[Self::Limb], inverse: &[Self::Limb]);
}
