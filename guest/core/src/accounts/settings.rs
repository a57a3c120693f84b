//! How accounts are run.

use alloc::{string::String, vec::Vec};

/// What a pool asks of passwords: the user pool's own policy.
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
    /// Cognito's.
    fn default() -> Self {
        Self { min_length: 8, uppercase: true, lowercase: true, number: true, symbol: true }
    }
}

/// How accounts are run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The user pool's password policy.
    pub password_policy: PasswordPolicy,
    /// Attributes that a sign-up must bring.
    pub required_attributes: Vec<String>,
    /// Whether Cognito looks at the password or code before it says anything about the account.
    pub credentials_checked_first: bool,
    /// `Retry-After`, in seconds.
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

/// Settings that can't be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingsError {
    /// The password policy's minimum length is not from 6 to 99.
    PasswordLength,
    /// The name of a required attribute is empty or longer than 32 characters.
    AttributeName,
    /// `Retry-After` is not from 1 to 3,600 seconds.
    RetryAfter,
}

impl SettingsError {
    /// What is wrong.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::PasswordLength => "the password policy's minimum length is not from 6 to 99",
            Self::AttributeName => "the name of a required attribute is empty or longer than 32 characters",
            Self::RetryAfter => "retry-after is not from 1 to 3,600 seconds",
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
