//! What a client compares with an ID token.

use secrecy::{ExposeSecret, SecretString};

/// What an OpenID Connect client compares with the ID token of a response, beyond the policy of the pool. See
/// [`Verifier::verify_id_token`](crate::Verifier::verify_id_token).
///
/// What is not set is not compared. The `Debug` output omits both values.
#[derive(Clone, Debug, Default)]
pub struct IdTokenChecks {
    nonce: Option<SecretString>,
    access_token: Option<SecretString>,
}

impl IdTokenChecks {
    /// Compares nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the `nonce` of the request, which the claim `nonce` must be equal to (OpenID Connect Core 1.0 section 3.1.3.7, item 11). A session
    /// without a nonce must not pass an empty one: it is equal to no claim.
    pub fn nonce(mut self, nonce: impl Into<String>) -> Self {
        self.nonce = Some(nonce.into().into());
        self
    }

    /// Sets the access token of the same response, whose hash `at_hash` must be (OpenID Connect Core 1.0 section 3.1.3.8). A token without
    /// `at_hash` is then rejected.
    pub fn access_token(mut self, access_token: impl Into<String>) -> Self {
        self.access_token = Some(access_token.into().into());
        self
    }

    /// Whether nothing is compared.
    pub(crate) fn is_empty(&self) -> bool {
        self.nonce.is_none() && self.access_token.is_none()
    }

    pub(crate) fn nonce_text(&self) -> Option<&str> {
        self.nonce.as_ref().map(ExposeSecret::expose_secret)
    }

    pub(crate) fn access_token_text(&self) -> Option<&str> {
        self.access_token.as_ref().map(ExposeSecret::expose_secret)
    }
}
