//! What the service learns of its caller.

use crate::Verified;
use std::{ops::Deref, sync::Arc};

/// What the caller's token says, verified: in the extensions of every request that [`AuthLayer`](super::AuthLayer) let pass with one.
/// Only the layer makes it. Cheap to clone.
///
/// ```
/// # use poolgate::tower::Claims;
/// // In tonic, and wherever there is no extractor:
/// fn who<T>(request: &http::Request<T>) -> Option<&str> {
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
