//! The settings of the account flows.

use alloc::{string::String, vec::Vec};

/// The password policy of the user pool. The default is Cognito's default policy.
// The host does not link the core, so this type also exists in host/src/accounts/settings.rs.
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

/// The settings of the account flows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The user pool's password policy.
    pub password_policy: PasswordPolicy,
    /// The attributes that a sign-up must contain.
    pub required_attributes: Vec<String>,
    /// Whether Cognito checks the password, code or session before it raises certain exceptions
    /// ([`Outcome::DependsOnCheckOrder`](super::Outcome::DependsOnCheckOrder)).
    pub credentials_checked_first: bool,
    /// `Retry-After` of retryable errors, in seconds, from 1 to 3,600.
    pub retry_after: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            password_policy: PasswordPolicy::default(),
            required_attributes: Vec::new(),
            credentials_checked_first: false,
            retry_after: 2,
        }
    }
}

/// Why settings are invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingsError {
    /// The minimum length of the password policy is not from 6 to 99.
    PasswordLength,
    /// The name of a required attribute is empty or longer than 32 characters.
    AttributeName,
    /// `Retry-After` is not from 1 to 3,600 seconds.
    RetryAfter,
}

impl SettingsError {
    /// Returns a sentence that describes the error.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::PasswordLength => "the minimum length of the password policy must be from 6 to 99",
            Self::AttributeName => "the name of a required attribute must have from 1 to 32 characters",
            Self::RetryAfter => "retry-after must be from 1 to 3,600 seconds",
        }
    }
}

impl Settings {
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        if !(6..=99).contains(&self.password_policy.min_length) {
            return Err(SettingsError::PasswordLength);
        }
        if self.required_attributes.iter().any(|name| name.is_empty() || name.chars().count() > 32) {
            return Err(SettingsError::AttributeName);
        }
        if !(1..=3_600).contains(&self.retry_after) {
            return Err(SettingsError::RetryAfter);
        }
        Ok(())
    }
}
