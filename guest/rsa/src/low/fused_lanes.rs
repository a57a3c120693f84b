//! Two doubles at a time: exact products in two halves, as doubles whose bits can be summed as integers.
//!
//! A half h is represented by the double B + h, where B is so large that its last bit counts one (or 2^50 for the high half). So the bits of that
//! double, as an integer, are the bits of B plus h. [`start`] subtracts all B in advance.

/// 3 · 2^101. Its last bit counts 2^50, also for numbers up to 2^101 below and above it. (A limb can be slightly negative.)
const HIGH: f64 = (3u128 << 101) as f64;
/// 3 · 2^51. Its last bit counts one, also for numbers up to 2^51 below and above it. (The low half has a sign.)
const LOW: f64 = (3u64 << 51) as f64;

pub(super) use vectors::*;

/// [`HIGH`], and [`HIGH`] + [`LOW`]. They are hidden from the compiler, because a WebAssembly engine would load a constant again at each use, even
/// in the innermost loop.
#[derive(Clone, Copy)]
pub(super) struct Bases {
    high: Lanes,
    both: Lanes,
}

impl Bases {
    pub(super) fn new() -> Self {
        let hidden = |base: f64| splat(core::hint::black_box(base));
        Self { high: hidden(HIGH), both: hidden(HIGH + LOW) }
    }
}

/// A way to compute a product exactly.
pub(super) trait Products {
    /// Returns the low and the high half of x · y, which is less than 2^101: `LOW` + l and `HIGH` + h · 2^50, with x · y = l + h · 2^50.
    fn products(x: Lanes, y: Lanes, bases: Bases) -> (Lanes, Lanes);
}

/// Rounds a product and a sum once (fused multiply-add).
pub(super) enum Fused {}

impl Products for Fused {
    #[inline(always)]
    fn products(x: Lanes, y: Lanes, bases: Bases) -> (Lanes, Lanes) {
        let high = multiply_add(x, y, bases.high);
        (multiply_add(x, y, subtract(bases.both, high)), high)
    }
}

/// Rounds the product and the sum: Dekker 1971, "A floating-point technique for extending the available precision". For processors without
/// fused multiply-add, and for tests on other targets.
pub(super) enum Dekker {}

impl Products for Dekker {
    #[inline(always)]
    fn products(x: Lanes, y: Lanes, bases: Bases) -> (Lanes, Lanes) {
        let product = multiply(x, y);
        let ((x_high, x_low), (y_high, y_low)) = (split(x), split(y));
        let rest = subtract(multiply(x_high, y_high), product);
        let rest = plus(rest, plus(multiply(x_high, y_low), multiply(x_low, y_high)));
        let rest = plus(rest, multiply(x_low, y_low));
        let high = plus(product, bases.high);
        let low = plus(subtract(product, subtract(high, bases.high)), rest);
        (plus(low, splat(LOW)), high)
    }
}

/// Splits a double into two halves of at most 26 bits (Veltkamp).
#[inline(always)]
fn split(x: Lanes) -> (Lanes, Lanes) {
    let scaled = multiply(x, splat(((1 << 27) + 1) as f64));
    let high = subtract(scaled, subtract(scaled, x));
    (high, subtract(x, high))
}

/// Returns the initial values of the sums of `steps` low and high halves.
#[inline(always)]
pub(super) fn start(steps: i64) -> (Lanes, Lanes) {
    let minus = |base: f64| from_integer((base.to_bits() as i64).wrapping_mul(steps).wrapping_neg());
    (minus(LOW), minus(HIGH))
}

/// Converts two limbs to doubles. They fit, because they have at most 50 bits.
#[inline(always)]
pub(super) fn doubles(limbs: [u64; 2]) -> [f64; 2] {
    limbs.map(|limb| double(limb as i64))
}

/// Converts a number between -2^51 and 2^51 to a double.
#[inline(always)]
pub(super) fn double(number: i64) -> f64 {
    f64::from_bits(LOW.to_bits().wrapping_add_signed(number)) - LOW
}

#[cfg(all(target_family = "wasm", target_feature = "relaxed-simd"))]
mod vectors {
    use core::arch::wasm32 as wasm;
    pub(in super::super) use wasm::{
        f64x2_add as plus, f64x2_mul as multiply, f64x2_relaxed_madd as multiply_add, f64x2_splat as splat,
        f64x2_sub as subtract, i64x2_add as add, i64x2_splat as from_integer, v128 as Lanes,
    };

    #[inline(always)]
    pub(in super::super) fn load(limbs: &[f64; 2]) -> Lanes {
        wasm::f64x2(limbs[0], limbs[1])
    }

    #[inline(always)]
    pub(in super::super) fn store(sums: &mut [i64; 2], lanes: Lanes) {
        *sums = [wasm::i64x2_extract_lane::<0>(lanes), wasm::i64x2_extract_lane::<1>(lanes)];
    }

    /// Returns whether `f64x2.relaxed_madd` rounds once. The engine may choose, but always in the same way
    /// (WebAssembly 3.0, "Relaxed operations"; <https://webassembly.github.io/spec/core/exec/numerics.html>).
    #[inline(always)]
    pub(in super::super) fn is_fused() -> bool {
        // (1 + 2^-30)^2 = 1 + 2^-29 + 2^-60, whose last term does not fit in a double.
        let x = core::hint::black_box(1.0 + 1.0 / f64::from(1 << 30));
        let (x, rounded) = (splat(x), splat(-(x * x)));
        wasm::f64x2_extract_lane::<0>(multiply_add(x, x, rounded)) != 0.0
    }
}

/// The same functions on arrays, so that the kernel can be tested on any target. They use Dekker's algorithm.
#[cfg(not(all(target_family = "wasm", target_feature = "relaxed-simd")))]
mod vectors {
    pub(in super::super) type Lanes = [f64; 2];

    fn each(x: Lanes, y: Lanes, operation: impl Fn(f64, f64) -> f64) -> Lanes {
        [operation(x[0], y[0]), operation(x[1], y[1])]
    }

    pub(in super::super) fn splat(x: f64) -> Lanes {
        [x; 2]
    }

    pub(in super::super) fn load(limbs: &[f64; 2]) -> Lanes {
        *limbs
    }

    pub(in super::super) fn store(sums: &mut [i64; 2], lanes: Lanes) {
        *sums = lanes.map(|lane| lane.to_bits() as i64);
    }

    pub(in super::super) fn from_integer(x: i64) -> Lanes {
        [f64::from_bits(x as u64); 2]
    }

    pub(in super::super) fn add(x: Lanes, y: Lanes) -> Lanes {
        each(x, y, |x, y| f64::from_bits(x.to_bits().wrapping_add(y.to_bits())))
    }

    pub(in super::super) fn plus(x: Lanes, y: Lanes) -> Lanes {
        each(x, y, |x, y| x + y)
    }

    pub(in super::super) fn subtract(x: Lanes, y: Lanes) -> Lanes {
        each(x, y, |x, y| x - y)
    }

    pub(in super::super) fn multiply(x: Lanes, y: Lanes) -> Lanes {
        each(x, y, |x, y| x * y)
    }

    pub(in super::super) fn multiply_add(x: Lanes, y: Lanes, z: Lanes) -> Lanes {
        plus(multiply(x, y), z)
    }

    pub(in super::super) fn is_fused() -> bool {
        false
    }
}
