//! The cache of verified tokens. On a cache hit, no signature is verified.
//!
//! A hit does not repeat the earlier verdict. The lookup compares all bytes of the token; the verifier then checks that its key is still in
//! the key set, and evaluates the time claims and the policy again.

mod bytes;
mod entry;
mod s3_fifo;
mod token_cache;

pub(crate) use entry::CacheEntry;
pub use token_cache::CacheHandle;
pub(crate) use token_cache::TokenCache;
