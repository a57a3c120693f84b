//! The RSA kernels as plain WebAssembly exports, for tests and benchmarks that run them in a runtime without a component around them: a
//! buffer for the inputs and the output, and functions that use it.
#![allow(unsafe_code, reason = "`no_mangle` exports count as unsafe; there is no other unsafe code here")]

use poolgate_rsa::PublicKey;
use poolgate_rsa::low::{Fastest, Kernel, narrow::Narrow};
use std::cell::RefCell;

/// The length of the buffer. The modulus is at offset 0, the signature at 512, the message at 1,024, and a digest of 32 bytes at 1,536.
const BUFFER: usize = 3 * 512 + 32;

#[derive(Default)]
struct State {
    buffer: Vec<u8>,
    fastest: Option<PublicKey<Fastest>>,
    narrow: Option<PublicKey<Narrow>>,
    #[cfg(feature = "peer")]
    peer: Option<rsa::PublicKey>,
}

thread_local!(static STATE: RefCell<State> = RefCell::default());

#[unsafe(no_mangle)]
extern "C" fn buffer() -> *const u8 {
    STATE.with_borrow_mut(|state| {
        state.buffer.resize(BUFFER, 0);
        state.buffer.as_ptr()
    })
}

/// Prepares the key whose modulus is in the buffer.
#[unsafe(no_mangle)]
extern "C" fn set_key(length: usize) {
    STATE.with_borrow_mut(|state| {
        let modulus = &state.buffer[..length];
        state.fastest = PublicKey::with_kernel(modulus);
        state.narrow = PublicKey::with_kernel(modulus);
        #[cfg(feature = "peer")]
        {
            use crypto_bigint::BoxedUint;
            let n = BoxedUint::from_be_slice_vartime(modulus);
            state.peer = Some(rsa::PublicKey::new_unchecked(n, BoxedUint::from(65_537u32)));
        }
    });
}

fn run<K: Kernel>(key: Option<&PublicKey<K>>, buffer: &mut [u8], length: usize, count: u32) -> u32 {
    let (signature, message) = buffer[512..].split_at_mut(512);
    let Some(key) = key else { return 0 };
    let mut done = 0;
    for _ in 0..count {
        done += u32::from(key.public_operation(&signature[..length], &mut message[..length]).is_some());
    }
    done
}

/// Runs the fastest kernel of this build `count` times, and returns the number of operations that succeeded.
#[unsafe(no_mangle)]
extern "C" fn fastest(length: usize, count: u32) -> u32 {
    STATE.with_borrow_mut(|state| run(state.fastest.as_ref(), &mut state.buffer, length, count))
}

/// Runs the narrow kernel, which every build has.
#[unsafe(no_mangle)]
extern "C" fn narrow(length: usize, count: u32) -> u32 {
    STATE.with_borrow_mut(|state| run(state.narrow.as_ref(), &mut state.buffer, length, count))
}

/// Prepares the key `count` times, and returns the number of successes.
#[unsafe(no_mangle)]
extern "C" fn new_key(length: usize, count: u32) -> u32 {
    STATE.with_borrow(|state| (0..count).map(|_| u32::from(PublicKey::new(&state.buffer[..length]).is_some())).sum())
}

/// Verifies the digest in the buffer with the `rsa` crate (PKCS #1 v1.5) `count` times, and returns the number of successes.
#[cfg(feature = "peer")]
#[unsafe(no_mangle)]
extern "C" fn peer(length: usize, count: u32) -> u32 {
    STATE.with_borrow(|state| {
        let (signature, digest) = (&state.buffer[512..512 + length], &state.buffer[3 * 512..]);
        let Some(key) = &state.peer else { return 0 };
        let scheme = || rsa::Pkcs1v15Sign::new::<sha2::Sha256>();
        (0..count).map(|_| u32::from(key.verify(scheme(), digest, signature).is_ok())).sum()
    })
}
