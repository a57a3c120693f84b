//! Numbers as limbs: conversion from and to bytes, comparison, subtraction, doubling.
//!
//! None of this is in the inner loops, so one implementation on values of 64 bits serves all kernels.

use crate::low::Kernel;

const fn mask<K: Kernel>() -> u64 {
    (1 << K::LIMB_BITS) - 1
}

/// The bits of a word. Bytes are converted eight at a time, because moduli consist of whole words.
const WORD_BITS: u32 = 64;

/// Converts big-endian bytes, of a whole number of words, to limbs (OS2IP, RFC 8017 section 4.2). The remaining limbs become zero.
pub(super) fn from_bytes<K: Kernel>(bytes: &[u8], limbs: &mut [K::Limb]) {
    let mut words = bytes.as_rchunks::<8>().1.iter().rev();
    let (mut buffer, mut bits) = (0u128, 0);
    for limb in limbs {
        // Less than a limb is left, so a word fits in addition: 60 + 64 bits.
        if bits < K::LIMB_BITS {
            buffer |= u128::from(words.next().map_or(0, |word| u64::from_be_bytes(*word))) << bits;
            bits += WORD_BITS;
        }
        *limb = K::limb(buffer as u64 & mask::<K>());
        buffer >>= K::LIMB_BITS;
        bits -= K::LIMB_BITS;
    }
}

/// Converts limbs to big-endian bytes, of a whole number of words (I2OSP, RFC 8017 section 4.1). The number must fit.
pub(super) fn to_bytes<K: Kernel>(limbs: &[K::Limb], bytes: &mut [u8]) {
    let mut limbs = limbs.iter();
    let (mut buffer, mut bits) = (0u128, 0);
    for word in bytes.as_rchunks_mut::<8>().1.iter_mut().rev() {
        // There is less than a word, so a limb fits in addition: 63 + 61 bits.
        while bits < WORD_BITS {
            buffer |= u128::from(limbs.next().copied().unwrap_or_default().into()) << bits;
            bits += K::LIMB_BITS;
        }
        *word = (buffer as u64).to_be_bytes();
        buffer >>= WORD_BITS;
        bits -= WORD_BITS;
    }
}

/// Returns whether x < y, for numbers of the same length.
pub(super) fn is_below<K: Kernel>(x: &[K::Limb], y: &[K::Limb]) -> bool {
    x.iter().rev().lt(y.iter().rev())
}

/// x = x mod y, by repeated subtraction, for an x that is at most a small multiple of y.
pub(super) fn subtract_while_not_below<K: Kernel>(x: &mut [K::Limb], y: &[K::Limb]) {
    while !is_below::<K>(x, y) {
        let mut borrow = 0;
        for (x, y) in x.iter_mut().zip(y) {
            let difference = (*x).into().wrapping_sub((*y).into()).wrapping_sub(borrow);
            *x = K::limb(difference & mask::<K>());
            borrow = difference >> 63;
        }
    }
}

/// x = 2x mod n, for an x below 2n.
pub(super) fn double<K: Kernel>(x: &mut [K::Limb], modulus: &[K::Limb]) {
    let mut carry = 0;
    for x in x.iter_mut() {
        let doubled = ((*x).into() << 1) | carry;
        *x = K::limb(doubled & mask::<K>());
        carry = doubled >> K::LIMB_BITS;
    }
    subtract_while_not_below::<K>(x, modulus);
}
