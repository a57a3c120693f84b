//! The app client: its ID, and its secret if it has one.

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};

/// An app client of a user pool. Its `Debug` does not show the secret.
#[derive(Clone, Debug)]
pub(crate) struct AppClient {
    pub(crate) id: String,
    pub(crate) secret: Option<SecretString>,
}

impl AppClient {
    /// `SECRET_HASH`: Base64(HMAC-SHA256(secret, username + client ID)), if there is a secret ("Computing secret hash
    /// values", Amazon Cognito developer guide).
    pub(crate) fn secret_hash(&self, username: &str) -> Option<String> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.as_ref()?.expose_secret().as_bytes());
        let mut context = hmac::Context::with_key(&key);
        context.update(username.as_bytes());
        context.update(self.id.as_bytes());
        Some(STANDARD.encode(context.sign()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_hash_is_cognitos() {
        // printf 'annaclient' | openssl dgst -sha256 -hmac secret -binary | base64
        let client = AppClient { id: "client".into(), secret: Some("secret".into()) };
        assert_eq!(client.secret_hash("anna").as_deref(), Some("gdN9QpGJdbGpTRhHcRMIPRIlIVdBKGqw+w82Sy7rTTk="));
        assert_eq!(AppClient { id: "client".into(), secret: None }.secret_hash("anna"), None);
        assert!(!format!("{client:?}").contains("secret\""), "{client:?}");
    }
}
