//! Changes to the headers of a request.

use std::fmt;

/// A change to the headers of a request before it is forwarded.
#[derive(Clone, PartialEq, Eq)]
pub enum HeaderMutation {
    /// Remove this header.
    Remove(String),
    /// Set this header (`cookie` or `:path`) to the value.
    Set(String, String),
}

impl fmt::Debug for HeaderMutation {
    /// Omits the value: other cookies and parameters are as secret as the token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remove(name) => formatter.debug_tuple("Remove").field(name).finish(),
            Self::Set(name, _) => formatter.debug_tuple("Set").field(name).finish_non_exhaustive(),
        }
    }
}
