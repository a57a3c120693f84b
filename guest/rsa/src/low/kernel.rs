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

    /// n and n' with what the kernel makes of them once, for many multiplications.
    type Ready<'m>;

    /// Makes a modulus ready; `inverse` is n'.
    fn ready<'m>(modulus: &'m [Self::Limb], inverse: &'m [Self::Limb]) -> Self::Ready<'m>;

    /// x = x · x / R mod n, below 2n.
    fn square(x: &mut [Self::Limb], ready: &mut Self::Ready<'_>);

    /// x = x · y / R mod n, below 2n.
    fn multiply(x: &mut [Self::Limb], y: &[Self::Limb], ready: &mut Self::Ready<'_>);
}

/// n and n' as they are.
#[derive(Clone, Copy)]
pub struct Plain<'m, Limb> {
    /// n.
    pub modulus: &'m [Limb],
    /// n'.
    pub inverse: &'m [Limb],
}
