//! The issuers of many tenants, which sign with the same keys.

use crate::{
    config::{ConfigError, IssuerTemplate},
    issuer::is_uuid,
};
use alloc::string::String;
use hashbrown::HashSet;

/// Where the tenant ID stands in a template.
const PLACEHOLDER: &str = "{tid}";
/// How the keys of Microsoft Entra ID spell it.
const PLACEHOLDER_OF_KEYS: &str = "{tenantid}";

/// The accepted tenants of an issuer template.
#[derive(Debug)]
pub(super) struct Tenants {
    template: String,
    /// The template before and after the tenant ID.
    around: (String, String),
    /// `None` accepts every tenant.
    tenants: Option<HashSet<String>>,
}

impl Tenants {
    pub(super) fn new(configured: &IssuerTemplate) -> Result<Self, ConfigError> {
        let (before, after) = configured.template.split_once(PLACEHOLDER).ok_or(ConfigError::InvalidTemplate)?;
        let tenants = configured.tenants.as_ref();
        if before.is_empty() || after.contains(PLACEHOLDER) || tenants.is_some_and(|tenants| tenants.is_empty()) {
            return Err(ConfigError::InvalidTemplate);
        }
        if !tenants.into_iter().flatten().all(|tenant| is_uuid(tenant)) {
            return Err(ConfigError::InvalidTemplate);
        }
        Ok(Self {
            template: configured.template.clone(),
            around: (before.into(), after.into()),
            tenants: tenants.map(|tenants| tenants.iter().cloned().collect()),
        })
    }

    pub(super) fn template(&self) -> &str {
        &self.template
    }

    /// Returns whether a token with this `iss` and this `tid` is of an accepted tenant.
    pub(super) fn accept(&self, issuer: &str, tenant: &str) -> bool {
        let (before, after) = &self.around;
        let middle = issuer.strip_prefix(before.as_str()).and_then(|rest| rest.strip_suffix(after.as_str()));
        middle == Some(tenant)
            && is_uuid(tenant)
            && self.tenants.as_ref().is_none_or(|tenants| tenants.contains(tenant))
    }
}

/// Returns whether a key of a template's key set may sign for an issuer. Some keys are for one tenant only.
pub(super) fn is_key_for(key_issuer: Option<&str>, template: &str, issuer: &str) -> bool {
    key_issuer.is_some_and(|key_issuer| {
        key_issuer == issuer || key_issuer.replacen(PLACEHOLDER_OF_KEYS, PLACEHOLDER, 1) == template
    })
}
