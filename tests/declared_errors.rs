//! Every declared exception of every operation is injected between the component and an emulator. The tests check the internal reason and
//! the response.

mod account_setup;

use account_setup::{PASSWORD, account_builder, secret};
use poolgate::accounts::{
    Accepted, AccountError, Accounts, Attribute, ChallengeAnswer, InternalReason, MfaPreference, MfaSetting,
    RefreshFlow, SignedIn, TotpOwner,
};
use poolgate_core::accounts::{Operation, Outcome, rows};
use poolgate_tests::{
    microburst::Microburst,
    ministack::Ministack,
    test_pool::{PoolOptions, TestPool},
};
use secrecy::SecretString;
use std::{collections::BTreeSet, time::Duration};

async fn accounts(proxy: &Microburst, pool: &TestPool, credentials_checked_first: bool, flow: RefreshFlow) -> Accounts {
    let builder = account_builder(proxy.endpoint(), pool).await.retry_after(Duration::from_secs(7)).refresh_flow(flow);
    let builder = if credentials_checked_first { builder.credentials_checked_first() } else { builder };
    builder.build().await.expect("the accounts build")
}

/// The result of a flow: an error, or the suppressed error of a success.
type Answered = Result<Option<InternalReason>, AccountError>;

fn suppressed_error(accepted: Result<Accepted, AccountError>) -> Answered {
    accepted.map(|accepted| accepted.suppressed_error)
}

fn nothing<T>(answer: Result<T, AccountError>) -> Answered {
    answer.map(|_| None)
}

/// Runs a flow that calls the operation.
async fn call(operation: Operation, accounts: &Accounts, access_token: &SecretString) -> Answered {
    let (name, token) = ("anna", access_token);
    let (password, code, session) = (secret(PASSWORD), secret("123456"), secret("a-session-of-some-length"));
    let owner = TotpOwner::AccessToken(token.clone());
    let email = Attribute::new("email", "anna@example.com");
    match operation {
        Operation::SignUp => suppressed_error(accounts.sign_up(name, &password, &[email]).await),
        Operation::ConfirmSignUp => nothing(accounts.confirm_sign_up(name, &code).await),
        Operation::ResendConfirmationCode => suppressed_error(accounts.resend_code(name).await),
        Operation::InitiateAuth => nothing(accounts.sign_in(name, &password).await),
        Operation::PasswordVerifier => nothing(accounts.sign_in_srp(name, &password).await),
        Operation::RespondToAuthChallenge => {
            nothing(accounts.answer_challenge(name, &session, &ChallengeAnswer::Sms(code)).await)
        }
        Operation::AssociateSoftwareToken => nothing(accounts.associate_totp(&owner).await),
        Operation::VerifySoftwareToken => nothing(accounts.verify_totp(&owner, &code, None).await),
        Operation::GetTokensFromRefreshToken | Operation::RefreshTokenAuth => {
            nothing(accounts.refresh(&secret("a-refresh-token"), None).await)
        }
        Operation::ForgotPassword => suppressed_error(accounts.forgot_password(name).await),
        Operation::ConfirmForgotPassword => nothing(accounts.confirm_forgot_password(name, &code, &password).await),
        Operation::ChangePassword => {
            nothing(accounts.change_password(token, &password, &secret("Better-Horse-8")).await)
        }
        Operation::GetUser => nothing(accounts.get_user(token).await),
        Operation::UpdateUserAttributes => {
            nothing(accounts.update_attributes(token, &[Attribute::new("name", "Anna")]).await)
        }
        Operation::UpdateAlias => {
            let changes = accounts.update_attributes(token, &[email]).await;
            changes.map(|changes| changes.into_iter().find_map(|change| change.suppressed_error))
        }
        Operation::GetUserAttributeVerificationCode => {
            suppressed_error(accounts.send_attribute_code(token, "email").await)
        }
        Operation::VerifyUserAttribute => nothing(accounts.verify_attribute(token, "email", &code).await),
        Operation::GlobalSignOut => nothing(accounts.sign_out(token).await),
        Operation::RevokeToken => nothing(accounts.revoke_token(&secret("a-refresh-token")).await),
        Operation::DeleteUser => nothing(accounts.delete_user(token).await),
        Operation::SetUserMfaPreference => {
            let sms = Some(MfaSetting { enabled: true, preferred: false });
            nothing(accounts.set_mfa_preference(token, MfaPreference { sms, ..MfaPreference::default() }).await)
        }
        other => panic!("no flow is known for {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_declared_exception_has_the_response_of_the_table_and_its_name_as_internal_reason() {
    let server = Ministack::start().await;
    let proxy = Microburst::start(server.endpoint()).await;
    let pool = server.create_pool(PoolOptions::default()).await;
    pool.sign_up_user_in_groups("anna", PASSWORD, &[]).await;
    let mut checked = 0;
    for credentials_checked_first in [false, true] {
        let rotating = accounts(&proxy, &pool, credentials_checked_first, RefreshFlow::Rotation).await;
        let plain = accounts(&proxy, &pool, credentials_checked_first, RefreshFlow::RefreshTokenAuth).await;
        proxy.clear().await;
        let Ok(SignedIn::Tokens(tokens)) = rotating.sign_in("anna", &secret(PASSWORD)).await else {
            panic!("anna cannot sign in")
        };
        for row in rows() {
            // With `credentials_checked_first`, only the rows that depend on it are tested.
            if credentials_checked_first && !matches!(row.outcome, Outcome::DependsOnCheckOrder { .. }) {
                continue;
            }
            proxy.inject(row.operation.name(), row.exception.name()).await;
            let accounts = if row.operation == Operation::RefreshTokenAuth { &plain } else { &rotating };
            let answered = call(row.operation, accounts, &tokens.access_token).await;
            let at = format!("{:?} {}", row.operation, row.exception.name());
            let internal = match (row.outcome, &answered) {
                (Outcome::SameAsSuccess, Ok(Some(internal))) => internal,
                (Outcome::SameAsSuccess, other) => panic!("{at}: {other:?}"),
                (Outcome::Error(name), Err(error)) => check(&at, name, error),
                (Outcome::DependsOnCheckOrder { checked_first, .. }, Err(error)) if credentials_checked_first => {
                    check(&at, checked_first, error)
                }
                (Outcome::DependsOnCheckOrder { otherwise, .. }, Err(error)) => check(&at, otherwise, error),
                (_, Ok(_)) => panic!("{at}: no error was returned"),
            };
            assert_eq!(internal.failure, row.exception.name(), "{at}");
            assert_eq!((internal.operation.as_str(), internal.unforeseen), (row.operation.name(), false), "{at}");
            checked += 1;
        }
    }
    assert!(checked >= 272, "only {checked} pairs were tested");
    println!("{checked} exceptions injected");
}

fn check<'p>(
    at: &str,
    expected: poolgate_core::accounts::AccountErrorCode,
    error: &'p AccountError,
) -> &'p InternalReason {
    assert_eq!(error.code.name(), expected.name(), "{at}");
    assert_eq!(error.status, expected.status(), "{at}");
    let after = expected.is_retryable().then_some(Duration::from_secs(7));
    assert_eq!(error.retry_after, after, "{at}");
    assert_eq!(error.detail, None, "{at}: only errors about the input have details");
    &error.internal
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_exception_has_the_response_for_no_account_and_an_unreachable_server_is_unavailable() {
    let server = Ministack::start().await;
    let proxy = Microburst::start(server.endpoint()).await;
    let pool = server.create_pool(PoolOptions::default()).await;
    pool.sign_up_user_in_groups("anna", PASSWORD, &[]).await;
    let accounts = accounts(&proxy, &pool, false, RefreshFlow::Rotation).await;
    let Ok(SignedIn::Tokens(tokens)) = accounts.sign_in("anna", &secret(PASSWORD)).await else {
        panic!("anna cannot sign in")
    };
    let operations: BTreeSet<Operation> = rows().map(|row| row.operation).collect();
    for operation in operations {
        // This operation belongs to the other refresh flow.
        if operation == Operation::RefreshTokenAuth {
            continue;
        }
        // An exception that is not declared at all, and one that is declared for another operation only.
        for exception in ["SomethingNewException", "GroupExistsException"] {
            proxy.inject(operation.name(), exception).await;
            let at = format!("{operation:?} {exception}");
            let internal = match (operation.unforeseen(), call(operation, &accounts, &tokens.access_token).await) {
                (Outcome::SameAsSuccess, Ok(Some(internal))) => internal,
                (Outcome::Error(name), Err(error)) => check(&at, name, &error).clone(),
                (expected, answered) => panic!("{at}: expected {expected:?}, got {answered:?}"),
            };
            assert_eq!((internal.failure.as_str(), internal.unforeseen), (exception, true), "{at}");
        }
    }
    drop(proxy);
    let error = accounts.forgot_password("anna").await.expect_err("the server is unreachable");
    assert_eq!((error.code.name(), error.internal.failure.as_str()), ("unavailable", "unreachable"));
    assert!(error.retry_after.is_some());
}
