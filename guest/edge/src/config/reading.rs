//! Parses a configuration. An error names its position and, for a misspelled word, the nearest known one.

use super::{check, document::Config, error::ConfigError, tree::Place};
use serde::Deserialize;
use serde_json::Value;

/// The maximum nesting of a configuration.
const DEPTH: u32 = 32;

/// Reads a configuration and checks all of it.
///
/// # Errors
/// Returns a [`ConfigError`] if the text is not a JSON object, if its `version` is not 1, if a member is duplicate, unknown or of the wrong
/// type, or if the values are inconsistent.
pub fn read(json: &[u8]) -> Result<Config, ConfigError> {
    poolgate_core::check_json_object(json, DEPTH).map_err(|error| ConfigError::new("", error.text()))?;
    // The text is JSON, so it is UTF-8.
    let text = str::from_utf8(json).unwrap_or_default();
    let value: Value = serde_json::from_str(text).map_err(|error| ConfigError::new("", error.to_string()))?;
    // The first check: in another version, other members may be right.
    if value.get("version").is_some_and(|version| version.as_u64() != Some(1)) {
        return Err(ConfigError::new("version", "must be 1, the only version that this build reads"));
    }
    let mut path = String::new();
    let config = Config::deserialize(Place::new(&value, &mut path)).map_err(|error| described(&error, path))?;
    check::all(&config)?;
    Ok(config)
}

/// Describes an error of serde. `path` is its position.
fn described(error: &serde_json::Error, path: String) -> ConfigError {
    let text = error.to_string();
    match unknown(&text) {
        None => ConfigError::new(path, text),
        Some((kind, word, known)) => {
            let nearest = known.iter().map(|name| (strsim::osa_distance(word, name), name)).min();
            let message = match nearest {
                Some((distance, name)) if distance <= 2.max(word.len() / 3) => {
                    format!("unknown {kind} \"{word}\": did you mean \"{name}\"?")
                }
                _ => format!("unknown {kind} \"{word}\": expected one of {}", known.join(", ")),
            };
            ConfigError::new(path, message)
        }
    }
}

/// Parses serde's message "unknown field `a`, expected one of `b`, `c`".
fn unknown(text: &str) -> Option<(&'static str, &str, Vec<&str>)> {
    let (kind, rest) = match text.strip_prefix("unknown field `") {
        Some(rest) => ("field", rest),
        None => ("value", text.strip_prefix("unknown variant `")?),
    };
    let (word, rest) = rest.split_once('`')?;
    Some((kind, word, rest.split('`').skip(1).step_by(2).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = r#"{
        "pools": [{"name": "main", "user_pool_id": "eu-west-1_EXAMPLE01", "client_ids": ["a"], "token_use": "access",
                   "keys": {"cluster": "cognito"}}],
        "policies": [{"name": "admins", "groups": {"any_of": ["admin"]}}],
        "routes": [{"path": "/health", "public": true}, {"prefix": "/admin", "any_of": ["admins"]},
                   {"template": "/users/{id}", "methods": ["GET"], "authenticated": true}]
    }"#;

    #[test]
    fn a_valid_configuration_is_read() {
        let config = read(VALID.as_bytes()).expect("the configuration is valid");
        assert_eq!((config.version, config.pools.len(), config.policies.len(), config.routes.len()), (1, 1, 1, 3));
    }

    #[test]
    fn the_version_is_1_or_absent_and_is_checked_before_everything_else() {
        let with = |members: &str| read(VALID.replacen('{', &format!("{{{members},"), 1).as_bytes());
        assert_eq!(with("\"version\": 1").map(|config| config.version), Ok(1));
        for members in [
            "\"version\": 2",
            "\"version\": 0",
            "\"version\": \"1\"",
            "\"version\": null",
            "\"version\": 2, \"new\": 1",
        ] {
            let error = with(members).map(|config| config.version).unwrap_err().to_string();
            assert_eq!(error, "version: must be 1, the only version that this build reads", "{members}");
        }
    }

    #[test]
    fn an_error_names_its_position_and_the_correction() {
        for (from, to, error) in [
            ("\"methods\"", "\"metods\"", "routes[2].metods: unknown field \"metods\": did you mean \"methods\"?"),
            (
                "\"any_of\": [\"admin\"]",
                "\"colour\": 1",
                "policies[0].groups.colour: unknown field \"colour\": expected one of any_of, all_of",
            ),
            ("\"access\"", "\"acess\"", "pools[0].token_use: unknown value \"acess\": did you mean \"access\"?"),
            ("\"public\": true", "\"public\": 1", "routes[0].public: invalid type: integer `1`, expected a boolean"),
            ("\"token_use\": \"access\",", "", "pools[0]: missing field `token_use`"),
            (
                "[\"admins\"]",
                "[\"admin\"]",
                "routes[1].any_of[0]: there is no policy \"admin\": did you mean \"admins\"?",
            ),
            (
                "\"client_ids\": [\"a\"],",
                "",
                "pools[0].client_ids: list the accepted app clients, or set any_client: true to accept all",
            ),
            ("[\"a\"]", "[]", "pools[0].client_ids: is an empty list: add an entry, or remove the list"),
            ("[\"admin\"]", "[]", "policies[0].groups.any_of: is an empty list: add an entry, or remove the list"),
            ("\"any_of\": [\"admin\"]", "\"all_of\": [\"\"]", "policies[0].groups.all_of: contains an empty name"),
            ("\"any_of\": [\"admin\"]", "", "policies[0].groups: set any_of, all_of or both"),
            (
                "\"groups\": {\"any_of\": [\"admin\"]}",
                "\"scopes\": {\"any_of\": [\"a b\"]}",
                "policies[0].scopes: contains a scope with a space: list each scope on its own",
            ),
            (
                "\"groups\": {\"any_of\": [\"admin\"]}",
                "\"claims\": [{\"claim\": \"a\", \"any_of\": [1], \"exists\": true}]",
                "policies[0].claims[0]: set one of any_of, all_of, none_of, prefix, suffix, exists, and at_least or at_most",
            ),
            (
                "\"groups\": {\"any_of\": [\"admin\"]}",
                "\"claims\": [{\"claim\": \"exp\", \"at_least\": 1}]",
                "policies[0].claims[0]: iss, exp, nbf and iat have checks of their own",
            ),
            (
                "\"token_use\": \"access\"",
                "\"token_use\": \"access\", \"issuers\": [\"a\"]",
                "pools[0]: set one of user_pool_id, issuer, issuers, issuer_template, identity_pool_id and any_issuer",
            ),
            (
                "\"token_use\": \"access\"",
                "\"token_use\": \"access\", \"guests\": \"accept\"",
                "pools[0].guests: set it together with identity_pool_id: refuse or accept",
            ),
            ("{\"any_of\": [\"admin\"]}", "null", "policies[0].groups: invalid type: null, expected struct Membership"),
            (
                "{\"any_of\": [\"admin\"]}",
                "[[\"admin\"]]",
                "policies[0].groups: invalid type: sequence, expected struct Membership",
            ),
            ("\"access\"", "{\"access\": null}", "pools[0].token_use: expected value"),
            ("\"access\"", "-1", "pools[0].token_use: expected value"),
            (
                "\"public\": true",
                "\"public\": -1.5",
                "routes[0].public: invalid type: floating point `-1.5`, expected a boolean",
            ),
            (
                "{\"cluster\": \"cognito\"}",
                "{\"timeout_ms\": -1}",
                "pools[0].keys.timeout_ms: invalid value: integer `-1`, expected u32",
            ),
            (
                "[\"admin\"]",
                "[\"admin\", 1]",
                "policies[0].groups.any_of[1]: invalid type: integer `1`, expected a string",
            ),
            ("[\"admin\"]", "null", "policies[0].groups.any_of: invalid type: null, expected a sequence"),
            ("[\"a\"]", "null", "pools[0].client_ids: invalid type: null, expected a sequence"),
            (
                ", \"groups\": {\"any_of\": [\"admin\"]}",
                "",
                "policies[0]: requires nothing: to accept any valid token, set authenticated: true in the route",
            ),
            (
                "\"groups\": {\"any_of\": [\"admin\"]}",
                "\"token_use\": \"unchecked\"",
                "policies[0]: requires nothing: to accept any valid token, set authenticated: true in the route",
            ),
            (
                "\"token_use\": \"access\"",
                "\"token_use\": \"id\", \"resources\": [\"https://api\"]",
                "pools[0].resources: not allowed with ID tokens: their aud is an app client",
            ),
            (
                "eu-west-1_EXAMPLE01",
                "EXAMPLE01",
                "pools[0].user_pool_id: is invalid, or its region is unknown: expected, for example, eu-west-1_AbCdEfGhI",
            ),
            ("{\"cluster\": \"cognito\"}", "{\"cluster\": \"\"}", "pools[0].keys.cluster: is empty"),
            (
                "\"public\": true",
                "\"public\": true, \"optional\": true",
                "routes[0]: optional and report_only are not allowed in a public route",
            ),
            (
                "\"public\": true",
                "\"prefix\": \"/\", \"public\": true",
                "routes[0]: set one of path, prefix and template",
            ),
            (", \"public\": true", "", "routes[0]: set one of public, authenticated, any_of and all_of"),
            (
                "/admin",
                "/admin/../x",
                "routes[1]: the path must begin with /, be percent-decoded ASCII, and have no empty, . or .. segment, no %, ?, #, ; or backslash",
            ),
            ("/users/{id}", "/users/x{id}", "routes[2]: a placeholder must be a whole segment: /users/{id}/orders"),
            ("\"GET\"", "\"get\"", "routes[2].methods[0]: must be in capitals, for example GET"),
            ("[\"GET\"]", "[]", "routes[2].methods: is an empty list: add an entry, or remove the list"),
            ("\"name\": \"main\"", "\"name\": \"main\", \"name\": \"x\"", "an object has two members of the same name"),
            ("\"routes\"", "x", "it is not a JSON object"),
        ] {
            assert!(VALID.contains(from), "{from}");
            let actual = read(VALID.replacen(from, to, 1).as_bytes()).map(|_| ()).unwrap_err().to_string();
            assert_eq!(actual, error);
        }
    }
}
