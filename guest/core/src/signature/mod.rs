//! Verifies signatures. A [`PreparedKey`] stores what can be computed once for each key. Verification handles public data only, so nothing
//! here needs to run in constant time.
//!
//! Each family of algorithms is one file with a prepared key type and its `verify` function.

#[cfg(feature = "ecdsa")]
mod ecdsa;
#[cfg(feature = "eddsa")]
mod eddsa;
mod emsa_pkcs1;
mod key_error;
mod prepared_key;
mod rsa;
mod signature_error;

pub use key_error::KeyError;
pub(crate) use key_error::LocatedKeyError;
pub use prepared_key::PreparedKey;
pub(crate) use prepared_key::PublicNumbers;
pub use signature_error::SignatureError;
