//! Product scanning ("Comba's method") and Montgomery reduction for limbs of 28 bits in a `u32`.
//!
//! Koç, Acar, Kaliski 1996, "Analyzing and comparing Montgomery multiplication algorithms": separated operand scanning (SOS), but column by
//! column, so that the sum of a column stays in registers, and two columns at a time, so that a kernel loads one of the factors once for
//! both. 28 bits is a redundant radix (Gueron, Krasnov 2012, "Software implementation of modular exponentiation, using advanced vector
//! instructions architectures"): a product has 56 bits, so 148 of them (4,096 bits) and a carry fit in 64 bits, and carries are handled only
//! at the end of a column.

/// The bits of a limb.
pub(super) const LIMB_BITS: u32 = 28;
const MASK: u64 = (1 << LIMB_BITS) - 1;

/// The limbs of 4,096 bits.
const MAX_LIMBS: usize = limbs(4096);

/// Returns the number of limbs of a modulus: two more bits for R ≥ 4n, rounded up to an even number.
pub(super) const fn limbs(modulus_bits: usize) -> usize {
    (modulus_bits + 2).div_ceil(LIMB_BITS as usize).next_multiple_of(2)
}

/// The inner loop of a kernel. The kernels differ only in this.
pub(super) trait Dot {
    /// Returns the sums of `x[i]` · `y[i + 1]` and of `x[i]` · `y[i]`, for a y that is one limb longer than x. At most 148 limbs of 28 bits.
    fn dot(x: &[u32], y: &[u32]) -> [u64; 2];
}

/// Implements a kernel with an inner loop. It is a macro, because a generic `impl` would be compiled where it is used, and tests are compiled
/// without optimisation.
macro_rules! kernel {
    ($kernel:ty) => {
        impl Kernel for $kernel {
            type Limb = u32;

            const LIMB_BITS: u32 = columns::LIMB_BITS;

            fn inverse_limbs(_: usize) -> usize {
                1
            }

            fn limbs(modulus_bits: usize) -> usize {
                columns::limbs(modulus_bits)
            }

            fn limb(value: u64) -> u32 {
                value as u32
            }

            type Ready<'m> = Plain<'m, u32>;

            fn ready<'m>(modulus: &'m [u32], inverse: &'m [u32]) -> Plain<'m, u32> {
                Plain { modulus, inverse }
            }

            fn square(x: &mut [u32], &mut Plain { modulus, inverse }: &mut Plain<'_, u32>) {
                columns::square::<Self>(x, modulus, inverse);
            }

            fn multiply(x: &mut [u32], y: &[u32], &mut Plain { modulus, inverse }: &mut Plain<'_, u32>) {
                columns::multiply::<Self>(x, y, modulus, inverse);
            }
        }
    };
}
pub(super) use kernel;

/// x = x · x / R mod n, below 2n.
pub(super) fn square<D: Dot>(x: &mut [u32], modulus: &[u32], inverse: &[u32]) {
    let mut product = [0; 2 * MAX_LIMBS];
    let Some(product) = product.get_mut(..2 * x.len()) else { return };
    let reversed = Reversed::new(x);
    let mut carry = 0;
    for (half, digits) in product.as_chunks_mut::<2>().0.iter_mut().enumerate() {
        // Columns 2 · half and 2 · half + 1. Each product of two different limbs is computed once, and doubled at the end.
        let from = (2 * half + 1).saturating_sub(x.len());
        let [even, odd] = reversed.columns::<D>(x, 2 * half, align(from, half)..half);
        let (middle, next) = (limb(x, half), limb(x, half + 1));
        carry = settle(digits, [2 * even + middle * middle, 2 * (odd + middle * next)], carry);
    }
    reduce::<D>(x, product, modulus, inverse);
}

/// x = x · y / R mod n, below 2n.
pub(super) fn multiply<D: Dot>(x: &mut [u32], y: &[u32], modulus: &[u32], inverse: &[u32]) {
    let mut product = [0; 2 * MAX_LIMBS];
    let Some(product) = product.get_mut(..2 * x.len()) else { return };
    let reversed = Reversed::new(y);
    let mut carry = 0;
    for (half, digits) in product.as_chunks_mut::<2>().0.iter_mut().enumerate() {
        let range = (2 * half + 1).saturating_sub(x.len())..(2 * half + 2).min(x.len());
        carry = settle(digits, reversed.columns::<D>(x, 2 * half, range), carry);
    }
    reduce::<D>(x, product, modulus, inverse);
}

/// REDC: x = product / R mod n, below 2n if the product is below 4n^2. `inverse` is n0' = -n^-1 mod 2^28.
///
/// Adds the multiple m · n that makes the low half zero. The limbs of m result one by one, from the lowest column up.
fn reduce<D: Dot>(x: &mut [u32], product: &[u32], modulus: &[u32], inverse: &[u32]) {
    let Some((low, high)) = product.split_at_checked(modulus.len()) else { return };
    let reversed = Reversed::new(modulus);
    let (n0, n1) = (limb(modulus, 0), limb(modulus, 1));
    let inverse = limb(inverse, 0);
    let mut m = [0; MAX_LIMBS];
    let mut carry = 0;
    for (half, digits) in low.as_chunks::<2>().0.iter().enumerate() {
        // The limbs of m from this column on are still zero, so the range may end after them.
        let range = 0..(2 * half).next_multiple_of(4).min(MAX_LIMBS);
        let [even, odd] = reversed.columns::<D>(&m, 2 * half, range);
        let sum = even + carry + u64::from(digits[0]);
        let m0 = sum.wrapping_mul(inverse) & MASK;
        carry = (sum + m0 * n0) >> LIMB_BITS;
        let sum = odd + m0 * n1 + carry + u64::from(digits[1]);
        let m1 = sum.wrapping_mul(inverse) & MASK;
        carry = (sum + m1 * n0) >> LIMB_BITS;
        if let Some(m) = m.as_chunks_mut::<2>().0.get_mut(half) {
            *m = [m0 as u32, m1 as u32];
        }
    }
    for (half, (digits, x)) in high.as_chunks::<2>().0.iter().zip(x.as_chunks_mut::<2>().0).enumerate() {
        let range = align(2 * half + 1, modulus.len())..modulus.len();
        let [even, odd] = reversed.columns::<D>(&m, modulus.len() + 2 * half, range);
        carry = settle(x, [even + u64::from(digits[0]), odd + u64::from(digits[1])], carry);
    }
}

/// Stores the low bits of two columns in their digits, and returns the carry.
#[inline(always)]
fn settle(digits: &mut [u32; 2], sums: [u64; 2], carry: u64) -> u64 {
    let even = sums[0] + carry;
    let odd = sums[1] + (even >> LIMB_BITS);
    *digits = [(even & MASK) as u32, (odd & MASK) as u32];
    odd >> LIMB_BITS
}

#[inline(always)]
fn limb(limbs: &[u32], at: usize) -> u64 {
    limbs.get(at).copied().unwrap_or_default().into()
}

/// Lowers the start of a range until its length is a multiple of four, or the start is zero. The additional limbs of one factor are multiplied
/// by the zeros above the last limb of the other.
#[inline(always)]
fn align(from: usize, to: usize) -> usize {
    from.saturating_sub(from.wrapping_sub(to) % 4)
}

/// The number of zeros on both sides of a number, because a column may reach beyond its ends.
const PADDING: usize = 4;

/// A number with its limbs in reverse, so that both factors of the products of a column are read in ascending order.
struct Reversed {
    limbs: [u32; MAX_LIMBS + 2 * PADDING],
    count: usize,
}

impl Reversed {
    fn new(limbs: &[u32]) -> Self {
        let mut reversed = Self { limbs: [0; MAX_LIMBS + 2 * PADDING], count: limbs.len() };
        for (to, from) in reversed.limbs.iter_mut().skip(PADDING).zip(limbs.iter().rev()) {
            *to = *from;
        }
        reversed
    }

    /// Returns the sums of `x[i]` · `y[column - i]` and of `x[i]` · `y[column + 1 - i]` for the i of a range.
    #[inline(always)]
    fn columns<D: Dot>(&self, x: &[u32], column: usize, range: core::ops::Range<usize>) -> [u64; 2] {
        // y[column + 1 - i] is limbs[start + i], y[column - i] is limbs[start + i + 1].
        let start = (PADDING + self.count).wrapping_sub(column + 2);
        let window = start.wrapping_add(range.start)..start.wrapping_add(range.end).wrapping_add(1);
        match (x.get(range), self.limbs.get(window)) {
            (Some(x), Some(y)) => D::dot(x, y),
            _ => [0; 2],
        }
    }
}
