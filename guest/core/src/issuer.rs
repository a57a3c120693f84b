//! The issuers of Amazon Cognito: user pools in eight AWS partitions, and identity pools.
//!
//! The partitions and their DNS suffixes come from botocore's `partitions.json`. The two issuer URLs are described in the Cognito developer
//! guide, "Understanding user pool JSON web tokens" and "Multi-Region replication".

use crate::config::ConfigError;
use alloc::{format, string::String, vec, vec::Vec};

/// The maximum length of a user pool ID (Cognito API reference, `UserPoolIdType`).
const USER_POOL_ID_LIMIT: usize = 55;

/// Returns the issuer URLs of a user pool: `https://cognito-idp.…` and `https://issuer-cognito-idp.…`.
///
/// A replica of a pool with multi-Region replication has another region in the first form. In the second form, "region is the primary Region of
/// your user pool" (Cognito API reference, `IssuerConfigurationType`), whichever Region issued the token. `region` is that of the replica; its
/// second form is accepted too.
///
/// # Errors
/// [`ConfigError::InvalidUserPoolId`] or [`ConfigError::UnknownRegion`].
pub fn of_user_pool(id: &str, region: Option<&str>) -> Result<Vec<String>, ConfigError> {
    let (home, name) = id.split_once('_').ok_or(ConfigError::InvalidUserPoolId)?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if id.len() > USER_POOL_ID_LIMIT || !is_name || !is_region(home) {
        return Err(ConfigError::InvalidUserPoolId);
    }
    let region = region.unwrap_or(home);
    let issuer = |service: &str, region: &str| {
        let suffix = dns_suffix(region).ok_or(ConfigError::UnknownRegion)?;
        Ok(format!("https://{service}.{region}.{suffix}/{id}"))
    };
    let mut issuers = vec![issuer("cognito-idp", region)?, issuer("issuer-cognito-idp", home)?];
    if region != home {
        issuers.push(issuer("issuer-cognito-idp", region)?);
    }
    Ok(issuers)
}

/// The issuer of all identity pools, of every AWS account.
pub const IDENTITY_POOLS: &str = "https://cognito-identity.amazonaws.com";

/// Returns whether a text is the issuer of the identity pools of any AWS partition. Those of AWS China and AWS GovCloud (US) are
/// `https://cognito-identity.cn-north-1.amazonaws.com.cn`, `https://cognito-identity-us-gov.amazonaws.com` and
/// `https://cognito-identity.us-gov-east-1.amazonaws.com` (AWS GovCloud user guide, "Amazon Cognito").
pub(crate) fn is_of_identity_pools(issuer: &str) -> bool {
    let rest = issuer.strip_prefix("https://cognito-identity").unwrap_or_default();
    let rest = rest.strip_suffix("amazonaws.com").or_else(|| rest.strip_suffix("amazonaws.com.cn")).unwrap_or_default();
    rest.starts_with(['.', '-']) && rest.ends_with('.') && !rest.contains('/')
}

/// Returns whether a text is the ID of an identity pool whose issuer is [`IDENTITY_POOLS`]: `<region>:<UUID>` (Cognito identity pools API
/// reference, `IdentityPoolId`), with a region of the partition `aws`. The other partitions have other issuers.
pub(crate) fn is_identity_pool_id(id: &str) -> bool {
    let is_of_aws = |region: &str| dns_suffix(region) == Some("amazonaws.com") && !region.starts_with("us-gov-");
    id.split_once(':').is_some_and(|(region, uuid)| is_of_aws(region) && is_uuid(uuid))
}

/// Returns whether a text is a UUID in lower case (RFC 9562 section 4).
pub(crate) fn is_uuid(text: &str) -> bool {
    let is_hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let has_lengths = text.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    has_lengths && text.bytes().all(|byte| byte == b'-' || is_hexadecimal(byte))
}

/// Returns the URL where an issuer publishes its keys (Cognito developer guide, "Verifying JSON web tokens"; for identity pools, their
/// discovery document).
pub(crate) fn jwks_url(issuer: &str) -> String {
    if issuer == IDENTITY_POOLS {
        return format!("{issuer}/.well-known/jwks_uri");
    }
    format!("{}/.well-known/jwks.json", issuer.trim_end_matches('/'))
}

/// Returns the DNS suffix of a region's partition, or `None` if the partition is not known.
pub(crate) fn dns_suffix(region: &str) -> Option<&'static str> {
    const PARTITIONS: [(&str, &str); 7] = [
        ("cn", "amazonaws.com.cn"),    // aws-cn
        ("us-gov", "amazonaws.com"),   // aws-us-gov
        ("us-iso", "c2s.ic.gov"),      // aws-iso
        ("us-isob", "sc2s.sgov.gov"),  // aws-iso-b
        ("eu-isoe", "cloud.adc-e.uk"), // aws-iso-e
        ("us-isof", "csp.hci.ic.gov"), // aws-iso-f
        ("eusc-de", "amazonaws.eu"),   // aws-eusc
    ];
    if !is_region(region) {
        return None;
    }
    // The area of `<area>-<direction>-<number>`.
    let area = region.rsplitn(3, '-').nth(2)?;
    match PARTITIONS.iter().find(|(name, _)| *name == area) {
        Some((_, suffix)) => Some(suffix),
        // aws: `us-east-1`, `ap-southeast-7`, `mx-central-1` …: two letters. A longer area belongs to an unknown partition.
        None => (area.len() == 2).then_some("amazonaws.com"),
    }
}

/// Returns whether a text is `<labels>-<number>`, in lower case, with at least three labels.
fn is_region(text: &str) -> bool {
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_number = |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit());
    match text.rsplit_once('-') {
        Some((labels, number)) => is_number(number) && labels.contains('-') && labels.split('-').all(is_label),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partition_has_its_suffix_in_both_urls() {
        for (region, suffix) in [
            ("us-east-1", "amazonaws.com"),
            ("mx-central-1", "amazonaws.com"),
            ("ap-southeast-7", "amazonaws.com"),
            ("us-gov-west-1", "amazonaws.com"),
            ("cn-north-1", "amazonaws.com.cn"),
            ("eusc-de-east-1", "amazonaws.eu"),
            ("us-iso-east-1", "c2s.ic.gov"),
            ("us-isob-east-1", "sc2s.sgov.gov"),
            ("eu-isoe-west-1", "cloud.adc-e.uk"),
            ("us-isof-south-1", "csp.hci.ic.gov"),
        ] {
            let id = format!("{region}_Ab1");
            let expected = [
                format!("https://cognito-idp.{region}.{suffix}/{id}"),
                format!("https://issuer-cognito-idp.{region}.{suffix}/{id}"),
            ];
            assert_eq!(of_user_pool(&id, None), Ok(expected.into()));
        }
    }

    #[test]
    fn a_replica_region_replaces_the_one_in_the_id() {
        let issuers = of_user_pool("us-east-1_Ab1", Some("eu-west-1")).unwrap();
        let expected = [
            "https://cognito-idp.eu-west-1.amazonaws.com/us-east-1_Ab1",
            "https://issuer-cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab1",
            "https://issuer-cognito-idp.eu-west-1.amazonaws.com/us-east-1_Ab1",
        ];
        assert_eq!(issuers, expected);
    }

    #[test]
    fn what_is_no_user_pool_is_rejected() {
        for id in
            ["", "us-east-1", "us-east-1_", "_abc", "us-east-1_a/b", "us-east-1_a.b", "local_abc", "US-EAST-1_abc"]
        {
            assert_eq!(of_user_pool(id, None), Err(ConfigError::InvalidUserPoolId), "{id}");
        }
        let long = format!("us-east-1_{}", "a".repeat(46));
        assert_eq!(of_user_pool(&long, None), Err(ConfigError::InvalidUserPoolId));
        for region in ["us-isog-east-1", "evil.example/", "us-east", "aws-global"] {
            assert_eq!(of_user_pool("us-east-1_abc", Some(region)), Err(ConfigError::UnknownRegion), "{region}");
        }
    }

    #[test]
    fn a_uuid_has_lower_case_hexadecimal_digits_and_four_hyphens() {
        for uuid in ["aaaabbbb-0000-cccc-1111-dddd2222eeee", "00000000-0000-0000-0000-000000000000"] {
            assert!(is_uuid(uuid), "{uuid}");
        }
        for text in [
            "",
            "common",
            "{tid}",
            "----",
            "aaaabbbb0000cccc1111dddd2222eeee",
            "AAAABBBB-0000-CCCC-1111-DDDD2222EEEE",
            "aaaabbbb-0000-cccc-1111-dddd2222eeeE",
            "aaaabbbb-0000-cccc-1111-dddd2222eee",
            "aaaabbbb-0000-cccc-1111-dddd2222eeee0",
            "aaaabbb-b0000-cccc-1111-dddd2222eeee",
            "aaaabbbb-0000-cccc-1111-dddd2222eeee-",
            "-aaaabbbb-0000-cccc-1111-dddd2222eeee",
            "aaaabbbb-0000-cccc-1111-dddd2222eeeg",
            "aaaabbbb-0000-cccc-1111-dddd2222ee/e",
            "aaaabbbb-0000-cccc-1111-dddd2222eee ",
            "{aaaabbbb-0000-cccc-1111-dddd2222eeee}",
            // As many bytes as a UUID, and fewer characters.
            "aaaabbbb-0000-cccc-1111-dddd2222ee\u{e9}",
        ] {
            assert!(!is_uuid(text), "{text}");
        }
    }

    #[test]
    fn an_identity_pool_id_is_a_region_and_a_uuid() {
        const UUID: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
        assert!(is_identity_pool_id(&format!("eu-west-1:{UUID}")));
        assert!(is_identity_pool_id(&format!("ap-southeast-7:{UUID}")));
        for id in ["", ":", UUID, "eu-west-1:", "eu-west-1:x", "eu-west-1_Ab1"] {
            assert!(!is_identity_pool_id(id), "{id}");
        }
        for region in ["", "eu", "EU-WEST-1", "eu-west-1:eu-west-1"] {
            assert!(!is_identity_pool_id(&format!("{region}:{UUID}")), "{region}");
        }
        for region in
            ["us-gov-west-1", "us-gov-east-1", "cn-north-1", "us-iso-east-1", "us-isob-east-1", "eusc-de-east-1"]
        {
            assert!(!is_identity_pool_id(&format!("{region}:{UUID}")), "the issuer of {region} is another one");
        }
    }

    #[test]
    fn the_identity_pools_of_every_partition_have_a_known_issuer() {
        for issuer in [
            IDENTITY_POOLS,
            "https://cognito-identity.cn-north-1.amazonaws.com.cn",
            "https://cognito-identity-us-gov.amazonaws.com",
            "https://cognito-identity.us-gov-east-1.amazonaws.com",
        ] {
            assert!(is_of_identity_pools(issuer), "{issuer}");
        }
        for issuer in [
            "",
            "https://cognito-identity",
            "https://cognito-identityamazonaws.com",
            "https://cognito-identity.amazonaws.com/",
            "https://cognito-identity.example/x.amazonaws.com",
            "https://cognito-identity.eu-west-1.amazonaws.com.evil.example",
            "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE01",
        ] {
            assert!(!is_of_identity_pools(issuer), "{issuer}");
        }
    }

    #[test]
    fn only_the_issuer_of_identity_pools_has_keys_at_another_path() {
        assert_eq!(jwks_url(IDENTITY_POOLS), "https://cognito-identity.amazonaws.com/.well-known/jwks_uri");
        assert_eq!(jwks_url("https://example.eu.auth0.com/"), "https://example.eu.auth0.com/.well-known/jwks.json");
        assert_eq!(jwks_url("https://example.com/a"), "https://example.com/a/.well-known/jwks.json");
    }
}
