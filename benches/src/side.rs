//! A library in a comparison.

use crate::interleaved::Work;
use poolgate_core::Algorithm;
use serde_json::Value;

/// The configuration of every library: one pool with one key.
pub struct Expected<'a> {
    /// The key with which the tokens are signed.
    pub algorithm: Algorithm,
    /// The pool's issuer.
    pub issuer: &'a str,
    /// The pool's ID.
    pub user_pool_id: &'a str,
    /// The app client of the tokens.
    pub client_id: &'a str,
    /// The pool's JWK Set.
    pub jwks: &'a Value,
}

/// Verifies tokens one after another. Returns whether all are accepted.
pub type Accepts = Box<dyn Fn(&[String]) -> bool>;

/// A library with its key.
pub struct Side {
    /// The identifier.
    pub id: &'static str,
    /// The name.
    pub name: &'static str,
    /// The version.
    pub version: &'static str,
    /// The runtime.
    pub runtime: &'static str,
    /// Verifies tokens.
    pub accepts: Accepts,
}

impl Side {
    /// One round of an interleaved measurement: verifies one slice.
    ///
    /// # Panics
    /// Panics if a token is rejected, or if there are no slices.
    pub fn work<'a>(&'a self, slices: &'a [&'a [String]]) -> Work<'a> {
        Box::new(move |round| {
            let slice = slices[round % slices.len()];
            assert!((self.accepts)(slice), "{}: a valid token was rejected", self.name);
            slice.len()
        })
    }
}
