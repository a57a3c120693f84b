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

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{borrow::ToOwned, format};

    const TEMPLATE: &str = "https://login.example/{tid}/v2.0";
    const ONE: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
    const OTHER: &str = "bbbbcccc-1111-dddd-2222-eeee3333ffff";

    fn tenants(template: &str, tenants: Option<&[&str]>) -> Result<Tenants, ConfigError> {
        let tenants = tenants.map(|tenants| tenants.iter().map(|tenant| (*tenant).to_owned()).collect());
        Tenants::new(&IssuerTemplate { template: template.to_owned(), tenants })
    }

    #[test]
    fn a_template_has_its_placeholder_once_and_not_at_the_start() {
        for template in [TEMPLATE, "https://login.example/{tid}", "https://{tid}.login.example/"] {
            assert_eq!(tenants(template, None).unwrap().template(), template);
        }
        for template in ["", "{tid}", "{tid}/v2.0", "https://login.example/", "https://{tid}/{tid}", "https://a/{TID}"]
        {
            assert_eq!(tenants(template, None).unwrap_err(), ConfigError::InvalidTemplate, "{template}");
        }
    }

    #[test]
    fn tenants_are_uuids_in_lower_case_and_a_list_is_not_empty() {
        assert!(tenants(TEMPLATE, Some(&[ONE, OTHER])).is_ok());
        let upper = ONE.to_ascii_uppercase();
        for list in [&[][..], &[""], &["common"], &[ONE, "x"], &[&upper]] {
            assert_eq!(tenants(TEMPLATE, Some(list)).unwrap_err(), ConfigError::InvalidTemplate, "{list:?}");
        }
    }

    #[test]
    fn a_token_is_accepted_if_iss_is_the_template_with_its_tenant() {
        let (any, one) = (tenants(TEMPLATE, None).unwrap(), tenants(TEMPLATE, Some(&[ONE])).unwrap());
        let issuer = |tenant: &str| TEMPLATE.replace(PLACEHOLDER, tenant);
        assert!(any.accept(&issuer(ONE), ONE) && any.accept(&issuer(OTHER), OTHER));
        assert!(one.accept(&issuer(ONE), ONE) && !one.accept(&issuer(OTHER), OTHER));
        for (issuer, tenant) in [
            (issuer(ONE), OTHER),
            (issuer(OTHER), ONE),
            (issuer(""), ""),
            (issuer("common"), "common"),
            (issuer(PLACEHOLDER), PLACEHOLDER),
            (issuer(&format!("{ONE}/{OTHER}")), ONE),
            (format!("{}/", issuer(ONE)), ONE),
            (issuer(ONE).replace("/v2.0", ""), ONE),
            (ONE.to_owned(), ONE),
            // The text before and the text after the tenant must not overlap.
            ("https://login.example/v2.0".to_owned(), ""),
        ] {
            assert!(!any.accept(&issuer, tenant), "{issuer} {tenant}");
        }
    }

    #[test]
    fn a_key_names_the_template_or_the_issuer() {
        let issuer = TEMPLATE.replace(PLACEHOLDER, ONE);
        for own in [TEMPLATE, "https://login.example/{tenantid}/v2.0", &issuer] {
            assert!(is_key_for(Some(own), TEMPLATE, &issuer), "{own}");
        }
        let other = TEMPLATE.replace(PLACEHOLDER, OTHER);
        let none =
            [None, Some(""), Some(other.as_str()), Some("https://login.example/{tenantid}/v2.0/"), Some("{tenantid}")];
        for own in none {
            assert!(!is_key_for(own, TEMPLATE, &issuer), "{own:?}");
        }
    }
}
