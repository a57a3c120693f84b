//! The kernel for wasm32 with `relaxed-simd`: exact products of 100 bits, two at a time, from fused multiply-adds on doubles.
//!
//! A double has 53 bits, so it can't represent the product of two limbs of 50 bits exactly. But a fused multiply-add rounds only once. Let
//! C = 3 · 2^101, whose last bit counts 2^50. Then h = x · y + C is C plus the rounded high half of the product, and x · y + (C - h) is exactly
//! the remainder of the rounding (Emmart, Zheng, Weems 2018, "Faster modular exponentiation using double precision floating point arithmetic on
//! the GPU"). The bits of the two doubles are summed as integers, so a column needs no carries. See `lanes` for the arithmetic.
//!
//! Montgomery reduction computes all of m at once, m = t · n' mod R with n' = -n^-1 mod R, so that no limb depends on the previous one. Only
//! the upper half of m · n and the two columns below it are computed. These two columns determine the carry out of the lower half, because
//! t + m · n is a multiple of R.

use super::kernel::Kernel;
use lanes::{Bases, Dekker, Fused, Lanes, Products};

#[path = "fused_lanes.rs"]
mod lanes;

/// The bits of a limb. The arithmetic allows one more; with 50, a limb may also be doubled, or not fully reduced.
const LIMB_BITS: u32 = 50;
const MASK: i64 = (1 << LIMB_BITS) - 1;

/// The number of columns that are summed at the same time.
const WIDTH: usize = 6;
const PAIRS: usize = WIDTH / 2;

/// The number of columns below R from which m · n is computed.
const GUARDS: usize = 2;

/// The limbs of 4,096 bits.
const MAX_LIMBS: usize = limbs(4096);

/// Returns the number of limbs of a modulus, with two more bits for R ≥ 4n. 2,048 bits need exactly 41 limbs.
const fn limbs(modulus_bits: usize) -> usize {
    (modulus_bits + 2).div_ceil(LIMB_BITS as usize)
}

/// Limbs of 50 bits, multiplied as doubles.
pub enum FusedDoubles {}

impl Kernel for FusedDoubles {
    type Limb = u64;

    const LIMB_BITS: u32 = LIMB_BITS;

    fn inverse_limbs(limbs: usize) -> usize {
        limbs
    }

    fn limbs(modulus_bits: usize) -> usize {
        limbs(modulus_bits)
    }

    fn limb(value: u64) -> u64 {
        value
    }

    type Ready<'m> = Workspace;

    fn ready<'m>(modulus: &'m [u64], inverse: &'m [u64]) -> Workspace {
        Workspace::new(modulus, inverse)
    }

    fn square(x: &mut [u64], workspace: &mut Workspace) {
        match workspace.is_fused {
            true => workspace.square::<Fused>(x),
            false => workspace.square::<Dekker>(x),
        }
    }

    fn multiply(x: &mut [u64], y: &[u64], workspace: &mut Workspace) {
        match workspace.is_fused {
            true => workspace.multiply::<Fused>(x, y),
            false => workspace.multiply::<Dekker>(x, y),
        }
    }
}

/// A modulus, and buffers. Clearing the buffers for each product would take a fifth of its time. So each buffer has one use, and everything
/// that is read from it was either written just before or is still zero.
pub struct Workspace {
    is_fused: bool,
    bases: Bases,
    modulus: Reversed,
    /// n' = -n^-1 mod R.
    inverse: Reversed,
    /// One factor of the current product: x, then t, then m.
    number: Number,
    factor: Reversed,
    t: Columns,
    m: Columns,
    /// m · n.
    sums: Columns,
}

impl Workspace {
    fn new(modulus: &[u64], inverse: &[u64]) -> Self {
        let reversed = |limbs: &[u64]| {
            let mut reversed = Reversed::new(limbs.len());
            reversed.set(limbs, 1.0);
            reversed
        };
        Self {
            is_fused: lanes::is_fused(),
            bases: Bases::new(),
            modulus: reversed(modulus),
            inverse: reversed(inverse),
            number: Number::new(),
            factor: Reversed::new(modulus.len()),
            t: Columns::new(),
            m: Columns::new(),
            sums: Columns::new(),
        }
    }

    fn square<P: Products>(&mut self, x: &mut [u64]) {
        self.number.set(x);
        self.factor.set(x, 2.0);
        for column in (0..2 * x.len()).step_by(WIDTH) {
            // Each product of two different limbs is computed once, with one limb doubled: first the products before the middle, then those
            // at the middle.
            let middle = column / 2;
            let (own, windows) = self.number.diagonal(middle);
            let before = self.factor.factors(&self.number, column, (column + 1).saturating_sub(x.len())..middle);
            self.t.set(column, Sums::of::<P, _>(self.bases, [before, (&own, &windows)]));
        }
        self.reduce::<P>(x);
    }

    fn multiply<P: Products>(&mut self, x: &mut [u64], y: &[u64]) {
        self.number.set(x);
        self.factor.set(y, 1.0);
        for column in (0..2 * x.len()).step_by(WIDTH) {
            let range = (column + 1).saturating_sub(x.len())..(column + WIDTH).min(x.len());
            self.t.set(column, Sums::of::<P, _>(self.bases, [self.factor.factors(&self.number, column, range)]));
        }
        self.reduce::<P>(x);
    }

    /// REDC: x = t / R mod n, below 2n if t is below 4n^2.
    fn reduce<P: Products>(&mut self, x: &mut [u64]) {
        let count = x.len();
        self.t.settle_loosely(&mut self.number, count);
        for column in (0..count).step_by(WIDTH) {
            let factors = self.inverse.factors(&self.number, column, 0..(column + WIDTH).min(count));
            self.m.set(column, Sums::of::<P, _>(self.bases, [factors]));
        }
        // x stores m, until it receives the result.
        self.m.settle(None, x, 0, 0);
        self.number.set(x);
        let start = count.saturating_sub(GUARDS);
        for column in (start..2 * count).step_by(WIDTH) {
            let range = (column + 1).saturating_sub(count)..(column + WIDTH).min(count);
            self.sums.set(column, Sums::of::<P, _>(self.bases, [self.modulus.factors(&self.number, column, range)]));
        }
        // The columns below `start` are not computed. Their contribution is more than -2^58 and less than 2^58. With it, the columns from
        // `start` up to R would sum to a multiple of 2^100. So an initial carry of 2^58 gives the correct carry into the column of R.
        let mut carry = 1 << 58;
        for column in start..count {
            carry = (self.t.sum(column) + self.sums.sum(column) + carry) >> LIMB_BITS;
        }
        self.sums.settle(Some(&self.t), x, count, carry);
    }
}

/// A number as doubles, with zeros on both sides, because a column may reach beyond its ends.
struct Number {
    limbs: [f64; MAX_LIMBS + 3 * WIDTH],
}

impl Number {
    fn new() -> Self {
        Self { limbs: [0.0; MAX_LIMBS + 3 * WIDTH] }
    }

    /// Stores limbs, whose number is always the same.
    fn set(&mut self, limbs: &[u64]) {
        if let Some(own) = self.limbs.get_mut(WIDTH..) {
            let (pairs, last) = limbs.as_chunks();
            for (to, from) in own.as_chunks_mut().0.iter_mut().zip(pairs) {
                *to = lanes::doubles(*from);
            }
            if let (Some(to), [from]) = (own.get_mut(2 * pairs.len()), last) {
                *to = lanes::double(*from as i64);
            }
        }
    }

    /// Returns the factors of the products around the middle of the columns of a square: the first [`PAIRS`] limbs from `middle` on, in reverse
    /// order, and the limbs from which the windows of their factors are taken. The products of two of the first limbs occur in both orders. The
    /// limbs after them are doubled, because their products occur once.
    #[inline(always)]
    fn diagonal(&self, middle: usize) -> ([f64; PAIRS], [f64; WIDTH + PAIRS - 1]) {
        let (mut own, mut windows) = ([0.0; PAIRS], [0.0; WIDTH + PAIRS - 1]);
        if let Some((first, rest)) = self
            .limbs
            .get(WIDTH + middle..)
            .and_then(|limbs| limbs.first_chunk::<WIDTH>())
            .map(|limbs| limbs.split_at(PAIRS))
        {
            for (to, from) in own.iter_mut().rev().zip(first) {
                *to = *from;
            }
            for (to, from) in windows.iter_mut().skip(PAIRS - 1).zip(first) {
                *to = *from;
            }
            for (to, from) in windows.iter_mut().skip(2 * PAIRS - 1).zip(rest) {
                *to = 2.0 * from;
            }
        }
        (own, windows)
    }
}

/// The limbs that are multiplied in a block of columns: limbs in ascending order, and for each a window of [`WIDTH`] limbs.
type Factors<'a> = (&'a [f64], &'a [f64]);

/// A number with its limbs in reverse, so that both factors of the products of a column are read in ascending order.
struct Reversed {
    limbs: [f64; MAX_LIMBS],
    count: usize,
}

impl Reversed {
    fn new(count: usize) -> Self {
        Self { limbs: [0.0; MAX_LIMBS], count }
    }

    /// Stores `count` limbs, each multiplied by a factor.
    fn set(&mut self, limbs: &[u64], factor: f64) {
        let (last, pairs) = limbs.as_rchunks();
        for (to, [low, high]) in self.limbs.as_chunks_mut().0.iter_mut().zip(pairs.iter().rev()) {
            *to = lanes::doubles([*high, *low]).map(|limb| limb * factor);
        }
        if let (Some(to), [from]) = (self.limbs.get_mut(2 * pairs.len()), last) {
            *to = lanes::double(*from as i64) * factor;
        }
    }

    /// Returns the factors of `self[i]` · `y[column - i]` for the i of a range, and of the following columns.
    fn factors<'a>(&'a self, y: &'a Number, column: usize, range: core::ops::Range<usize>) -> Factors<'a> {
        let steps = range.len();
        let (x_from, y_from) = (self.count - range.end, (column + 1 + WIDTH) - range.end);
        match (self.limbs.get(x_from..x_from + steps), y.limbs.get(y_from..y_from + steps + WIDTH - 1)) {
            (Some(x), Some(y)) => (x, y),
            _ => (&[], &[]),
        }
    }
}

/// The sums of the low and the high halves of the products in [`WIDTH`] columns.
struct Sums {
    low: [Lanes; PAIRS],
    high: [Lanes; PAIRS],
}

impl Sums {
    #[inline(always)]
    fn of<P: Products, const RUNS: usize>(bases: Bases, all: [Factors<'_>; RUNS]) -> Self {
        let (low, high) = lanes::start(all.iter().map(|(x, _)| x.len() as i64).sum());
        let mut sums = Self { low: [low; PAIRS], high: [high; PAIRS] };
        for (x, y) in all {
            for (x, window) in x.iter().zip(y.array_windows::<WIDTH>()) {
                let x = lanes::splat(*x);
                for ((low, high), y) in sums.low.iter_mut().zip(&mut sums.high).zip(window.as_chunks().0) {
                    let product = P::products(x, lanes::load(y), bases);
                    *low = lanes::add(*low, product.0);
                    *high = lanes::add(*high, product.1);
                }
            }
        }
        sums
    }
}

/// The sums of all columns of a product.
struct Columns {
    low: [i64; 2 * MAX_LIMBS + 2 * WIDTH],
    /// Shifted by one column, because the high half of a product belongs to the next column. The columns before the first one that is set are
    /// zero.
    high: [i64; 2 * MAX_LIMBS + 2 * WIDTH],
}

impl Columns {
    fn new() -> Self {
        Self { low: [0; 2 * MAX_LIMBS + 2 * WIDTH], high: [0; 2 * MAX_LIMBS + 2 * WIDTH] }
    }

    #[inline(always)]
    fn set(&mut self, column: usize, sums: Sums) {
        let low = self.low.get_mut(column..).and_then(|low| low.first_chunk_mut::<WIDTH>());
        let high = self.high.get_mut(column + 1..).and_then(|high| high.first_chunk_mut::<WIDTH>());
        let (Some(low), Some(high)) = (low, high) else { return };
        for (to, from) in low.as_chunks_mut().0.iter_mut().zip(sums.low) {
            lanes::store(to, from);
        }
        for (to, from) in high.as_chunks_mut().0.iter_mut().zip(sums.high) {
            lanes::store(to, from);
        }
    }

    #[inline(always)]
    fn sum(&self, column: usize) -> i64 {
        match (self.low.get(column), self.high.get(column)) {
            (Some(low), Some(high)) => low + high,
            _ => 0,
        }
    }

    /// Stores the lowest `count` columns as a number with the same residue mod R. The carry of each column is added to the next, but not
    /// propagated further, so limbs can be slightly longer than 50 bits, or slightly negative.
    fn settle_loosely(&self, number: &mut Number, count: usize) {
        let mut carry = 0;
        for ((to, low), high) in number.limbs.iter_mut().skip(WIDTH).zip(&self.low).zip(&self.high).take(count) {
            let sum = low + high;
            *to = lanes::double((sum & MASK) + carry);
            carry = sum >> LIMB_BITS;
        }
    }

    /// Stores the columns from `from` on, of this product plus another, as a number.
    #[inline(always)]
    fn settle(&self, other: Option<&Self>, x: &mut [u64], from: usize, mut carry: i64) {
        for (x, column) in x.iter_mut().zip(from..) {
            let sum = self.sum(column) + other.map_or(0, |other| other.sum(column)) + carry;
            *x = (sum & MASK) as u64;
            carry = sum >> LIMB_BITS;
        }
    }
}
