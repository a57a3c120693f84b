//! A verifier in a comparison, whichever it is.

use crate::interleaved::Work;
use poolgate_core::Algorithm;
use serde_json::Value;

/// What a verifier is to know: one pool with one key.
pub struct Expected<'a> {
    /// What the tokens are signed with.
    pub algorithm: Algorithm,
    /// The pool's issuer.
    pub issuer: &'a str,
    /// The pool's ID.
    pub user_pool_id: &'a str,
    /// The app client that the tokens are for.
    pub client_id: &'a str,
    /// The pool's JSON Web Key Set.
    pub jwks: &'a Value,
}

/// Whether a verifier accepts each of the tokens, one after another.
pub type Accepts = Box<dyn Fn(&[String]) -> bool>;

/// A verifier that has its key.
pub struct Side {
    /// For machines.
    pub id: &'static str,
    /// For people.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// What it runs in.
    pub runtime: &'static str,
    /// Asks it.
    pub accepts: Accepts,
}

impl Side {
    /// Verifies one of the slices a round.
    ///
    /// # Panics
    /// If it refuses a token, or there is no slice.
    pub fn work<'a>(&'a self, slices: &'a [&'a [String]]) -> Work<'a> {
        Box::new(move |round| {
            let slice = slices[round % slices.len()];
            assert!((self.accepts)(slice), "{}: a good token was refused", self.name);
            slice.len()
        })
    }
}
