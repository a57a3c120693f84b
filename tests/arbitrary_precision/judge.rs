//! `judge CASES`: verifies the corpus with the core, with serde_json's feature `arbitrary_precision` enabled, and prints the verdicts on
//! standard output. The test `tests/arbitrary_precision.rs` builds it as a package outside the workspace. In the workspace, cargo would enable
//! the feature for all packages.

use poolgate_core::{
    Algorithm, CacheLimits, ClientRule, Config, ConfirmationRule, IssuerRule, KeyOrigin, KeyPolicy, Limits, Membership,
    Pool, ResourceRule, Step, SubjectRule, TokenUseRule, Verifier,
};
use serde_json::{Value, json};
use std::{env, fs};

fn main() {
    let exact = "0.1000000000000000000000000000000001";
    let read: Value = serde_json::from_str(exact).expect("a number");
    assert_eq!(read.to_string(), exact, "the feature is off");
    let file = env::args_os().nth(1).expect("the cases");
    let cases: Value = serde_json::from_str(&fs::read_to_string(file).expect("a file")).expect("JSON");
    let verdicts: Vec<Value> = cases.as_array().expect("a list").iter().map(verdict).collect();
    println!("{}", Value::from(verdicts));
}

fn verdict(case: &Value) -> Value {
    let number = |value: &Value| -> u64 { text(value).expect("a text").parse().expect("a number") };
    let now = number(&case["now"]);
    let mut verifier = Verifier::new(config(&case["config"])).expect("a good configuration");
    for seed in case["seeds"].as_array().expect("a list") {
        let (issuer, jwks) = (text(&seed["issuer"]).expect("an issuer"), text(&seed["jwks"]).expect("a JWK Set"));
        verifier.load_key_set(now, &issuer, jwks.as_bytes(), number(&seed["fetched_at"])).expect("keys that are taken");
    }
    match verifier.verify(now, &text(&case["token"]).expect("a token")) {
        Step::Done(Ok(_)) => json!({}),
        Step::Done(Err(reason)) => json!({"reason": reason.name(), "status": reason.error_code().status()}),
        step => panic!("a seeded pool waits for keys: {step:?}"),
    }
}

fn config(words: &Value) -> Config {
    let limit = |name: &str| words["limits"][name].as_u64().and_then(|limit| limit.try_into().ok()).expect("a limit");
    Config {
        pools: words["pools"].as_array().expect("a list").iter().map(pool).collect(),
        limits: Limits {
            token_bytes: limit("token_bytes"),
            json_depth: limit("json_depth"),
            jwks_bytes: limit("jwks_bytes"),
            jwks_keys: limit("jwks_keys"),
        },
        key_policy: KeyPolicy::default(),
        cache: CacheLimits::default(),
        requirements: Vec::new(),
    }
}

fn pool(words: &Value) -> Pool {
    let seconds = |name: &str| words[name].as_u64().and_then(|seconds| u32::try_from(seconds).ok());
    assert_eq!(words["keys"], "local", "every case of the corpus is seeded");
    Pool {
        issuer: match (text(&words["user_pool_id"]), text(&words["issuer"])) {
            (Some(id), _) => IssuerRule::UserPool { id, region: text(&words["region"]) },
            (None, Some(issuer)) => IssuerRule::Exactly(issuer),
            (None, None) => IssuerRule::Unchecked,
        },
        keys: KeyOrigin::Local,
        algorithms: texts(&words["algorithms"])
            .unwrap_or_default()
            .iter()
            .map(|name| Algorithm::from_name(name).expect("an algorithm"))
            .collect(),
        token_use: match words["token_use"].as_str() {
            Some("access") => TokenUseRule::Access,
            Some("id") => TokenUseRule::Id,
            Some("access_or_id") => TokenUseRule::AccessOrId,
            _ => TokenUseRule::Unchecked,
        },
        client: texts(&words["client_ids"]).map_or(ClientRule::Unchecked, ClientRule::OneOf),
        groups: membership(&words["groups"]),
        scopes: membership(&words["scopes"]),
        resource: match (texts(&words["resources"]), &words["any_resource"]) {
            (Some(names), _) => ResourceRule::OneOf(names),
            (None, Value::Bool(true)) => ResourceRule::Unchecked,
            (None, _) => ResourceRule::Unbound,
        },
        subject: if words["any_subject"] == true { SubjectRule::Unchecked } else { SubjectRule::Required },
        confirmation: match words["confirmation"].as_str() {
            Some("ignore") => ConfirmationRule::Ignore,
            _ => ConfirmationRule::Refuse,
        },
        max_age: seconds("max_age_seconds"),
        leeway: seconds("leeway_seconds").expect("stated in every case"),
        issued_at_skew: seconds("issued_at_skew_seconds").expect("stated in every case"),
    }
}

fn membership(words: &Value) -> Membership {
    Membership { any_of: texts(&words["any_of"]), all_of: texts(&words["all_of"]) }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array().map(|names| names.iter().filter_map(text).collect())
}
