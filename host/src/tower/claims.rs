//! The claims of a verified token, in the extensions of a request.

use crate::Verified;
use std::{ops::Deref, sync::Arc};

/// The verified claims of the caller's token.
///
/// [`AuthLayer`](super::AuthLayer) and [`GateLayer`](super::GateLayer) add them to the extensions of each request with a valid token. Only these
/// layers can create them. Clones are cheap. With the feature `axum`, `Claims` is also an extractor.
///
/// ```
/// # use poolgate::tower::Claims;
/// // In tonic, and wherever there is no extractor:
/// fn username<T>(request: &http::Request<T>) -> Option<&str> {
///     request.extensions().get::<Claims>()?.username.as_deref()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims(Arc<Verified>);

impl Claims {
    pub(super) fn new(verified: Verified) -> Self {
        Self(Arc::new(verified))
    }
}

impl Deref for Claims {
    type Target = Verified;

    fn deref(&self) -> &Verified {
        &self.0
    }
}
