//! RSA keys that common libraries do not generate: too short, or with a public exponent of 1, 3, 64 bits or 129 bits.
//!
//! The signatures of their tokens are mathematically correct, so that only the key can be the reason for a rejection.

use crate::{keys::TestKey, minting::unbase64url};
use aws_lc_rs::digest;
use crypto_bigint::{
    BoxedUint, ConcatenatingMul, Odd,
    modular::{BoxedMontyForm, BoxedMontyParams},
};
use std::sync::LazyLock;

/// p of [`EXPONENT_3`]: 1,024 bits, 2 more than a multiple of 3.
const P: &str = "zaQG89NqlxTCXQc62MIKWv-0tQ-0Hl3h_KfIxf4wFoi6FsrGyl2rOaSOZGMNcfuJqYfIVow_Vrh31chlhvksoq3dveaOeBYowg18Q4wT\
                 rcYAZbbUfuGqTT5PuiqAxbH3FL1nHrYHbMNfbcCpFdMBsOUFa9TvCJ3muGGAd8EvmDE";
/// q of [`EXPONENT_3`].
const Q: &str = "x5rWpMBZqNvX_MeQmToGk7l5k2DNVuzkr6pbBuO3FC_YheCH8iaieGxhYla-OZCcw3COmKQNm2bbpoLTb7o0XgRImR_lgUeaZR_qFiUR\
                 hbNtMQ-z75u91G5VcCe4dVNMoqIE9Toc215TVtL-X1ItXvb2eC0TVo_sxKlEnhIqkn8";
/// The inverse of 3.
const D_FOR_3: &str = "Grklv9znZJADz5kcQl0qG8p49i32IfmdDyxzH8n7JHdueCV9CeebrjmUBPDb79E6sopkoawoNRfXkCnxqegXWKGkZJXrENP-kard\
                       vBJwZneeQGK4kX7vHgCjwCBVL_6HUPQ0W6Dv5cn141uZqwUrfNJn1_mW_11GByUXL8Kj3UYB-NPal5OGdGKKQEHe_jSJZ-gZ2Ewp\
                       blyn2RP2xOS5DuAC_RVpZ7Xh3-YlRpCvN2tehNgzpX066bshOhPLbxEGHzt9OQiLswwmaeix73oa8jhs6jmPUUX66eTIQdcQ9Fle\
                       GxOBZWyNafEWCrtwwTPON3K99mAQmQaoVDU1ba62mw";
/// 2^64 - 59, an exponent of 64 bits.
const EXPONENT_64: &str = "_________8U";
/// The inverse of [`EXPONENT_64`].
const D_FOR_64: &str = "ERPUGnIo3_AjoPfafCcntOoWed_YBgCoVcDweol6WSwLHiCVE8KkBpPAfILJ3MRpgKhjMWi9o0vxhhCPLNP2dYtK26ff6cgXKPliR\
                       TQARdwW9f9vAWGkPcGC3FnAkmY7ISNTaRlpyfwfeWxKi0drDKoZUpDpgAu2rA9eaWGfBhb_pLBbpfKrc4FkDrEXhMvfc8eTBYq1z3\
                       -zlDwP6mfX79qI07iBi-i6j8lUrNfz5kLpq6INRznhAMDU6Rai8VYTPiMUosk_-n8WHttsPGc3u6-tI9CK6kn09rO-zubpgKK8ATx\
                       4xsBAUOVAW-55JTG4lB5zZkaR_KzlelJ7Bc-MzQ";
/// 2^128 + 51, an exponent that many libraries reject.
const LONG_EXPONENT: &str = "AQAAAAAAAAAAAAAAAAAAADM";
/// The inverse of [`LONG_EXPONENT`].
const D_FOR_LONG: &str = "QyFLOg8iJyDPqG4TYQkJEV6GJUkcNT_cSLNEWR6_ajO0DBHsZC2b--cm59_KCnpGpkrylNnK19KrXw1wVV9148fAjHC8_8arcBKJ\
                          pKiuD4TSiFKhkgdlD2zX4FTT2BtmCkBudxSiXaJEs88ss9ws8b0CU_7Xpmq62A8U-Z38q_QMQ5oAw4EbBR9rLLwTAugDfKjmuwsz\
                          BwFrMTXRRf99b8KC5pk-mcd9RhFxDyoSya0rCuBMujHi6hz1XBgaO8bu9TDj5A2UEL-zymdL1-aIpi1CxDYXJ0hURBqI2xL-duW_\
                          xE9NX26YQVGbPItMGVHDVQwjItwAodele0wGsymnuw";
/// A modulus of 1,024 bits.
const N_1024: &str = "oFJssXHi6Tv5L9KzYNmyl5oLxnbWsWmWZArsMDSDyEtiELJ-kAyF1j8dPOQdPeQjExwtLL8wM_pXB4MBXQ1UoCnq9GNqmgBXzGpilYjW\
                      yU2Xzvqrk_VuWdXTRMkJgeKW5sYQqWA2nEUIndvo3OcCb6_hSi_noKsa303uOro8pSk";
/// Its private exponent for e = 65537.
const D_1024: &str = "IlYE2WwewP0LPWbO7CszyKxBYVwKVyzZ_MsqEpjssHUUp6bS3F8SOvSBeo0QhjTaHjmmozK_TCKNiRpRrHAyc1QnWS56jy4tgxqAqWA5\
                      rM9R1Djvu6lbmjO6_np0cBKgxPD6fNKrsxStw7b2pgZ9ij3aTN9PK2sXd_J6VbIVB1E";

/// 2,048 bits, e = 3. Its modulus is 0.63 · 2^2048, so that many signatures have a second encoding s + n of the same length.
pub static EXPONENT_3: LazyLock<TestKey> =
    LazyLock::new(|| TestKey::handmade(HandmadeRsa::new(modulus_2048(), "Aw", D_FOR_3)));
/// The same modulus with an exponent of 64 bits, the longest that is accepted.
pub static EXPONENT_64_BITS: LazyLock<TestKey> =
    LazyLock::new(|| TestKey::handmade(HandmadeRsa::new(modulus_2048(), EXPONENT_64, D_FOR_64)));
/// The same modulus with an exponent of 129 bits.
pub static EXPONENT_LONG: LazyLock<TestKey> =
    LazyLock::new(|| TestKey::handmade(HandmadeRsa::new(modulus_2048(), LONG_EXPONENT, D_FOR_LONG)));
/// The same modulus with e = 1. The padded hash is its own signature, so anyone can create one.
pub static EXPONENT_1: LazyLock<TestKey> =
    LazyLock::new(|| TestKey::handmade(HandmadeRsa::new(modulus_2048(), "AQ", "AQ")));
/// 1,024 bits.
pub static BITS_1024: LazyLock<TestKey> =
    LazyLock::new(|| TestKey::handmade(HandmadeRsa::new(number(N_1024), "AQAB", D_1024)));

/// An RSA key pair, defined by its numbers.
pub struct HandmadeRsa {
    modulus: BoxedUint,
    exponent: Vec<u8>,
    private_exponent: BoxedUint,
}

impl HandmadeRsa {
    fn new(modulus: BoxedUint, exponent: &str, private_exponent: &str) -> Self {
        Self { modulus, exponent: unbase64url(exponent), private_exponent: number(private_exponent) }
    }

    pub(crate) fn modulus(&self) -> Vec<u8> {
        self.modulus.to_be_bytes_trimmed_vartime().to_vec()
    }

    pub(crate) fn exponent(&self) -> Vec<u8> {
        self.exponent.clone()
    }

    /// s = EM ** d mod n (RFC 8017 section 8.2.1).
    pub(crate) fn sign_rs256(&self, message: &[u8]) -> Vec<u8> {
        let length = self.modulus().len();
        let odd = Odd::new(self.modulus.clone()).expect("an odd modulus");
        let encoded = BoxedUint::from_be_slice(&emsa_pkcs1_sha256(message, length), self.modulus.bits_precision())
            .expect("as long as the modulus");
        let signature =
            BoxedMontyForm::new(encoded, &BoxedMontyParams::new(odd)).pow(&self.private_exponent).retrieve();
        let bytes = signature.to_be_bytes();
        bytes[bytes.len() - length..].to_vec()
    }
}

/// Returns `signature + modulus`, the same number modulo n, if it is not longer than the modulus.
pub fn second_spelling(signature: &[u8], modulus: &[u8]) -> Option<Vec<u8>> {
    let mut carry = 0;
    let mut sum = signature.to_vec();
    for (digit, other) in sum.iter_mut().rev().zip(modulus.iter().rev()) {
        let total = u16::from(*digit) + u16::from(*other) + carry;
        *digit = (total & 0xff) as u8;
        carry = total >> 8;
    }
    (carry == 0).then_some(sum)
}

/// EMSA-PKCS1-v1_5 with SHA-256 (RFC 8017 section 9.2).
fn emsa_pkcs1_sha256(message: &[u8], length: usize) -> Vec<u8> {
    const PREFIX: &[u8] = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
    let hash = digest::digest(&digest::SHA256, message);
    let padding = vec![0xff; length - 3 - PREFIX.len() - hash.as_ref().len()];
    [&[0, 1], padding.as_slice(), &[0], PREFIX, hash.as_ref()].concat()
}

fn modulus_2048() -> BoxedUint {
    number(P).concatenating_mul(&number(Q))
}

fn number(text: &str) -> BoxedUint {
    BoxedUint::from_be_slice_vartime(&unbase64url(text))
}
