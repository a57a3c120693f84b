//! The claim `token_use`.

/// The kind of a Cognito token (`token_use`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenUse {
    /// An access token: `"access"`.
    Access,
    /// An ID token: `"id"`.
    Id,
}

/// The value of `token_use`, which may be unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenUseClaim {
    Known(TokenUse),
    Other,
}

impl TokenUseClaim {
    pub(super) fn from_name(name: &str) -> Self {
        match name {
            "access" => Self::Known(TokenUse::Access),
            "id" => Self::Known(TokenUse::Id),
            _ => Self::Other,
        }
    }
}
