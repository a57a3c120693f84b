//! The kernel for wasm32 with `simd128`: two products of 64 bits in each instruction.

use super::columns::{self, Dot};
use super::kernel::{Kernel, Plain};

/// Limbs of 28 bits, multiplied in lanes. See the module `columns` for the algorithm and its sources.
pub enum Simd {}

columns::kernel!(Simd);

impl Dot for Simd {
    #[inline(always)]
    fn dot(x: &[u32], y: &[u32]) -> [u64; 2] {
        let (Some((_, above)), Some((_, y))) = (y.split_first(), y.split_last()) else { return [0; 2] };
        let ((x, x_rest), (y, y_rest), (above, above_rest)) = (x.as_chunks(), y.as_chunks(), above.as_chunks());
        let (mut even, mut odd) = (lanes::zero(), lanes::zero());
        let mut step = |x: &[u32; 4], y: &[u32; 4], above: &[u32; 4]| {
            let (x, y, above) = (lanes::load(x), lanes::load(y), lanes::load(above));
            even = lanes::add(even, lanes::add(lanes::multiply_low(x, above), lanes::multiply_high(x, above)));
            odd = lanes::add(odd, lanes::add(lanes::multiply_low(x, y), lanes::multiply_high(x, y)));
        };
        // Four steps in each iteration, because a runtime that can interrupt loops checks for it in each iteration.
        let ((x, x_steps), (y, y_steps), (above, above_steps)) =
            (x.as_chunks::<4>(), y.as_chunks::<4>(), above.as_chunks::<4>());
        for ((x, y), above) in x.iter().zip(y).zip(above) {
            step(&x[0], &y[0], &above[0]);
            step(&x[1], &y[1], &above[1]);
            step(&x[2], &y[2], &above[2]);
            step(&x[3], &y[3], &above[3]);
        }
        for ((x, y), above) in x_steps.iter().zip(y_steps).zip(above_steps) {
            step(x, y, above);
        }
        let (mut even, mut odd) = (lanes::sum(even), lanes::sum(odd));
        for ((x, y), above) in x_rest.iter().zip(y_rest).zip(above_rest) {
            even += u64::from(*x) * u64::from(*above);
            odd += u64::from(*x) * u64::from(*y);
        }
        [even, odd]
    }
}

/// The vector instructions. They are safe functions, because `simd128` is enabled for the whole build. A load is written as four limbs, which
/// LLVM combines to one `v128.load`. So this kernel has no unsafe code either.
#[cfg(all(target_family = "wasm", target_feature = "simd128"))]
mod lanes {
    use core::arch::wasm32 as wasm;
    pub(super) use wasm::{
        i64x2_add as add, u64x2_extmul_high_u32x4 as multiply_high, u64x2_extmul_low_u32x4 as multiply_low,
    };

    pub(super) fn zero() -> wasm::v128 {
        wasm::u64x2_splat(0)
    }

    pub(super) fn load(limbs: &[u32; 4]) -> wasm::v128 {
        wasm::u32x4(limbs[0], limbs[1], limbs[2], limbs[3])
    }

    pub(super) fn sum(lanes: wasm::v128) -> u64 {
        wasm::u64x2_extract_lane::<0>(lanes) + wasm::u64x2_extract_lane::<1>(lanes)
    }
}

/// The same functions on arrays, so that the kernel can be tested on any target.
#[cfg(not(all(target_family = "wasm", target_feature = "simd128")))]
mod lanes {
    pub(super) fn zero() -> [u64; 2] {
        [0; 2]
    }

    pub(super) fn load(limbs: &[u32; 4]) -> [u32; 4] {
        *limbs
    }

    pub(super) fn add(x: [u64; 2], y: [u64; 2]) -> [u64; 2] {
        [x[0].wrapping_add(y[0]), x[1].wrapping_add(y[1])]
    }

    pub(super) fn multiply_low(x: [u32; 4], y: [u32; 4]) -> [u64; 2] {
        [u64::from(x[0]) * u64::from(y[0]), u64::from(x[1]) * u64::from(y[1])]
    }

    pub(super) fn multiply_high(x: [u32; 4], y: [u32; 4]) -> [u64; 2] {
        [u64::from(x[2]) * u64::from(y[2]), u64::from(x[3]) * u64::from(y[3])]
    }

    pub(super) fn sum(lanes: [u64; 2]) -> u64 {
        lanes[0] + lanes[1]
    }
}
