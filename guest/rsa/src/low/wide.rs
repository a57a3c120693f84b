//! The kernel for `wide-arithmetic` in WebAssembly (`i64.mul_wide_u`, `i64.add128`) and for native 64-bit targets.
//!
//! Squaring and multiplying by product scanning ("Comba's method"), then Montgomery reduction: Koç, Acar, Kaliski 1996,
//! "Analyzing and comparing Montgomery multiplication algorithms", separated operand scanning (SOS), with blocks of
//! `BLOCK` limbs as the operands that are scanned. Three choices make it fast:
//!
//! - 61 bits in a limb, a redundant radix (Gueron, Krasnov 2012, "Software implementation of modular exponentiation,
//!   using advanced vector instructions architectures"): a product has 122 bits, so the 17 products of a block's column
//!   are summed in 128 bits with one addition each, without a third word for the carry.
//! - 17 such limbs make a block, 1,037 bits. So 2,048, 3,072 and 4,096 bits are 2, 3 and 4 blocks, with two bits or more
//!   to spare, and the same unrolled code serves all three.
//! - Products are subtracted, not added. LLVM reorders a chain of additions so that all products of a column are computed
//!   before the first is added, and cranelift then keeps them on the stack. It does not reorder subtractions.

use super::kernel::{Kernel, Plain};

/// The bits of a limb.
const LIMB_BITS: u32 = 61;
const MASK: u64 = (1 << LIMB_BITS) - 1;
/// The number of limbs of a block. Every number consists of whole blocks.
const BLOCK: usize = 17;
/// The limbs of 4,096 bits.
const MAX_LIMBS: usize = 4 * BLOCK;

/// Limbs of 61 bits with products of 122 bits.
pub enum Wide {}

impl Kernel for Wide {
    type Limb = u64;

    const LIMB_BITS: u32 = LIMB_BITS;

    fn inverse_limbs(_: usize) -> usize {
        BLOCK
    }

    fn limbs(modulus_bits: usize) -> usize {
        modulus_bits.div_ceil(1024) * BLOCK
    }

    fn limb(value: u64) -> u64 {
        value
    }

    type Ready<'m> = Plain<'m, u64>;

    fn ready<'m>(modulus: &'m [u64], inverse: &'m [u64]) -> Plain<'m, u64> {
        Plain { modulus, inverse }
    }

    fn square(x: &mut [u64], &mut Plain { modulus, inverse }: &mut Plain<'_, u64>) {
        let mut product = [0; 2 * MAX_LIMBS];
        let Some(product) = product.get_mut(..2 * x.len()) else { return };
        let mut rows = &mut *product;
        let mut blocks = &*x;
        while !blocks.is_empty() {
            square_row(rows, blocks);
            rows = rows.get_mut(2 * BLOCK..).unwrap_or_default();
            blocks = blocks.get(BLOCK..).unwrap_or_default();
        }
        reduce(x, product, modulus, inverse);
    }

    fn multiply(x: &mut [u64], y: &[u64], &mut Plain { modulus, inverse }: &mut Plain<'_, u64>) {
        let mut product = [0; 2 * MAX_LIMBS];
        let Some(product) = product.get_mut(..2 * x.len()) else { return };
        let mut rows = &mut *product;
        for block in x.as_chunks::<BLOCK>().0 {
            multiply_row(rows, block, y);
            rows = rows.get_mut(BLOCK..).unwrap_or_default();
        }
        reduce(x, product, modulus, inverse);
    }
}

/// REDC: x = product / R mod n, below 2n, where `product` holds *minus* a product below 4n^2.
///
/// Each row subtracts the multiple m · n that makes its block zero. The rest above it is minus the result.
fn reduce(x: &mut [u64], product: &mut [u64], modulus: &[u64], inverse: &[u64]) {
    let mut rows = product;
    for _ in 0..x.len() / BLOCK {
        reduce_row(rows, modulus, inverse);
        rows = rows.get_mut(BLOCK..).unwrap_or_default();
    }
    let mut borrow = 0;
    for (x, digit) in x.iter_mut().zip(rows) {
        let difference = 0i64.wrapping_sub_unsigned(*digit).wrapping_add(borrow);
        *x = difference as u64 & MASK;
        borrow = difference >> LIMB_BITS;
    }
}

/// Calls a macro for each column, so that each column is compiled separately, with a constant number.
macro_rules! each {
    ($column:ident: $($number:literal)*) => { $( $column!($number); )* };
}

/// t = t - m · n, for the m of one block that makes the first block of t zero. `inverse` is n' = -n^-1 mod 2^1037.
///
/// All of m is computed first, as the low half of t · n^-1, so that no limb of m depends on the previous one.
///
/// The first block of m · n is not subtracted, because the result is known to be zero. Only its carry k is needed. k follows from columns 15
/// and 16 of m · n:
///
/// - In units of 2^(61 · 16), let C be the first block of m · n, and T the first block of t. Then k · 2^61 = C - T exactly.
/// - T is between `t[16]` and `t[16]` + 1.
/// - C is more than column 16 + ceil(column 15 / 2^61) - 1. It exceeds this bound by less than 16, the maximum contribution of columns 0 to 14.
/// - So k is floor((column 16 + ceil(column 15 / 2^61) - `t[16]` + 19) / 2^61). The error of the estimate is far less than 2^61, the distance
///   between two multiples of 2^61.
#[inline(never)]
fn reduce_row(t: &mut [u64], modulus: &[u64], inverse: &[u64]) {
    let Some((low, t)) = t.split_first_chunk_mut::<BLOCK>() else { return };
    let (Some(n), Some((_, above))) = (modulus.first_chunk::<BLOCK>(), modulus.split_first()) else { return };
    let Some(inverse) = inverse.first_chunk::<BLOCK>() else { return };
    let mut m = [0; BLOCK];
    let mut carry = 0;
    macro_rules! column {
        ($c:literal) => {
            let sum = subtract_column::<$c, 0, { $c + 1 }, BLOCK, BLOCK>(carry, low, inverse);
            carry = settle(&mut m[$c], sum);
        };
    }
    each!(column: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16);
    let _ = carry; // It counts 2^1037 and above, and m is a residue.
    let column_15 = subtract_column::<15, 0, 16, BLOCK, BLOCK>(0, &m, n);
    let column_16 = subtract_column::<16, 0, BLOCK, BLOCK, BLOCK>(i128::from(low[16]) - 19, &m, n);
    let carry = -((-(column_16 + (column_15 >> LIMB_BITS))) >> LIMB_BITS);
    finish_row(t, carry, &m, above);
}

/// t = t - x · y, for an x of one block.
#[inline(never)]
fn multiply_row(t: &mut [u64], x: &[u64; BLOCK], y: &[u64]) {
    let Some((low, t)) = t.split_first_chunk_mut::<BLOCK>() else { return };
    let (Some(first), Some((_, above))) = (y.first_chunk::<BLOCK>(), y.split_first()) else { return };
    let mut carry = 0;
    macro_rules! column {
        ($c:literal) => {
            let sum = subtract_column::<$c, 0, { $c + 1 }, BLOCK, BLOCK>(carry + i128::from(low[$c]), x, first);
            carry = settle(&mut low[$c], sum);
        };
    }
    each!(column: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16);
    finish_row(t, carry, x, above);
}

/// t = t - x · (x + 2 · 2^1037 · rest): the square of a block, and twice its products with the blocks above it.
#[inline(never)]
fn square_row(t: &mut [u64], x: &[u64]) {
    let Some((low, t)) = t.split_first_chunk_mut::<{ 2 * BLOCK }>() else { return };
    let Some(own) = x.first_chunk::<BLOCK>() else { return };
    let doubled = own.map(|limb| limb << 1);
    let mut carry = 0;
    // Column c: 2 · x[j] · x[c - j] for j below c / 2, and x[c / 2]^2 if c is even.
    if let (Some(both), Some(above)) = (x.first_chunk::<{ 2 * BLOCK }>(), x.get(BLOCK + 1..)) {
        macro_rules! column {
            ($c:literal) => {
                let start = carry + i128::from(low[$c]) - middle::<$c>(own);
                let sum =
                    subtract_column::<$c, 0, { usize::div_ceil($c, 2) }, BLOCK, { 2 * BLOCK }>(start, &doubled, both);
                carry = settle(&mut low[$c], sum);
            };
        }
        each!(column: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);
        // From here on, a column can have more than 2 · 16 full products, which is too many for the 127 bits of one sum.
        macro_rules! column_in_halves {
            ($c:literal) => {
                let start = carry + i128::from(low[$c]) - middle::<$c>(own);
                let sum = subtract_column::<$c, 0, 8, BLOCK, { 2 * BLOCK }>(start, &doubled, both);
                carry = settle(&mut low[$c], sum);
                let start = i128::from(low[$c]);
                let sum =
                    subtract_column::<$c, 8, { usize::div_ceil($c, 2) }, BLOCK, { 2 * BLOCK }>(start, &doubled, both);
                carry += settle(&mut low[$c], sum);
            };
        }
        each!(column_in_halves: 32 33);
        let Some((full, t)) = t.split_at_mut_checked((above.len() + 1).saturating_sub(BLOCK)) else { return };
        for (digit, window) in full.iter_mut().zip(above.array_windows::<BLOCK>()) {
            let window = opaque(window);
            let start = carry + i128::from(*digit);
            let sum = subtract_column::<{ BLOCK - 1 }, 0, 8, BLOCK, BLOCK>(start, &doubled, window);
            carry = settle(digit, sum);
            let start = i128::from(*digit);
            let sum = subtract_column::<{ BLOCK - 1 }, 8, BLOCK, BLOCK, BLOCK>(start, &doubled, window);
            carry += settle(digit, sum);
        }
        let Some(last) = above.last_chunk() else { return };
        subtract_falling_columns(t, carry, &doubled, last);
    } else {
        macro_rules! column {
            ($c:literal) => {
                let start = carry + i128::from(low[$c]) - middle::<$c>(own);
                let sum = subtract_column::<
                    $c,
                    { usize::saturating_sub($c, BLOCK - 1) },
                    { usize::div_ceil($c, 2) },
                    BLOCK,
                    BLOCK,
                >(start, &doubled, own);
                carry = settle(&mut low[$c], sum);
            };
        }
        each!(column: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32);
        low[2 * BLOCK - 1] = low[2 * BLOCK - 1].wrapping_add_signed(carry as i64) & MASK;
    }
}

/// Subtracts the columns of a row above its first block: `t[k]` = `t[k]` - the sum of `x[j]` · `y[k + 16 - j]`. Here, `t` begins above the
/// first block, and `y` begins with its second limb. The loop handles the columns to which all limbs of x contribute.
#[inline(always)]
fn finish_row(t: &mut [u64], mut carry: i128, x: &[u64; BLOCK], y: &[u64]) {
    let Some((full, t)) = t.split_at_mut_checked((y.len() + 1).saturating_sub(BLOCK)) else { return };
    for (digit, window) in full.iter_mut().zip(y.array_windows::<BLOCK>()) {
        let window = opaque(window);
        let sum = subtract_column::<{ BLOCK - 1 }, 0, BLOCK, BLOCK, BLOCK>(carry + i128::from(*digit), x, window);
        carry = settle(digit, sum);
    }
    let Some(last) = y.last_chunk() else { return };
    subtract_falling_columns(t, carry, x, last);
}

/// Subtracts the remaining columns, to which only a part of x contributes, and the carry above them.
#[inline(never)]
fn subtract_falling_columns(t: &mut [u64], mut carry: i128, x: &[u64; BLOCK], last: &[u64; BLOCK - 1]) {
    let Some((falling, t)) = t.split_first_chunk_mut::<{ BLOCK - 1 }>() else { return };
    macro_rules! column {
        ($c:literal) => {
            let start = carry + i128::from(falling[$c]);
            let sum = subtract_column::<{ $c + BLOCK - 1 }, { $c + 1 }, BLOCK, BLOCK, { BLOCK - 1 }>(start, x, last);
            carry = settle(&mut falling[$c], sum);
        };
    }
    each!(column: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    for digit in t {
        if carry == 0 {
            break;
        }
        carry = settle(digit, carry + i128::from(*digit));
    }
}

/// start - the sum of `x[j]` · `y[COLUMN - j]` for j in `FROM..TO`.
///
/// The sum does not overflow. A column has at most 17 products of 122 bits, or 16 doubled ones. With a start of at least -2^66, there is room
/// for 32 products (32 · (2^61 - 1)^2 + 2^66 < 2^127). The start is the sum of a carry and a digit. The digit is not negative. The carry is a
/// sum of at least -2^127 without its low 61 bits, so it is at least -2^66.
#[inline(always)]
fn subtract_column<const COLUMN: usize, const FROM: usize, const TO: usize, const X: usize, const Y: usize>(
    start: i128,
    x: &[u64; X],
    y: &[u64; Y],
) -> i128 {
    let mut sum = start;
    let mut j = FROM;
    while j < TO {
        sum = sum.wrapping_sub(product(x[j], y[COLUMN - j]));
        j += 1;
    }
    sum
}

/// Returns the same reference, with its origin hidden from LLVM. Otherwise LLVM computes the address of each limb from the start of the whole
/// number, in 32 bits, with one more instruction for each product. In this way, the addresses become offsets of the loads.
#[inline(always)]
fn opaque(window: &[u64; BLOCK]) -> &[u64; BLOCK] {
    core::hint::black_box(window)
}

/// Returns `x[COLUMN / 2]^2`, if the column has such a limb in the middle.
#[inline(always)]
fn middle<const COLUMN: usize>(x: &[u64; BLOCK]) -> i128 {
    match x.get(COLUMN / 2) {
        Some(&limb) if COLUMN.is_multiple_of(2) => product(limb, limb),
        _ => 0,
    }
}

/// Returns the product of two limbs. With a doubled limb of 62 bits, it has 123 bits.
#[inline(always)]
fn product(x: u64, y: u64) -> i128 {
    (u128::from(x) * u128::from(y)) as i128
}

/// Stores the low bits of a column in its digit, and returns the carry, which may be negative.
#[inline(always)]
fn settle(digit: &mut u64, sum: i128) -> i128 {
    *digit = sum as u64 & MASK;
    sum >> LIMB_BITS
}
