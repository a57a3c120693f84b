//! `keys.discover` of a pool: which host supports it, and what is wrong with it.

use super::{Value, folder_with, guarded, json, pool, run};

/// A pool whose key URL is in its issuer's discovery document.
fn discovering_pool() -> Value {
    json!({"name": "main", "issuer": "https://login.example", "any_client": true, "token_use": "unchecked", "keys": {"discover": true}})
}

/// Envoy's clusters are fixed, so it can't follow a document that names another key URL.
#[test]
fn discovery_is_for_the_middleware_alone() {
    let discovering = folder_with(&guarded(discovering_pool()));
    for envoy in [&["check", "poolgate.json"][..], &["check", "--for", "envoy", "poolgate.json"]] {
        let (code, output, error) = run(&discovering, envoy);
        assert_eq!((code, output.as_str()), (Some(1), ""), "{error}");
        assert!(
            error.starts_with("pools[0].keys.discover: ") && error.contains("`poolgate issuer show URL`"),
            "{error}"
        );
    }
    let middleware = ["check", "--for", "middleware", "poolgate.json"];
    assert_eq!(run(&discovering, &middleware), (Some(0), "valid\n".into(), String::new()));
    let component = ["component", "poolgate.json", "--output", "configuration.wasm"];
    assert_eq!(run(&discovering, &component), (Some(0), String::new(), String::new()));
    // What only Envoy supports.
    let mut with_state = guarded(pool());
    with_state["claims_to_filter_state"] = json!([{"claim": "sub", "name": "user"}]);
    let with_state = folder_with(&with_state);
    assert_eq!(run(&with_state, &["check", "poolgate.json"]).0, Some(0));
    let (code, _, error) = run(&with_state, &middleware);
    assert!(code == Some(1) && error.contains("claims_to_filter_state"), "{error}");
}

#[test]
fn envoy_needs_a_cluster_to_fetch_keys_and_the_middleware_does_not() {
    for keys in
        [None, Some(json!({})), Some(json!({"url": "https://login.example/keys"})), Some(json!({"timeout_ms": 1}))]
    {
        let mut pool = pool();
        match keys.clone() {
            Some(keys) => pool["keys"] = keys,
            None => drop(pool.as_object_mut().expect("a pool").remove("keys")),
        }
        let folder = folder_with(&guarded(pool));
        let (code, _, error) = run(&folder, &["check", "poolgate.json"]);
        assert!(
            code == Some(1) && error.starts_with("pools[0].keys.cluster: is required in Envoy"),
            "{keys:?}: {error}"
        );
        let middleware = run(&folder, &["check", "--for", "middleware", "poolgate.json"]);
        assert_eq!(middleware, (Some(0), "valid\n".into(), String::new()), "{keys:?}");
    }
}

#[test]
fn an_error_of_discovery_names_its_position_and_the_correction() {
    let other_pool = |keys: Value| {
        let mut other = discovering_pool();
        (other["name"], other["issuer"], other["keys"]) = (json!("other"), json!("https://other.example"), keys);
        other
    };
    let document = "https://login.example/.well-known/openid-configuration";
    let with = |changes: &[(&str, Value)]| {
        let mut pool = discovering_pool();
        for (member, value) in changes {
            match member.strip_prefix("keys.") {
                Some(member) => pool["keys"][member] = value.clone(),
                None => pool[member] = value.clone(),
            }
        }
        guarded(pool)
    };
    let without_issuer = |changes: &[(&str, Value)]| {
        let mut configuration = with(changes);
        configuration["pools"][0].as_object_mut().expect("a pool").remove("issuer");
        configuration
    };
    let mut twice = guarded(discovering_pool());
    twice["pools"]
        .as_array_mut()
        .expect("pools")
        .push(other_pool(json!({"discover": true, "discovery_url": document})));
    let mut also_keys = guarded(discovering_pool());
    also_keys["pools"].as_array_mut().expect("pools").push(other_pool(json!({"cluster": "a", "url": document})));
    let template = ("issuer_template", json!("https://login.example/{tid}/v2.0"));
    let no_host = "must be a host name or an address";
    for (configuration, error) in [
        (
            with(&[("keys.discover", json!(false)), ("keys.key_hosts", json!(["a.example"]))]),
            "pools[0].keys: discovery_url and key_hosts require",
        ),
        (
            with(&[("keys.discover", json!(false)), ("keys.discovery_url", json!(document))]),
            "pools[0].keys: discovery_url and key_hosts require",
        ),
        (with(&[("keys.discover", json!(1))]), "pools[0].keys.discover: invalid type"),
        (with(&[("keys.cluster", json!("a"))]), "pools[0].keys: set discover, or cluster and url, not both"),
        (with(&[("keys.url", json!(document))]), "pools[0].keys: set discover, or cluster and url, not both"),
        (without_issuer(&[("any_issuer", json!(true))]), "pools[0].keys.discover: requires issuer"),
        (without_issuer(&[("user_pool_id", json!("eu-west-1_EXAMPLE01"))]), "pools[0].keys.discover: requires issuer"),
        (
            with(&[(
                "alb_arns",
                json!(["arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/a/50dc6c495c0c9188"]),
            )]),
            "pools[0].keys.discover: requires issuer",
        ),
        (without_issuer(&[template.clone(), ("any_tenant", json!(true))]), "pools[0].keys.discovery_url: is required"),
        (with(&[("issuer", json!("https://login.example/?tenant=a"))]), "pools[0].keys.discovery_url: is required"),
        (
            with(&[("issuer", json!("accounts.google.com"))]),
            "pools[0].keys.discovery_url: is required, because the issuer is not a URL",
        ),
        (
            with(&[("keys.discovery_url", json!("login.example/document"))]),
            "pools[0].keys.discovery_url: must be https://HOST/PATH",
        ),
        (
            with(&[("keys.discovery_url", json!("https://user@login.example/document"))]),
            "pools[0].keys.discovery_url: must be https://HOST/PATH",
        ),
        (
            with(&[("keys.key_hosts", json!(["a.example", "https://b.example"]))]),
            &format!("pools[0].keys.key_hosts[1]: {no_host}"),
        ),
        (with(&[("keys.key_hosts", json!(["a.example:443"]))]), &format!("pools[0].keys.key_hosts[0]: {no_host}")),
        (with(&[("keys.key_hosts", json!(["a.example/x"]))]), &format!("pools[0].keys.key_hosts[0]: {no_host}")),
        (with(&[("keys.key_hosts", json!([""]))]), &format!("pools[0].keys.key_hosts[0]: {no_host}")),
        (with(&[("issuer", json!("http://login.example"))]), "pools: keys would be fetched without TLS"),
        (twice, "pools[0].keys: another pool uses the URL of this discovery document"),
        (also_keys, "pools[0].keys: another pool uses the URL of this discovery document"),
    ] {
        let (code, _, said) = run(&folder_with(&configuration), &["check", "--for", "middleware", "poolgate.json"]);
        assert_eq!(code, Some(1), "{configuration}");
        assert!(said.starts_with(error), "{error}: {said}");
    }
    for valid in [
        with(&[("keys.key_hosts", json!(["Keys.Example", "127.0.0.1", "[::1]"]))]),
        with(&[("keys.jwks", pool()["keys"]["jwks"].clone())]),
        with(&[("issuer", json!("http://localhost:8080"))]),
        with(&[("issuer", json!("accounts.google.com")), ("keys.discovery_url", json!(document))]),
        without_issuer(&[("issuers", json!(["https://login.example/", "https://login.example"]))]),
        without_issuer(&[template, ("any_tenant", json!(true)), ("keys.discovery_url", json!(document))]),
    ] {
        let (code, _, error) = run(&folder_with(&valid), &["check", "--for", "middleware", "poolgate.json"]);
        assert_eq!((code, error.as_str()), (Some(0), ""), "{valid}");
    }
}
