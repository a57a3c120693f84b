//! Checks of the metadata of protected resources.

use super::{
    document::Config,
    error::ConfigError,
    resource::Resource,
    url::{is_scope, public_url},
};
use poolgate_path::Pattern;

/// Checks the metadata of all resources, and that the scopes of policies can then be written into a header.
pub(super) fn all(config: &Config) -> Result<(), ConfigError> {
    let mut have_resources = false;
    if let Some(one) = &config.resource {
        resource("", one, config)?;
        have_resources = true;
    }
    for (number, route) in config.routes.iter().enumerate() {
        if let Some(one) = &route.resource {
            resource(&format!("routes[{number}]."), one, config)?;
            have_resources = true;
        }
    }
    if have_resources { scopes(config) } else { Ok(()) }
}

/// Checks the metadata of a resource (RFC 9728 sections 1.2 and 2, RFC 8414 section 2). `at` precedes its position.
fn resource(at: &str, resource: &Resource, config: &Config) -> Result<(), ConfigError> {
    let error = |member: &str, message: &str| Err(ConfigError::new([at, "resource.", member].concat(), message));
    match public_url(&resource.resource) {
        Some((_, "")) => (),
        Some((_, path)) if Pattern::exact(path).is_ok() => (),
        _ => {
            return error(
                "resource",
                "must be a URL such as https://mcp.example.com/mcp: https (or http for a loopback address), the host in lower case, no query \
                 and no fragment, no % and no . or .. segment in its path",
            );
        }
    }
    let servers = resource.servers(&config.pools);
    if servers.is_empty() {
        return error("authorization_servers", "add the issuer that clients get tokens from: no pool is one");
    }
    if !servers.iter().all(|server| public_url(server).is_some_and(|(_, path)| !path.contains(['?', '#']))) {
        return error("authorization_servers", "has an issuer that is not an https URL without query and fragment");
    }
    if let Some(scopes) = &resource.scopes_supported
        && (scopes.is_empty() || !scopes.iter().all(|scope| is_scope(scope)))
    {
        return error("scopes_supported", "is empty, or has something that is not a scope (RFC 6749 section 3.3)");
    }
    if resource.resource_name.as_ref().is_some_and(String::is_empty) {
        return error("resource_name", "is empty");
    }
    if resource.resource_documentation.as_ref().is_some_and(|url| public_url(url).is_none()) {
        return error("resource_documentation", "must be an https URL");
    }
    Ok(())
}

fn scopes(config: &Config) -> Result<(), ConfigError> {
    for (number, policy) in config.policies.iter().enumerate() {
        let lists = policy.scopes.iter().flat_map(|scopes| [&scopes.any_of, &scopes.all_of]);
        if !lists.flatten().flatten().all(|scope| is_scope(scope)) {
            let at = format!("policies[{number}].scopes");
            return Err(ConfigError::new(at, "has something that is not a scope (RFC 6749 section 3.3)"));
        }
    }
    Ok(())
}
