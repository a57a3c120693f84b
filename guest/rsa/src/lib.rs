//! The RSA public operation RSAVP1 (RFC 8017 section 5.2.2), m = s^65537 mod n, for moduli of 2,048, 3,072 and 4,096
//! bits.
//!
//! There are three layers, and none depends on a higher one: `high` handles keys and bytes, `mid` Montgomery multiplication, and [`low`] limbs
//! and carries. The lowest layer has four kernels. The target determines which one [`PublicKey`] uses:
//!
//! | kernel | limbs | targets |
//! |---|---|---|
//! | [`low::wide`] | 61 bits in a `u64`, products of 128 bits | wasm32 with `wide-arithmetic`, native 64-bit targets |
//! | [`low::fused`] | 50 bits in a double, two exact products in four instructions | wasm32 with `relaxed-simd` |
//! | [`low::simd`] | 28 bits in a `u32`, two products an instruction | wasm32 with `simd128` |
//! | [`low::narrow`] | 28 bits in a `u32`, products of 64 bits | all others |
//!
//! Verification handles public data only: a key that anyone may fetch, and a signature that a client sent. So nothing here runs in constant
//! time, and nothing here may be used with a private key.
//!
//! ```
//! use poolgate_rsa::PublicKey;
//!
//! let modulus = [0xff; 256]; // 2^2048 - 1: not a product of two primes, but valid as a modulus
//! let key = PublicKey::new(&modulus).expect("2,048 bits, odd");
//! let mut signature = [0; 256];
//! signature[255] = 1;
//! let mut message = [0; 256];
//! assert_eq!(key.public_operation(&signature, &mut message), Some(()));
//! assert_eq!(message, signature);
//! ```
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

mod high;
#[doc(hidden)]
pub mod low;
mod mid;

pub use high::public_key::PublicKey;
