//! The page that browsers are redirected to.

use super::{error::ConfigError, not_null::not_null, url::public_url};
use serde::Deserialize;

/// The login page that a browser is redirected to (302) instead of getting 401. This applies to navigations: `GET` requests that prefer
/// `text/html`. Other clients still get 401.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The URL of the login page: `https`, or `http` for a loopback address; without a fragment. It may have a query.
    pub url: String,
    /// The query parameter that is added to it, with the URL to return to. Set it together with `return_origin`.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub return_parameter: Option<String>,
    /// The origin of the URL to return to, such as `https://app.example.com`. The host of a request is never used.
    #[serde(default, deserialize_with = "not_null")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub return_origin: Option<String>,
}

pub(super) fn check(login: &Login) -> Result<(), ConfigError> {
    let error = |member: &str, message: &str| Err(ConfigError::new(["answers.login.", member].concat(), message));
    if public_url(&login.url).is_none_or(|(_, path)| path.contains('#')) {
        return error("url", "must be an https URL (or http for a loopback address) without a fragment");
    }
    match (&login.return_parameter, &login.return_origin) {
        (None, None) => Ok(()),
        (Some(name), Some(origin)) => {
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            if name.is_empty() || !name.bytes().all(is_name) {
                return error("return_parameter", "must be letters, digits and - . _ ~");
            }
            match public_url(origin) {
                Some((_, "")) => Ok(()),
                _ => error("return_origin", "must be an origin such as https://app.example.com, without a path"),
            }
        }
        _ => error("return_origin", "set it together with return_parameter"),
    }
}
