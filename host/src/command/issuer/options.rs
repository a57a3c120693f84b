//! A pool of the configuration of the filter, as options of `poolgate verify`.

use serde_json::{Map, Value};

/// Returns the options, each with its value. The values are quoted for a POSIX shell.
pub fn verify_options(pool: &Map<String, Value>) -> Vec<String> {
    let mut options = Vec::new();
    for (member, option) in [
        ("user_pool_id", "--pool-id"),
        ("region", "--region"),
        ("issuer", "--issuer"),
        ("alb_arns", "--alb-arn"),
        ("issuers", "--issuer"),
        ("issuer_template", "--issuer-template"),
        ("tenants", "--tenant"),
        ("any_tenant", "--any-tenant"),
        ("identity_pool_id", "--identity-pool-id"),
        ("guests", "--guests"),
        ("any_issuer", "--any-issuer"),
        ("token_use", "--token-use"),
        ("client_ids", "--client-id"),
        ("any_client", "--any-client"),
        ("client_claim", "--client-claim"),
        ("resources", "--resource"),
        ("any_resource", "--any-resource"),
        ("unbound_clients", "--unbound-client"),
        ("algorithms", "--alg"),
        ("types", "--type"),
        ("scope_claim", "--scope-claim"),
        ("claims", "--claim"),
        ("max_age_seconds", "--max-age"),
        ("leeway_seconds", "--leeway"),
        ("any_subject", "--any-subject"),
    ] {
        match pool.get(member) {
            None | Some(Value::Bool(false)) => {}
            Some(Value::Bool(true)) => options.push(option.to_owned()),
            Some(Value::Array(values)) => options.extend(values.iter().map(|value| with_value(option, value))),
            Some(Value::String(text)) if member == "token_use" && text == "access_or_id" => {
                options.push("--token-use any".to_owned());
            }
            Some(value) => options.push(with_value(option, value)),
        }
    }
    // The command accepts every algorithm of another issuer by default, and the filter only RS256.
    let has_own_default =
        ["algorithms", "identity_pool_id", "alb_arns"].into_iter().any(|member| pool.contains_key(member));
    if !has_own_default {
        options.push("--alg RS256".to_owned());
    }
    if pool.get("confirmation").is_some_and(|confirmation| confirmation == "ignore") {
        options.push("--ignore-confirmation".to_owned());
    }
    if let Some(url) = pool.get("keys").and_then(|keys| keys.get("url")) {
        options.push(with_value("--jwks", url));
    }
    options
}

fn with_value(option: &str, value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+=".contains(&byte);
    match !text.is_empty() && text.bytes().all(is_plain) {
        true => format!("{option} {text}"),
        false => format!("{option} '{}'", text.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_for_a_shell() {
        for (value, expected) in [
            (Value::from("https://HOST/realms/R"), "--x https://HOST/realms/R"),
            (Value::from(""), "--x ''"),
            (Value::from("it's"), r"--x 'it'\''s'"),
            (Value::from(7), "--x 7"),
            (serde_json::json!({"claim": "typ"}), r#"--x '{"claim":"typ"}'"#),
        ] {
            assert_eq!(with_value("--x", &value), expected);
        }
    }
}
