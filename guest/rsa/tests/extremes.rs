//! Single Montgomery operations on the largest allowed factors, 2n - 1: the sum of a column must not overflow. (Tests are built with overflow
//! checks, so an overflow panics.)

use num_bigint::BigUint;
use poolgate_rsa::low::{Kernel, fused::FusedDoubles, narrow::Narrow, simd::Simd, wide::Wide};

fn limbs<K: Kernel>(number: &BigUint, count: usize) -> Vec<K::Limb> {
    let mask = BigUint::from((1u64 << K::LIMB_BITS) - 1);
    (0..count)
        .map(|at| (number >> (at * K::LIMB_BITS as usize)) & &mask)
        .map(|limb| K::limb(limb.try_into().expect("a limb fits in 64 bits")))
        .collect()
}

fn number<K: Kernel>(limbs: &[K::Limb]) -> BigUint {
    limbs.iter().rev().fold(BigUint::ZERO, |sum, &limb| (sum << K::LIMB_BITS) + limb.into())
}

fn check<K: Kernel>(n: &BigUint, bits: usize, x: &BigUint, y: &BigUint) {
    let count = K::limbs(bits);
    let r = BigUint::from(1u8) << (count * K::LIMB_BITS as usize);
    let block = BigUint::from(1u8) << (K::inverse_limbs(count) * K::LIMB_BITS as usize);
    let inverse = &block - n.modinv(&block).expect("n is odd");
    let (modulus, inverse) = (limbs::<K>(n, count), limbs::<K>(&inverse, K::inverse_limbs(count)));
    let mut ready = K::ready(&modulus, &inverse);
    let mut result = limbs::<K>(x, count);
    K::multiply(&mut result, &limbs::<K>(y, count), &mut ready);
    let product = number::<K>(&result);
    assert!(product < n * 2u8, "a product below 2n for {bits} bits");
    assert_eq!(product * &r % n, x * y % n, "a product for {bits} bits");
    let mut result = limbs::<K>(x, count);
    K::square(&mut result, &mut ready);
    let square = number::<K>(&result);
    assert!(square < n * 2u8, "a square below 2n for {bits} bits");
    assert_eq!(square * &r % n, x * x % n, "a square for {bits} bits");
}

#[test]
fn the_largest_factors_do_not_overflow_a_column() {
    for bits in [2048, 3072, 4096] {
        let power = BigUint::from(1u8) << bits;
        let moduli: [BigUint; 4] =
            [&power - 1u8, &power - 3u8, (&power >> 1) + 1u8, (&power >> 1) + (&power >> 2) - 1u8];
        for n in moduli {
            let top = &n * 2u8;
            let factors =
                [&top - 1u8, &top - 2u8, &power - 1u8, n.clone(), &n - 1u8, BigUint::from(1u8), BigUint::ZERO];
            for x in factors {
                let x = x.min(&top - 1u8);
                for y in [&top - 1u8, &n - 1u8, BigUint::from(1u8), BigUint::ZERO] {
                    check::<Wide>(&n, bits, &x, &y);
                    check::<Narrow>(&n, bits, &x, &y);
                    check::<Simd>(&n, bits, &x, &y);
                    check::<FusedDoubles>(&n, bits, &x, &y);
                }
            }
        }
    }
}
