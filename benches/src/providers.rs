//! jsonwebtoken with either of its providers, in one process.
//!
//! A process has one provider (`install_default`), and with both compiled in, the crate takes neither by itself. So one of our own is
//! installed, which hands each question to the one whose turn it is. That costs the reading of an atomic.

use jsonwebtoken::crypto::{CryptoProvider, KeyUtils, aws_lc, rust_crypto};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Which provider verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// aws-lc-rs: C and assembler.
    AwsLc,
    /// The crates of the RustCrypto project.
    RustCrypto,
}

static IS_RUST_CRYPTO: AtomicBool = AtomicBool::new(false);

static EITHER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| (in_turn().signer_factory)(algorithm, key),
    verifier_factory: |algorithm, key| (in_turn().verifier_factory)(algorithm, key),
    // For thumbprints and for keys made of private ones.
    key_utils: KeyUtils::new_unimplemented(),
};

fn in_turn() -> &'static CryptoProvider {
    if IS_RUST_CRYPTO.load(Relaxed) { &rust_crypto::DEFAULT_PROVIDER } else { &aws_lc::DEFAULT_PROVIDER }
}

/// Makes the choice of [`take_turn`] the process's.
pub fn install() {
    // It fails if it was done before.
    let _ = EITHER.install_default();
}

/// From here on this provider verifies, on every thread.
pub fn take_turn(provider: Provider) {
    IS_RUST_CRYPTO.store(provider == Provider::RustCrypto, Relaxed);
}
