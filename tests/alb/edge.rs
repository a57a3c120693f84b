//! Tokens of load balancers in the Envoy filter and the middleware: the header, the server of each key, and the configuration.

use crate::one_header::OneHeader;
use poolgate_core::{FetchError, LogicalTime, Response};
use poolgate_edge::{Decision, JwksUpstream, RequestAuthorizer, config};
use poolgate_tests::{
    corpus::load_balancers::{ARN, KEY_ID, OTHER_ARN, draft, padded},
    keys::{P256, pem},
    minting::{CLIENT_ID, ISSUER, NOW},
};
use serde_json::{Value, json};

/// A request with this header `x-amzn-oidc-data`.
fn request(token: String) -> OneHeader {
    OneHeader("x-amzn-oidc-data", token)
}

/// A configuration with one pool, with these changes.
fn configuration(changes: &Value) -> Value {
    let mut pool = json!({
        "name": "alb", "issuer": ISSUER, "alb_arns": [ARN, OTHER_ARN], "client_ids": [CLIENT_ID], "token_use": "unchecked",
        "keys": {"cluster": "alb-keys"},
    });
    for (name, value) in changes.as_object().expect("an object") {
        pool[name] = value.clone();
    }
    json!({
        "pools": [pool],
        "tokens": {"from": [{"header": "x-amzn-oidc-data", "prefix": ""}]},
        "routes": [{"prefix": "/", "authenticated": true}],
        "claims_to_headers": [{"claim": "email", "header": "x-email"}],
    })
}

fn authorizer(changes: &Value) -> Result<RequestAuthorizer, String> {
    let config = config::read(configuration(changes).to_string().as_bytes()).map_err(|error| error.to_string())?;
    RequestAuthorizer::new(&config, NOW, 0).map_err(|error| error.to_string())
}

#[test]
fn a_request_waits_for_the_key_and_is_forwarded_with_claims() {
    let mut authorizer = authorizer(&json!({})).expect("a valid configuration");
    let request = request(padded(&draft()));
    let Decision::Pause(paused) = authorizer.authorize(NOW, &request) else { panic!("the key is not known") };
    let fetch = paused.fetch.clone().expect("nothing else has caused it");
    assert_eq!(
        authorizer.jwks_upstream(&fetch.url),
        Some(JwksUpstream {
            cluster: "alb-keys".to_owned(),
            authority: "public-keys.auth.elb.eu-west-1.amazonaws.com".to_owned(),
            path: format!("/{KEY_ID}"),
            timeout_ms: 5_000,
        })
    );
    assert!(!authorizer.is_jwks_url(&fetch.url), "other workers don't learn of a URL that a client can invent");
    let body = pem(&P256.jwk(""));
    let response = Response { body: Some(body.as_bytes()), max_age: None, etag: None };
    authorizer.fetched(NOW, &fetch.url, Some(KEY_ID), LogicalTime(2), NOW, Ok(response)).expect("a key");
    let Decision::Admit(admitted) = authorizer.authorize_paused(NOW, &request, &paused, LogicalTime(1)) else {
        panic!("the token is valid")
    };
    assert!(admitted.is_verified());
    let headers: Vec<_> = authorizer.claim_headers(&admitted).collect();
    assert_eq!(headers, [("x-email", Some("ada@example.com"))]);
    let keys = authorizer.pool_keys(NOW);
    assert_eq!((keys[0].pool.as_str(), keys[0].keys, keys[0].age), ("alb", 1, Some(0)));
}

#[test]
fn the_key_url_may_be_configured() {
    for (url, authority, path) in [
        ("https://mirror.example/elb", "mirror.example", "/elb"),
        ("https://mirror.example/elb/", "mirror.example", "/elb"),
        ("http://127.0.0.1:8080/", "127.0.0.1:8080", ""),
    ] {
        let keys = json!({"keys": {"cluster": "mirror", "url": url}});
        let mut authorizer = authorizer(&keys).expect("a valid configuration");
        let Decision::Pause(paused) = authorizer.authorize(NOW, &request(padded(&draft()))) else { panic!("no key") };
        let upstream = authorizer.jwks_upstream(&paused.url).expect("the server of the keys");
        assert_eq!((upstream.authority.as_str(), upstream.path), (authority, format!("{path}/{KEY_ID}")), "{url}");
    }
}

#[test]
fn a_request_with_an_invented_key_id_is_denied() {
    let mut authorizer = authorizer(&json!({})).expect("a valid configuration");
    let request = request(padded(&draft()));
    let Decision::Pause(paused) = authorizer.authorize(NOW, &request) else { panic!("the key is not known") };
    let unknown = Err(FetchError::BadStatus);
    authorizer.fetched(NOW, &paused.url, Some(KEY_ID), LogicalTime(2), NOW, unknown).expect("it was requested");
    let decision = authorizer.authorize_paused(NOW, &request, &paused, LogicalTime(1));
    assert!(matches!(&decision, Decision::Reject(rejection) if rejection.name() == "key-unknown"), "{decision:?}");
}

#[test]
fn a_configured_key_set_is_that_of_each_load_balancer() {
    let keys = json!({"keys": {"jwks": {"keys": [P256.jwk(KEY_ID)]}}});
    let mut authorizer = authorizer(&keys).expect("a valid configuration");
    for arn in [ARN, OTHER_ARN] {
        let token = padded(&draft().header("signer", format!("\"{arn}\"")));
        assert!(matches!(authorizer.authorize(NOW, &request(token)), Decision::Admit(_)), "{arn}");
    }
}

#[test]
fn an_incomplete_configuration_is_rejected() {
    for (changes, problem) in [
        (json!({"alb_arns": []}), "pools[0].alb_arns: is an empty list"),
        (json!({"alb_arns": [""]}), "pools[0].alb_arns: contains an empty name"),
        (json!({"alb_arns": null}), "alb_arns"),
        (json!({"alb_arns": ["arn:aws:x"]}), "ARNs of Application Load Balancers"),
        (json!({"issuer": null, "user_pool_id": "eu-west-1_EXAMPLE01"}), "pools[0].alb_arns: requires issuer"),
        (json!({"token_use": "id"}), "pools[0].alb_arns: requires token_use: unchecked"),
        (
            json!({"keys": {"cluster": "a", "jwks": {"keys": []}}}),
            "set keys.jwks, or keys.cluster and keys.url, not both",
        ),
        (json!({"algorithms": ["RS256"]}), "ARNs of Application Load Balancers"),
    ] {
        let error = authorizer(&changes).expect_err("it is incomplete");
        assert!(error.contains(problem), "{changes}: {error}");
    }
}
