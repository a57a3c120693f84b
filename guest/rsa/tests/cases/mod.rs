//! Deterministic cases for a differential test of the public operation, and the check of one case.

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use num_bigint::BigUint;
use poolgate_rsa::PublicKey;
use poolgate_rsa::low::{Kernel, fused::FusedDoubles, narrow::Narrow, simd::Simd, wide::Wide};

/// A modulus and a signature, big-endian and of the same length.
#[derive(Debug)]
pub struct Case {
    pub modulus: Vec<u8>,
    pub signature: Vec<u8>,
}

/// SplitMix64 (Steele, Lea, Flood 2014), which generates the same numbers on all platforms.
pub struct Generator(u64);

impl Generator {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }

    /// Returns a long number with a small value.
    fn small(&mut self, length: usize) -> BigUint {
        let bits = self.below(8 * length as u64 / 8);
        BigUint::from(self.next()) >> (64 - bits.min(63)) as usize
    }

    /// Returns random bytes with runs of ones or zeros that are as long as one or a few limbs of a kernel.
    fn runs(&mut self, length: usize) -> Vec<u8> {
        let mut number = BigUint::from_bytes_be(&self.bytes(length));
        let limb = [28, 32, 50, 61, 64, 1037][self.below(6) as usize];
        let ones = self.below(3);
        for position in 0..8 * length as u64 / limb {
            let run = match (ones, self.below(2)) {
                (0, 0) => false,
                (1, 0) => true,
                (2, value) => value == 1,
                _ => continue,
            };
            for bit in position * limb..(position + 1) * limb {
                number.set_bit(bit, run);
            }
        }
        to_bytes(&number, length)
    }

    fn modulus(&mut self, length: usize) -> BigUint {
        let bits = 8 * length;
        let power = BigUint::from(1u8) << (bits - 1);
        let mut modulus = match self.below(8) {
            0 => power + self.small(length),
            1 => (power << 1) - 1u8 - self.small(length),
            2 | 3 => BigUint::from_bytes_be(&self.runs(length)),
            4 => power + (BigUint::from(1u8) << self.below(bits as u64)) - 1u8,
            _ => BigUint::from_bytes_be(&self.bytes(length)),
        };
        modulus.set_bit(bits as u64 - 1, true);
        modulus.set_bit(0, true);
        modulus
    }

    fn signature(&mut self, n: &BigUint, length: usize) -> BigUint {
        let one = BigUint::from(1u8);
        let bits = 8 * length as u64;
        let limit = &one << bits;
        let number = match self.below(16) {
            0 => BigUint::from(self.below(4)),
            1 => n - 1u8 - self.below(3),
            2 => n + self.below(3),
            3 => (&one << self.below(bits + 1)) - 1u8,
            4 => &one << self.below(bits),
            5 => n - (&one << self.below(bits - 1)),
            6 => n >> self.below(bits),
            7 => n - self.small(length),
            8 => (n - 1u8).sqrt() + self.below(3),
            9..=11 => BigUint::from_bytes_be(&self.runs(length)),
            12 => BigUint::from_bytes_be(&self.bytes(length)),
            _ => BigUint::from_bytes_be(&self.bytes(length)) % n,
        };
        if number < limit { number } else { limit - 1u8 }
    }

    pub fn next_case(&mut self) -> Case {
        // Half of the cases have 2,048 bits, the size that most pools use.
        let length = [256, 256, 384, 512][self.below(4) as usize];
        let n = self.modulus(length);
        let signature = to_bytes(&self.signature(&n, length), length);
        Case { modulus: to_bytes(&n, length), signature }
    }
}

fn to_bytes(number: &BigUint, length: usize) -> Vec<u8> {
    let bytes = number.to_bytes_be();
    let mut padded = vec![0; length - bytes.len()];
    padded.extend(bytes);
    padded
}

/// Runs a case with every kernel and both oracles.
pub fn check(case: &Case) -> Result<(), String> {
    let expected = with_num_bigint(case);
    if expected != with_crypto_bigint(case) {
        return Err("the oracles differ".into());
    }
    let results = [
        ("wide", with_kernel::<Wide>(case)),
        ("narrow", with_kernel::<Narrow>(case)),
        ("simd", with_kernel::<Simd>(case)),
        ("fused", with_kernel::<FusedDoubles>(case)),
    ];
    for (kernel, result) in results {
        if result != expected {
            return Err(format!("{kernel}: expected {expected:x?}, got {result:x?}"));
        }
    }
    Ok(())
}

fn with_kernel<K: Kernel>(case: &Case) -> Option<Vec<u8>> {
    let key = PublicKey::<K>::with_kernel(&case.modulus)?;
    let mut message = vec![0; case.signature.len()];
    key.public_operation(&case.signature, &mut message).map(|()| message)
}

/// Returns the result of `num-bigint`.
pub fn with_num_bigint(case: &Case) -> Option<Vec<u8>> {
    let (n, s) = (BigUint::from_bytes_be(&case.modulus), BigUint::from_bytes_be(&case.signature));
    (s < n).then(|| to_bytes(&s.modpow(&BigUint::from(65_537u32), &n), case.modulus.len()))
}

fn with_crypto_bigint(case: &Case) -> Option<Vec<u8>> {
    let bits = 8 * case.modulus.len() as u32;
    let n = Odd::new(BoxedUint::from_be_slice(&case.modulus, bits).ok()?).into_option()?;
    let s = BoxedUint::from_be_slice(&case.signature, bits).ok()?;
    if s >= *n.as_ref() {
        return None;
    }
    let parameters = BoxedMontyParams::new_vartime(n);
    let power = BoxedMontyForm::new(s, &parameters).pow_bounded_exp(&BoxedUint::from(65_537u64), 17).retrieve();
    Some(power.to_be_bytes().to_vec())
}
