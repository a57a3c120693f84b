//! jsonwebtoken with both of its providers in one process.
//!
//! A process has one provider (`install_default`), and with both compiled in, the crate selects neither. This module installs a provider
//! that forwards each call to the selected one, which costs one atomic load.

use jsonwebtoken::crypto::{CryptoProvider, KeyUtils, aws_lc, rust_crypto};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The provider that verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// aws-lc-rs: C and assembly.
    AwsLc,
    /// The crates of the RustCrypto project.
    RustCrypto,
}

static IS_RUST_CRYPTO: AtomicBool = AtomicBool::new(false);

static EITHER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| (in_turn().signer_factory)(algorithm, key),
    verifier_factory: |algorithm, key| (in_turn().verifier_factory)(algorithm, key),
    // These functions are used for thumbprints and for keys that are derived from private ones.
    key_utils: KeyUtils::new_unimplemented(),
};

fn in_turn() -> &'static CryptoProvider {
    if IS_RUST_CRYPTO.load(Relaxed) { &rust_crypto::DEFAULT_PROVIDER } else { &aws_lc::DEFAULT_PROVIDER }
}

/// Installs the provider that forwards to the one selected by [`take_turn`].
pub fn install() {
    // Fails if a provider is installed already.
    let _ = EITHER.install_default();
}

/// Selects a provider, for all threads.
pub fn take_turn(provider: Provider) {
    IS_RUST_CRYPTO.store(provider == Provider::RustCrypto, Relaxed);
}
