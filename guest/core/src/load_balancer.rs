//! ARNs of Application Load Balancers, and the URLs of their keys (Elastic Load Balancing, "Authenticate users using an Application Load
//! Balancer"; the Service Authorization Reference for the form of the ARN).

use crate::{config::ConfigError, issuer::dns_suffix};
use alloc::{format, string::String};

/// Returns the URL below which the keys of a load balancer are published: `<URL>/<kid>`. The region is that of the ARN, never one of a token.
///
/// # Errors
/// [`ConfigError::InvalidLoadBalancer`] if the text is not the ARN of an Application Load Balancer, or its region has no known key URL.
pub(crate) fn keys_url(arn: &str) -> Result<String, ConfigError> {
    let (partition, region) = parse(arn)?;
    match partition {
        "aws-us-gov" => Ok(format!("https://s3-{region}.amazonaws.com/aws-elb-public-keys-prod-{region}")),
        // AWS documents no URL for the partition in China; this one is used by others.
        "aws" | "aws-cn" => {
            let suffix = dns_suffix(region).ok_or(ConfigError::InvalidLoadBalancer)?;
            Ok(format!("https://public-keys.auth.elb.{region}.{suffix}"))
        }
        _ => Err(ConfigError::InvalidLoadBalancer),
    }
}

/// Checks that a text is the ARN of an Application Load Balancer.
///
/// # Errors
/// [`ConfigError::InvalidLoadBalancer`].
pub(crate) fn check(arn: &str) -> Result<(), ConfigError> {
    parse(arn).map(|_| ())
}

/// Returns the partition and the region of `arn:<partition>:elasticloadbalancing:<region>:<account>:loadbalancer/app/<name>/<ID>`.
fn parse(arn: &str) -> Result<(&str, &str), ConfigError> {
    let mut parts = arn.split(':');
    let mut part = || parts.next().unwrap_or_default();
    let (arn, partition, service, region, account, resource) = (part(), part(), part(), part(), part(), part());
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let is_right = arn == "arn"
        && service == "elasticloadbalancing"
        && partition_of(region) == Some(partition)
        && is_account
        && is_load_balancer(resource)
        && parts.next().is_none();
    if is_right { Ok((partition, region)) } else { Err(ConfigError::InvalidLoadBalancer) }
}

/// Returns the partition of a region, if it has Application Load Balancers that authenticate users. The isolated partitions are not known.
fn partition_of(region: &str) -> Option<&'static str> {
    match dns_suffix(region)? {
        "amazonaws.com.cn" => Some("aws-cn"),
        "amazonaws.com" if region.starts_with("us-gov-") => Some("aws-us-gov"),
        "amazonaws.com" => Some("aws"),
        "amazonaws.eu" => Some("aws-eusc"),
        _ => None,
    }
}

/// Returns whether a resource is `loadbalancer/app/<name>/<ID>`. A Network Load Balancer (`net`) authenticates no users.
fn is_load_balancer(resource: &str) -> bool {
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let name_and_id = resource.strip_prefix("loadbalancer/app/").and_then(|rest| rest.split_once('/'));
    name_and_id.is_some_and(|(name, id)| is_name(name) && is_name(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESOURCE: &str = "123456789012:loadbalancer/app/my-alb/50dc6c495c0c9188";

    fn arn(partition: &str, region: &str) -> String {
        format!("arn:{partition}:elasticloadbalancing:{region}:{RESOURCE}")
    }

    #[test]
    fn the_keys_are_published_in_the_region_of_the_arn() {
        for (partition, region, expected) in [
            ("aws", "eu-west-1", "https://public-keys.auth.elb.eu-west-1.amazonaws.com"),
            ("aws", "ap-southeast-7", "https://public-keys.auth.elb.ap-southeast-7.amazonaws.com"),
            (
                "aws-us-gov",
                "us-gov-west-1",
                "https://s3-us-gov-west-1.amazonaws.com/aws-elb-public-keys-prod-us-gov-west-1",
            ),
            ("aws-cn", "cn-north-1", "https://public-keys.auth.elb.cn-north-1.amazonaws.com.cn"),
        ] {
            assert_eq!(keys_url(&arn(partition, region)).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn a_partition_without_a_known_key_url_needs_a_configured_one() {
        let sovereign = arn("aws-eusc", "eusc-de-east-1");
        assert_eq!(check(&sovereign), Ok(()));
        assert_eq!(keys_url(&sovereign), Err(ConfigError::InvalidLoadBalancer));
    }

    #[test]
    fn what_is_not_the_arn_of_an_application_load_balancer_is_rejected() {
        let good = arn("aws", "eu-west-1");
        assert_eq!(check(&good), Ok(()));
        for text in [
            "",
            "arn",
            &format!("{good}:x"),
            &format!(" {good}"),
            &format!("{good} "),
            &good.replace("arn:", "ARN:"),
            &good.replace("elasticloadbalancing", "elbv2"),
            &good.replace("/app/", "/net/"),
            &good.replace("loadbalancer/", "listener/"),
            &good.replace("my-alb", ""),
            &good.replace("my-alb", "my/alb"),
            &good.replace("/50dc6c495c0c9188", ""),
            &good.replace("50dc6c495c0c9188", ""),
            &good.replace("123456789012", "12345678901"),
            &good.replace("123456789012", "12345678901x"),
            &good.replace("eu-west-1", ""),
            &good.replace("eu-west-1", "EU-WEST-1"),
            &good.replace("eu-west-1", "evil.example/"),
            &good.replace("eu-west-1", "us-iso-east-1"),
            // The partition and the region must belong together.
            &arn("aws-cn", "eu-west-1"),
            &arn("aws", "cn-north-1"),
            &arn("aws", "us-gov-west-1"),
            &arn("aws-us-gov", "us-west-1"),
        ] {
            assert_eq!(check(text), Err(ConfigError::InvalidLoadBalancer), "{text}");
        }
    }
}
