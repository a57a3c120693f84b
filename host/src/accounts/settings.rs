//! The types of the settings of the account flows.

/// The password policy of the user pool. The default is Cognito's: at least 8 characters, with an uppercase letter, a lowercase
/// letter, a number and a symbol.
///
/// Set it to the policy of your user pool. A password that passes this policy and is rejected by Cognito looks like a success to the
/// client, because the rejection would reveal that the username is free.
// The host does not link the core, so this type also exists in guest/core/src/accounts/settings.rs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// `MinimumLength`, in characters, from 6 to 99.
    pub min_length: u32,
    /// `RequireUppercase`.
    pub uppercase: bool,
    /// `RequireLowercase`.
    pub lowercase: bool,
    /// `RequireNumbers`.
    pub number: bool,
    /// `RequireSymbols`.
    pub symbol: bool,
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self { min_length: 8, uppercase: true, lowercase: true, number: true, symbol: true }
    }
}

/// How [`Accounts::refresh`](super::Accounts::refresh) uses refresh tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RefreshFlow {
    /// `GetTokensFromRefreshToken`. It rotates the refresh token if the app client enables rotation.
    #[default]
    Rotation,
    /// `InitiateAuth` with `REFRESH_TOKEN_AUTH`, for app clients that allow only this flow.
    RefreshTokenAuth,
}
