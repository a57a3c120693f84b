//! Flows in which a signed-in user sets an address or a preferred username: responses do not reveal whether another account has it.

use crate::{
    account_setup::{PASSWORD, account_builder, over},
    gateway_setup::{Served, serve},
    scripted_cognito::{Reply, ScriptedCognito},
    wire::Wire,
};
use poolgate::{Pool, gateway::Gateway};
use poolgate_core::accounts::{Operation, Outcome, rows};
use poolgate_tests::{
    cognito_local::{CODE, CognitoLocal},
    microburst::Microburst,
    ministack::Ministack,
    test_pool::PoolOptions,
};
use serde_json::{Value, json};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

/// Aliases that another account has, and similar ones that no account has.
const ALIASES: [(&str, &str, &str); 3] = [
    ("email", "taken@example.com", "t@elsewhere.org"),
    ("phone_number", "+15550001234", "+49551551234"),
    ("preferred_username", "taken", "free"),
];

fn patch(token: &str, attributes: Value) -> Wire<'_> {
    Wire { method: "PATCH", path: "/v1/user", token: Some(token), body: json!({ "attributes": attributes }) }
}

/// A pool in which two of the aliases above are sign-in names. It checks first whether they are taken, and sends a code, which can be
/// verified, only if they are not.
async fn pool_with_aliases(upstream: &str) -> ScriptedCognito {
    let is_pending = AtomicBool::new(false);
    ScriptedCognito::start(upstream, move |operation, request| match operation {
        "UpdateUserAttributes" => {
            let attributes = request["UserAttributes"].as_array().expect("attributes");
            let is_taken = attributes.iter().any(|attribute| ALIASES.iter().any(|it| attribute["Value"] == it.1));
            let is_known = attributes.iter().all(|attribute| attribute["Name"] != "custom:unknown");
            is_pending.store(is_known && !is_taken, Ordering::Relaxed);
            match (is_taken, is_known) {
                (true, _) => Reply::Exception("AliasExistsException"),
                (false, false) => Reply::Exception("InvalidParameterException"),
                (false, true) => {
                    let sent =
                        json!({ "DeliveryMedium": "EMAIL", "Destination": "t***@e***", "AttributeName": "email" });
                    Reply::Body(json!({ "CodeDeliveryDetailsList": [sent] }))
                }
            }
        }
        "GetUserAttributeVerificationCode" if is_pending.load(Ordering::Relaxed) => {
            Reply::Body(json!({ "CodeDeliveryDetails": { "DeliveryMedium": "EMAIL", "Destination": "t***@e***" } }))
        }
        // "User is already verified."
        "GetUserAttributeVerificationCode" => Reply::Exception("InvalidParameterException"),
        "VerifyUserAttribute" if is_pending.load(Ordering::Relaxed) => Reply::Exception("CodeMismatchException"),
        "VerifyUserAttribute" => Reply::Exception("ExpiredCodeException"),
        _ => Reply::Pass,
    })
    .await
}

/// Changes an alias, and sends the requests that can follow.
async fn change(gateway: &Served, token: &str, attributes: Value, alias: &str) -> Vec<String> {
    let post = |path, body| Wire { method: "POST", path, token: Some(token), body };
    let requests = [
        patch(token, attributes),
        post("/v1/send-attribute-code", json!({ "attribute": alias })),
        post("/v1/verify-attribute", json!({ "attribute": alias, "code": "000000" })),
        Wire { method: "GET", ..post("/v1/user", json!({})) },
    ];
    let mut answers = Vec::new();
    for request in requests {
        answers.push(request.answer(gateway).await);
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_another_account_has_the_response_of_a_free_one_and_calls_the_hook() {
    let server = Ministack::start().await;
    let pool = server.create_pool(PoolOptions::default()).await;
    pool.sign_up_user_in_groups("anna", PASSWORD, &[]).await;
    let token = pool.sign_in("anna", PASSWORD).await.access_token;
    let proxy = pool_with_aliases(server.endpoint()).await;
    let taken = Arc::new(Mutex::new(Vec::new()));
    let hook = Arc::clone(&taken);
    let builder = account_builder(&proxy.endpoint, &pool).await;
    let builder = builder.on_username_taken(move |it| hook.lock().expect("no panic").push((it.flow, it.username)));
    let gateway = serve(Gateway::new(builder.build().await.expect("the accounts build")).rate_limit(None)).await;
    for (name, exists, does_not) in ALIASES {
        let alone = |value: &str| json!({ name: value });
        let with_another = |value: &str| json!({ name: value, "name": "Anna" });
        // With both in one call, the pool would report the taken address, and not the unknown attribute.
        let with_unknown = |value: &str| json!({ name: value, "custom:unknown": "x" });
        let with_malformed = |value: &str| json!({ name: value, "address": "a\u{7}" });
        for (attributes, status) in [
            (&alone as &dyn Fn(&str) -> Value, "200"),
            (&with_another, "200"),
            (&with_unknown, "400"),
            (&with_malformed, "400"),
        ] {
            let of_taken = change(&gateway, &token, attributes(exists), name).await;
            let of_free = change(&gateway, &token, attributes(does_not), name).await;
            assert!(of_taken[0].starts_with(&format!("HTTP/1.1 {status} ")), "{name}: {}", of_taken[0]);
            assert_eq!(of_taken, of_free, "{}", attributes(exists));
        }
        // The hook is called for the changes that had the response of a success.
        let reported = std::mem::take(&mut *taken.lock().expect("no panic"));
        assert_eq!(reported, [("update-attributes", exists.to_owned()), ("update-attributes", exists.to_owned())]);
    }
    // Two aliases in one request: each is changed in a separate call.
    let both = |email: &str| json!({ "email": email, "preferred_username": "taken" });
    let of_taken = change(&gateway, &token, both(ALIASES[0].1), "email").await;
    assert_eq!(of_taken, change(&gateway, &token, both(ALIASES[0].2), "email").await);
    for request in proxy.asked("UpdateUserAttributes") {
        let attributes = request["UserAttributes"].as_array().expect("attributes");
        let aliases = attributes.iter().filter(|it| ALIASES.iter().any(|(name, ..)| it["Name"] == *name)).count();
        assert!(aliases == 0 || attributes.len() == 1, "{request}");
    }
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deliveries_in_the_response_are_computed_from_the_input() {
    let server = Ministack::start().await;
    let pool = server.create_pool(PoolOptions::default()).await;
    pool.sign_up_user_in_groups("anna", PASSWORD, &[]).await;
    let token = pool.sign_in("anna", PASSWORD).await.access_token;
    let proxy = pool_with_aliases(server.endpoint()).await;
    let accounts = account_builder(&proxy.endpoint, &pool).await.build().await.expect("the accounts build");
    let gateway = serve(Gateway::new(accounts).rate_limit(None)).await;
    let attributes = json!({ "email": "maria@own.example", "phone_number": "+4915551234567", "name": "Anna" });
    let answer = patch(&token, attributes).answer(&gateway).await;
    let expected = json!({ "deliveries": [
        { "medium": "email", "destination": "m***@o***" },
        { "medium": "sms", "destination": "+*******4567" },
    ] });
    assert!(answer.ends_with(&expected.to_string()), "{answer}");
    let asked = Wire {
        method: "POST",
        path: "/v1/send-attribute-code",
        token: Some(&token),
        body: json!({ "attribute": "email" }),
    };
    let answer = asked.answer(&gateway).await;
    assert!(answer.ends_with(r#"{"medium":"email","destination":null}"#), "{answer}");
    gateway.stop().await;
}

/// Every exception of these operations that depends on the address, and some that Cognito does not declare.
#[tokio::test(flavor = "multi_thread")]
async fn every_exception_about_an_address_has_the_response_for_a_free_address() {
    let server = Ministack::start().await;
    let proxy = Microburst::start(server.endpoint()).await;
    let pool = server.create_pool(PoolOptions::default()).await;
    pool.sign_up_user_in_groups("anna", PASSWORD, &[]).await;
    let token = pool.sign_in("anna", PASSWORD).await.access_token;
    let accounts = account_builder(proxy.endpoint(), &pool).await.build().await.expect("the accounts build");
    let gateway = serve(Gateway::new(accounts).rate_limit(None)).await;
    let post = |path, body| Wire { method: "POST", path, token: Some(token.as_str()), body };
    let email = json!({ "email": "maria@own.example" });
    let code = json!({ "attribute": "email", "code": "000000" });
    for (operation, request, free, least) in [
        // The responses for a free address: that of a success, and that of a wrong code.
        (Operation::UpdateAlias, patch(&token, email), "AliasExistsException", 11),
        (
            Operation::GetUserAttributeVerificationCode,
            post("/v1/send-attribute-code", json!({ "attribute": "email" })),
            "InvalidParameterException",
            9,
        ),
        (Operation::VerifyUserAttribute, post("/v1/verify-attribute", code), "CodeMismatchException", 5),
    ] {
        proxy.inject(operation.name(), free).await;
        let expected = request.answer(&gateway).await;
        let is_returned = |outcome| match outcome {
            Outcome::SameAsSuccess | Outcome::DependsOnCheckOrder { .. } => false,
            Outcome::Error(name) => name.name() != "invalid-code",
        };
        let suppressed = rows().filter(|row| row.operation == operation && !is_returned(row.outcome));
        let names: Vec<&str> = suppressed.map(|row| row.exception.name()).collect();
        assert!(names.len() >= least, "{operation:?}: {names:?}");
        for name in names.into_iter().chain(["SomethingNewException", "UsernameExistsException"]) {
            proxy.inject(operation.name(), name).await;
            assert_eq!(request.answer(&gateway).await, expected, "{operation:?}: {name}");
        }
    }
    proxy.clear().await;
    let email = json!({ "email": "maria@own.example" });
    let success = patch(&token, email.clone()).answer(&gateway).await;
    assert!(success.starts_with("HTTP/1.1 200 "), "{success}");
    proxy.inject("UpdateUserAttributes", "AliasExistsException").await;
    assert_eq!(patch(&token, email).answer(&gateway).await, success);
    gateway.stop().await;
}

/// With cognito-local, which verifies attributes.
#[tokio::test(flavor = "multi_thread")]
async fn the_responses_are_the_same_with_a_server_that_verifies_attributes() {
    let server = CognitoLocal::start().await;
    let issuer = server.issuer();
    let configured = Pool::issuer(&issuer).jwks_url(format!("{issuer}/.well-known/jwks.json"));
    let configured = configured.client_ids([&server.client_id]);
    let builder = over(&server.endpoint, configured, &server.pool_id, &server.client_id).await;
    let gateway = serve(Gateway::new(builder.build().await.expect("the accounts build")).rate_limit(None)).await;
    for username in ["anna", "maria"] {
        let email = json!({ "email": format!("{username}@example.com") });
        let sign_up = json!({ "username": username, "password": PASSWORD, "attributes": email });
        assert!(Wire::post("/v1/sign-up", sign_up).answer(&gateway).await.starts_with("HTTP/1.1 200 "));
        let confirm = json!({ "username": username, "code": CODE });
        assert!(Wire::post("/v1/confirm-sign-up", confirm).answer(&gateway).await.starts_with("HTTP/1.1 204 "));
    }
    let signed_in = Wire::post("/v1/sign-in", json!({ "username": "anna", "password": PASSWORD }));
    let signed_in = signed_in.answer(&gateway).await;
    let body: Value = serde_json::from_str(signed_in.split_once("\r\n\r\n").expect("a body").1).expect("JSON");
    let token = body["tokens"]["access_token"].as_str().expect("a token");
    let mut answers = Vec::new();
    for email in ["maria@example.com", "moira@elsewhere.org"] {
        let mut answered = change(&gateway, token, json!({ "email": email }), "email").await;
        // This server changes the address before it is verified, so the account's own data shows the change. SECURITY.md lists this limit.
        answered.pop();
        answers.push(answered);
    }
    assert_eq!(answers[0], answers[1]);
    gateway.stop().await;
}
