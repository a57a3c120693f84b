//! The bytes: status, headers and body, as they come over the wire.

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

/// Exceptions that no operation's table has.
const UNFORESEEN: [&str; 3] = ["SomethingNewException", "GroupExistsException", "-"];
const WRONG_PASSWORD: &str = "Wrong-Horse-7";
const WRONG_CODE: &str = "000000";

/// The requests that take a user's name from anyone, by a name for the failure message, and the operations behind them.
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
        // Last, for it makes a user of nobody.
        ("sign up", &[Operation::SignUp], "/v1/sign-up", sign_up),
    ]
}

/// Users of every kind that a pool may have. Their names are of one length.
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
async fn whoever_is_asked_about_the_answer_has_the_same_bytes() {
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
            let mut nobody = Vec::new();
            for (what, _, path, body) in requests("nobody-is") {
                nobody.push((what, Wire::post(path, body).answer(&gateway).await));
            }
            for user in USERS {
                for ((what, _, path, body), (_, expected)) in requests(user).into_iter().zip(&nobody) {
                    let answer = Wire::post(path, body).answer(&gateway).await;
                    assert_eq!(&answer, expected, "{setting}: {what}, as {user}");
                }
            }
            assert_eq!(*taken.lock().expect("no panic"), USERS, "the operator is told who was asked about");
            gateway.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_on_its_way_to_where_the_caller_has_typed_whoever_that_is() {
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

/// What Cognito may say of one account and not of another: per-user throttling, recovery that alternates between a simulated
/// delivery and `InvalidParameterException`, states of the account, failed deliveries, triggers.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_cognito_says_of_an_account_the_answer_has_the_bytes_that_nobody_gets() {
    // Said of the service, or told by the operator's own firewall.
    let told = [
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
    let mut nobody = BTreeMap::new();
    for (what, _, path, body) in requests("nobody-is") {
        nobody.insert(what, Wire::post(path, body).answer(&gateway).await);
    }
    pool.sign_up_user_in_groups("confirmed", PASSWORD, &[]).await;
    let mut tried = 0;
    for (what, operations, path, body) in requests("confirmed") {
        // Not in the model, or not of this operation, or with no name at all.
        for (operation, exception) in operations.iter().flat_map(|operation| UNFORESEEN.map(|name| (operation, name))) {
            proxy.inject(operation.name(), exception).await;
            let answer = Wire::post(path, body.clone()).answer(&gateway).await;
            assert_eq!(answer, nobody[what], "{what}: {operation:?} {exception}");
        }
        for row in rows().filter(|row| operations.contains(&row.operation) && !told.contains(&row.exception)) {
            // A wrong secret of ours, told to everyone at every sign-up.
            if (row.operation, row.exception) == (Operation::SignUp, Exception::NotAuthorized) {
                continue;
            }
            proxy.inject(row.operation.name(), row.exception.name()).await;
            let answer = Wire::post(path, body.clone()).answer(&gateway).await;
            assert_eq!(answer, nobody[what], "{what}: {:?} {}", row.operation, row.exception.name());
            tried += 1;
        }
    }
    println!("{tried} exceptions, each hidden");
    assert!(tried >= 80, "only {tried}");
    gateway.stop().await;
}

/// A session is proof of the password; without a good one, it is all the same who is named.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_a_challenge_with_a_wrong_session_has_the_same_bytes_whoever_is_named() {
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
