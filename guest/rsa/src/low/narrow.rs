//! The kernel for targets with neither `wide-arithmetic` nor `simd128`: one product of 64 bits at a time.

use super::columns::{self, Dot};
use super::kernel::{Kernel, Plain};

/// Limbs of 28 bits, multiplied one by one. See the module `columns` for the algorithm and its sources.
pub enum Narrow {}

columns::kernel!(Narrow);

impl Dot for Narrow {
    #[inline(always)]
    fn dot(x: &[u32], y: &[u32]) -> [u64; 2] {
        let (Some((_, above)), Some((_, y))) = (y.split_first(), y.split_last()) else { return [0; 2] };
        let ((x, x_rest), (y, y_rest), (above, above_rest)) =
            (x.as_chunks::<4>(), y.as_chunks::<4>(), above.as_chunks::<4>());
        let (mut even, mut odd) = (0, 0);
        for ((x, y), above) in x.iter().zip(y).zip(above) {
            even +=
                product(x[0], above[0]) + product(x[1], above[1]) + product(x[2], above[2]) + product(x[3], above[3]);
            odd += product(x[0], y[0]) + product(x[1], y[1]) + product(x[2], y[2]) + product(x[3], y[3]);
        }
        for ((x, y), above) in x_rest.iter().zip(y_rest).zip(above_rest) {
            even += product(*x, *above);
            odd += product(*x, *y);
        }
        [even, odd]
    }
}

fn product(x: u32, y: u32) -> u64 {
    u64::from(x) * u64::from(y)
}
