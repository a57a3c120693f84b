//! The RSA kernels, compared with num-bigint and crypto-bigint.
//!
//! Oracles: m = s^65537 mod n is the same in every kernel and in both libraries, for 2,048, 3,072 and 4,096 bits. One Montgomery
//! multiplication of numbers below 2n, chosen by the fuzzer, has the result of its definition. The second oracle reaches carries that an
//! exponentiation does not: after the first squaring, all its numbers look random.

use crate::drawing as arbitrary;
use ::arbitrary::{Arbitrary, Unstructured};
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use derive_arbitrary::Arbitrary;
use num_bigint::BigUint;
use poolgate_rsa::PublicKey;
use poolgate_rsa::low::{Kernel, fused::FusedDoubles, narrow::Narrow, simd::Simd, wide::Wide};

/// A kernel: its exponentiation, and its single multiplication.
type Checks = (&'static str, fn(&Numbers) -> Option<BigUint>, fn(&Numbers));

/// All kernels.
const KERNELS: [Checks; 4] = [
    ("wide", power::<Wide>, check_products::<Wide>),
    ("narrow", power::<Narrow>, check_products::<Narrow>),
    ("simd", power::<Simd>, check_products::<Simd>),
    ("fused", power::<FusedDoubles>, check_products::<FusedDoubles>),
];

/// The input is a size and three numbers in the form of `Shape`.
pub fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok(numbers) = Numbers::draw(&mut input) else { return };
    let expected = with_num_bigint(&numbers);
    assert_eq!(with_crypto_bigint(&numbers), expected, "the oracles differ: {numbers:x?}");
    for (name, power, check_products) in KERNELS {
        assert_eq!(power(&numbers), expected, "{name}: {numbers:x?}");
        check_products(&numbers);
    }
}

/// How a number is formed. Random bytes would never have long runs of ones, or be close to the modulus.
#[derive(Arbitrary, Debug)]
enum Shape {
    /// These bytes at the low end, with zeros above.
    Low(Vec<u8>),
    /// These bytes at the high end, with zeros below.
    High(Vec<u8>),
    /// These bytes, repeated.
    Repeated([u8; 8]),
    /// 2^a - 2^b.
    Run(u16, u16),
    /// The modulus minus or plus this number.
    BesideModulus(i16),
    /// A multiple of half of the modulus, plus this number.
    PartOfModulus(u8, i8),
    /// The complement of another number.
    Complement(Box<Shape>),
}

impl Shape {
    /// Returns the number, in `bits` bits. `modulus` is 0 for the modulus itself.
    fn number(&self, bits: u64, modulus: &BigUint) -> BigUint {
        let one = || BigUint::from(1u8);
        let all = (one() << bits) - 1u8;
        let number = match self {
            Shape::Low(bytes) => BigUint::from_bytes_be(bytes),
            Shape::High(bytes) => {
                let number = BigUint::from_bytes_be(bytes);
                let length = number.bits();
                if length > bits { number >> (length - bits) } else { number << (bits - length) }
            }
            Shape::Repeated(bytes) => BigUint::from_bytes_be(&bytes.repeat(usize::try_from(bits / 64).unwrap_or(0))),
            Shape::Run(from, to) => {
                let (from, to) = (u64::from(*from) % (bits + 1), u64::from(*to) % (bits + 1));
                (one() << from.max(to)) - (one() << from.min(to))
            }
            Shape::BesideModulus(offset) => moved(modulus, i32::from(*offset)),
            Shape::PartOfModulus(halvings, offset) => moved(&(modulus >> halvings), i32::from(*offset)),
            Shape::Complement(shape) => &all - shape.number(bits, modulus),
        };
        number & all
    }
}

fn moved(number: &BigUint, offset: i32) -> BigUint {
    let distance = BigUint::from(offset.unsigned_abs());
    match offset < 0 {
        true if distance > *number => BigUint::ZERO,
        true => number - distance,
        false => number + distance,
    }
}

/// The numbers that the fuzzer chose.
#[derive(Debug)]
struct Numbers {
    /// The length of the modulus, in bytes.
    length: usize,
    /// Odd, with its top bit set.
    modulus: BigUint,
    /// As long as the modulus; less than it or not.
    signature: BigUint,
    /// Below 2n.
    x: BigUint,
    /// Below 2n.
    y: BigUint,
}

impl Numbers {
    fn draw(input: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        let length = *input.choose(&[256, 256, 384, 512])?;
        let bits = 8 * length as u64;
        let mut modulus = Shape::arbitrary(input)?.number(bits, &BigUint::ZERO);
        modulus.set_bit(0, true);
        modulus.set_bit(bits - 1, true);
        let signature = Shape::arbitrary(input)?.number(bits, &modulus);
        let double = &modulus << 1;
        let x = Shape::arbitrary(input)?.number(bits + 1, &double) % &double;
        let y = Shape::arbitrary(input)?.number(bits + 1, &double) % &double;
        Ok(Self { length, modulus, signature, x, y })
    }

    fn bytes(&self, number: &BigUint) -> Vec<u8> {
        let bytes = number.to_bytes_be();
        let mut padded = vec![0; self.length - bytes.len()];
        padded.extend(bytes);
        padded
    }
}

fn power<K: Kernel>(numbers: &Numbers) -> Option<BigUint> {
    let key = PublicKey::<K>::with_kernel(&numbers.bytes(&numbers.modulus)).expect("a modulus that is taken");
    let mut message = vec![0; numbers.length];
    key.public_operation(&numbers.bytes(&numbers.signature), &mut message)?;
    Some(BigUint::from_bytes_be(&message))
}

fn with_num_bigint(numbers: &Numbers) -> Option<BigUint> {
    let Numbers { modulus, signature, .. } = numbers;
    (signature < modulus).then(|| signature.modpow(&BigUint::from(65_537u32), modulus))
}

fn with_crypto_bigint(numbers: &Numbers) -> Option<BigUint> {
    let bits = 8 * u32::try_from(numbers.length).ok()?;
    let n = Odd::new(BoxedUint::from_be_slice(&numbers.bytes(&numbers.modulus), bits).ok()?).into_option()?;
    let s = BoxedUint::from_be_slice(&numbers.bytes(&numbers.signature), bits).ok()?;
    if s >= *n.as_ref() {
        return None;
    }
    let parameters = BoxedMontyParams::new_vartime(n);
    let power = BoxedMontyForm::new(s, &parameters).pow_bounded_exp(&BoxedUint::from(65_537u64), 17).retrieve();
    Some(BigUint::from_bytes_be(&power.to_be_bytes()))
}

/// Checks the contract of [`Kernel`]: x · y / R mod n, below 2n.
fn check_products<K: Kernel>(numbers: &Numbers) {
    let Numbers { length, modulus, x, y, .. } = numbers;
    let count = K::limbs(8 * length);
    let block = BigUint::from(1u8) << (K::LIMB_BITS as usize * K::inverse_limbs(count));
    let inverse = &block - inverse(modulus, block.bits() - 1);
    let (n, inverse) = (limbs::<K>(modulus, count), limbs::<K>(&inverse, K::inverse_limbs(count)));
    let r = BigUint::from(1u8) << (K::LIMB_BITS as usize * count);
    let check = |name: &str, result: &[K::Limb], y: &BigUint| {
        let result = number::<K>(result);
        assert!(result < modulus << 1, "{name} is not below 2n: {numbers:x?}");
        assert_eq!(result * &r % modulus, x * y % modulus, "{name}: {numbers:x?}");
    };
    // One for both, to test that the first operation does not affect the second.
    let mut ready = K::ready(&n, &inverse);
    let mut square = limbs::<K>(x, count);
    K::square(&mut square, &mut ready);
    check("a square", &square, x);
    let mut product = limbs::<K>(x, count);
    K::multiply(&mut product, &limbs::<K>(y, count), &mut ready);
    check("a product", &product, y);
}

/// Returns n^-1 mod 2^bits for an odd n, by Newton's iteration. Each step doubles the number of correct low bits.
fn inverse(n: &BigUint, bits: u64) -> BigUint {
    let block = BigUint::from(1u8) << bits;
    let (mut inverse, mut correct) = (BigUint::from(1u8), 1);
    while correct < bits {
        // i · (2 - n · i), with 2^bits added so that it is not negative.
        inverse = &inverse * ((&block << 1) + 2u8 - n * &inverse % &block) % &block;
        correct *= 2;
    }
    assert_eq!(n * &inverse % &block, BigUint::from(1u8), "an inverse of {n:x}");
    inverse
}

fn limbs<K: Kernel>(number: &BigUint, count: usize) -> Vec<K::Limb> {
    let mask = BigUint::from((1u64 << K::LIMB_BITS) - 1);
    let limb = |at: usize| (number >> (at * K::LIMB_BITS as usize)) & &mask;
    (0..count).map(|at| K::limb(u64::try_from(limb(at)).expect("it is masked"))).collect()
}

fn number<K: Kernel>(limbs: &[K::Limb]) -> BigUint {
    limbs.iter().rev().fold(BigUint::ZERO, |sum, &limb| (sum << K::LIMB_BITS) + limb.into())
}
