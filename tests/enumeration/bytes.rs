//! Status, headers and body are compared byte for byte, as they are sent over the connection.

use crate::{
    account_setup::{PASSWORD, account_builder},
    gateway_setup::serve,
    wire::Wire,
};
use poolgate::gateway::Gateway;
use poolgate_core::accounts::{Exception, Operation, rows};
use poolgate_tests::{
    microburst::Microburst,
    ministack::Ministack,
    test_pool::{PoolOptions, TestPool},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// Exceptions that are not in the table of any operation.
const UNFORESEEN: [&str; 3] = ["SomethingNewException", "GroupExistsException", "-"];
const WRONG_PASSWORD: &str = "Wrong-Horse-7";
const WRONG_CODE: &str = "000000";

/// The requests that take a username without authentication: a name for failure messages, Cognito's operations, the path and the body.
fn requests(username: &str) -> Vec<(&'static str, &'static [Operation], &'static str, Value)> {
    let sign_up = json!({ "username": username, "password": PASSWORD, "attributes": { "email": "a@example.com" } });
    let credentials = json!({ "username": username, "password": WRONG_PASSWORD });
    let srp = json!({ "username": username, "password": WRONG_PASSWORD, "method": "srp" });
    let code = json!({ "username": username, "code": WRONG_CODE });
    let new_password = json!({ "username": username, "code": WRONG_CODE, "password": PASSWORD });
    let name = json!({ "username": username });
    vec![
        ("sign in", &[Operation::InitiateAuth], "/v1/sign-in", credentials),
        ("sign in with SRP", &[Operation::InitiateAuth, Operation::PasswordVerifier], "/v1/sign-in", srp),
        ("confirm a sign-up", &[Operation::ConfirmSignUp], "/v1/confirm-sign-up", code),
        ("resend the code", &[Operation::ResendConfirmationCode], "/v1/resend-code", name.clone()),
        ("forgot the password", &[Operation::ForgotPassword], "/v1/forgot-password", name),
        ("confirm a new password", &[Operation::ConfirmForgotPassword], "/v1/confirm-forgot-password", new_password),
        // Last, because it creates the user that did not exist.
        ("sign up", &[Operation::SignUp], "/v1/sign-up", sign_up),
    ]
}

/// One user in each state. Their names have the same length.
const USERS: [&str; 4] = ["confirmed", "unconfirm", "mustreset", "forbidden"];

async fn populate(pool: &TestPool) {
    for name in USERS {
        pool.sign_up_unconfirmed(name, PASSWORD).await;
        let administer = async |operation| pool.administer(operation, json!({ "Username": name })).await;
        if name != "unconfirm" {
            administer("AdminConfirmSignUp").await;
        }
        match name {
            "mustreset" => drop(administer("AdminResetUserPassword").await),
            "forbidden" => drop(administer("AdminDisableUser").await),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_response_is_the_same_for_users_in_every_state_and_for_no_user() {
    let server = Ministack::start().await;
    for setting in ["ENABLED", "LEGACY"] {
        for has_client_secret in [false, true] {
            let options =
                PoolOptions { prevent_user_existence_errors: setting, has_client_secret, ..PoolOptions::default() };
            let pool = server.create_pool(options).await;
            populate(&pool).await;
            let taken = Arc::new(Mutex::new(Vec::new()));
            let hook = Arc::clone(&taken);
            let accounts = account_builder(server.endpoint(), &pool).await;
            let accounts = accounts.on_username_taken(move |it| hook.lock().expect("no panic").push(it.username));
            let gateway = Gateway::new(accounts.build().await.expect("the accounts build")).rate_limit(None);
            let gateway = serve(gateway).await;
            let mut no_account = Vec::new();
            for (what, _, path, body) in requests("nobody-is") {
                no_account.push((what, Wire::post(path, body).answer(&gateway).await));
            }
            for user in USERS {
                for ((what, _, path, body), (_, expected)) in requests(user).into_iter().zip(&no_account) {
                    let answer = Wire::post(path, body).answer(&gateway).await;
                    assert_eq!(&answer, expected, "{setting}: {what}, as {user}");
                }
            }
            assert_eq!(*taken.lock().expect("no panic"), USERS, "the hook is called for every taken username");
            gateway.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_delivery_in_the_response_is_computed_from_the_input() {
    let server = Ministack::start().await;
    let pool = server.create_pool(PoolOptions::default()).await;
    pool.sign_up_user_in_groups("anna@example.com", PASSWORD, &[]).await;
    pool.sign_up_user_in_groups("+15550001234", PASSWORD, &[]).await;
    let accounts = account_builder(server.endpoint(), &pool).await.build().await.expect("the accounts build");
    let gateway = serve(Gateway::new(accounts).rate_limit(None)).await;
    for (exists, does_not, shown) in
        [("anna@example.com", "arno@elsewhere.org", "a***@e***"), ("+15550001234", "+49551551234", "+*******1234")]
    {
        for path in ["/v1/forgot-password", "/v1/resend-code"] {
            let answer = Wire::post(path, json!({ "username": exists })).answer(&gateway).await;
            assert_eq!(answer, Wire::post(path, json!({ "username": does_not })).answer(&gateway).await);
            assert!(answer.contains(shown), "{answer}");
        }
    }
    gateway.stop().await;
}

/// Exceptions that Cognito may raise for some accounts only: throttling per user, recovery that alternates between a simulated delivery
/// and `InvalidParameterException`, states of the account, failed deliveries, triggers.
#[tokio::test(flavor = "multi_thread")]
async fn every_exception_about_an_account_has_the_response_for_no_account() {
    // These are about the service or the operator's firewall, not about an account.
    let about_the_service = [
        Exception::ResourceNotFound,
        Exception::OperationNotEnabled,
        Exception::UnsupportedOperation,
        Exception::InvalidUserPoolConfiguration,
        Exception::FeatureUnavailableInTier,
        Exception::Forbidden,
        Exception::TooManyRequests,
        Exception::InternalError,
    ];
    let server = Ministack::start().await;
    let proxy = Microburst::start(server.endpoint()).await;
    let pool = server.create_pool(PoolOptions::default()).await;
    let accounts = account_builder(proxy.endpoint(), &pool).await.build().await.expect("the accounts build");
    let gateway = serve(Gateway::new(accounts).rate_limit(None)).await;
    let mut no_account = BTreeMap::new();
    for (what, _, path, body) in requests("nobody-is") {
        no_account.insert(what, Wire::post(path, body).answer(&gateway).await);
    }
    pool.sign_up_user_in_groups("confirmed", PASSWORD, &[]).await;
    let mut tried = 0;
    for (what, operations, path, body) in requests("confirmed") {
        // Exceptions that the service model does not declare, or not for this operation, and one without a name.
        for (operation, exception) in operations.iter().flat_map(|operation| UNFORESEEN.map(|name| (operation, name))) {
            proxy.inject(operation.name(), exception).await;
            let answer = Wire::post(path, body.clone()).answer(&gateway).await;
            assert_eq!(answer, no_account[what], "{what}: {operation:?} {exception}");
        }
        for row in
            rows().filter(|row| operations.contains(&row.operation) && !about_the_service.contains(&row.exception))
        {
            // Our client secret is wrong. Every sign-up gets this response.
            if (row.operation, row.exception) == (Operation::SignUp, Exception::NotAuthorized) {
                continue;
            }
            proxy.inject(row.operation.name(), row.exception.name()).await;
            let answer = Wire::post(path, body.clone()).answer(&gateway).await;
            assert_eq!(answer, no_account[what], "{what}: {:?} {}", row.operation, row.exception.name());
            tried += 1;
        }
    }
    println!("{tried} exceptions, all suppressed");
    assert!(tried >= 80, "only {tried}");
    gateway.stop().await;
}

/// A session proves that the password was correct. Without a valid session, the response must not depend on the username.
#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_response_with_an_invalid_session_has_the_same_response_for_every_username() {
    let server = Ministack::start().await;
    let proxy = Microburst::start(server.endpoint()).await;
    let pool = server.create_pool(PoolOptions::default()).await;
    let accounts = account_builder(proxy.endpoint(), &pool).await.build().await.expect("the accounts build");
    let gateway = serve(Gateway::new(accounts).rate_limit(None)).await;
    let operation = Operation::RespondToAuthChallenge;
    let answer = json!({ "challenge": "sms-mfa", "code": WRONG_CODE });
    let body = json!({ "username": "anna", "session": "a-session-of-some-length", "answer": answer });
    let mut answers = BTreeMap::new();
    let of_an_account = [
        "UserNotFoundException",
        "UserNotConfirmedException",
        "PasswordResetRequiredException",
        "AliasExistsException",
    ];
    let factors = ["MFAMethodNotFoundException", "SoftwareTokenMFANotFoundException"];
    for exception in ["NotAuthorizedException"].iter().chain(&of_an_account).chain(&factors).chain(&UNFORESEEN) {
        proxy.inject(operation.name(), exception).await;
        let answer = Wire::post("/v1/answer-challenge", body.clone()).answer(&gateway).await;
        answers.entry(answer).or_insert_with(Vec::new).push(exception);
    }
    assert_eq!(answers.len(), 1, "{answers:#?}");
    gateway.stop().await;
}
