//! The table of responses to exceptions: every declared exception of every operation has a row, no row reveals whether an account exists,
//! and docs/account-errors.md is generated from the table.

use poolgate_core::accounts::{AccountErrorCode, Exception, Operation, Outcome, Row, rows};
use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::Path,
};

/// Facts of the service model (botocore 1.44.5): the exceptions that each operation declares.
const DECLARED: &str = include_str!("facts/cognito-operation-errors.json");

/// Operations that take a username or an address.
const OPEN: [Operation; 10] = [
    Operation::SignUp,
    Operation::ConfirmSignUp,
    Operation::ResendConfirmationCode,
    Operation::InitiateAuth,
    Operation::PasswordVerifier,
    Operation::ForgotPassword,
    Operation::ConfirmForgotPassword,
    Operation::UpdateAlias,
    Operation::GetUserAttributeVerificationCode,
    Operation::VerifyUserAttribute,
];

/// Exceptions about the caller's own account, which is known from an access token.
const OF_THE_CALLER: [Exception; 4] =
    [Exception::NotAuthorized, Exception::UserNotFound, Exception::UserNotConfirmed, Exception::PasswordResetRequired];

/// Exceptions that do not depend on the account.
const OF_THE_SERVICE: [Exception; 8] = [
    Exception::ResourceNotFound,
    Exception::OperationNotEnabled,
    Exception::UnsupportedOperation,
    Exception::InvalidUserPoolConfiguration,
    Exception::FeatureUnavailableInTier,
    Exception::Forbidden,
    Exception::TooManyRequests,
    Exception::InternalError,
];

fn declared() -> BTreeMap<String, BTreeSet<String>> {
    serde_json::from_str(DECLARED).expect("a map of lists")
}

fn by_operation() -> BTreeMap<Operation, Vec<Row>> {
    rows().fold(BTreeMap::new(), |mut map: BTreeMap<_, Vec<_>>, row| {
        map.entry(row.operation).or_default().push(row);
        map
    })
}

#[test]
fn every_declared_exception_has_exactly_one_row_and_no_other_has_any() {
    let declared = declared();
    let mut pairs = 0;
    for (operation, rows) in by_operation() {
        let expected = &declared[operation.name()];
        let named: Vec<&str> = rows.iter().map(|row| row.exception.name()).collect();
        for exception in expected {
            let count = named.iter().filter(|name| *name == exception).count();
            assert_eq!(count, 1, "{operation:?}: {exception} has {count} rows");
        }
        for name in &named {
            assert!(expected.contains(*name), "{operation:?} does not declare {name}");
        }
        pairs += named.len();
    }
    let operations: BTreeSet<&str> = by_operation().keys().map(|operation| operation.name()).collect();
    assert_eq!(operations.len(), 19, "the operations that are used");
    println!("{pairs} rows for {} operations", operations.len());
}

#[test]
fn operations_that_take_a_username_do_not_reveal_whether_it_exists() {
    for (operation, rows) in by_operation().into_iter().filter(|(operation, _)| OPEN.contains(operation)) {
        // The response for a username without an account: a success, wrong credentials, or a wrong code.
        let no_account = match operation {
            Operation::InitiateAuth | Operation::PasswordVerifier => {
                Outcome::Error(AccountErrorCode::InvalidCredentials)
            }
            Operation::ConfirmSignUp | Operation::ConfirmForgotPassword | Operation::VerifyUserAttribute => {
                Outcome::Error(AccountErrorCode::InvalidCode)
            }
            _ => Outcome::SameAsSuccess,
        };
        assert_eq!(operation.unforeseen(), no_account, "{operation:?}: an exception that the table does not have");
        for row in rows.iter().filter(|row| !OF_THE_SERVICE.contains(&row.exception)) {
            let is_the_callers = matches!(
                operation,
                Operation::UpdateAlias | Operation::GetUserAttributeVerificationCode | Operation::VerifyUserAttribute
            ) && OF_THE_CALLER.contains(&row.exception);
            let is_a_wrong_secret = operation == Operation::SignUp && row.exception == Exception::NotAuthorized;
            let outcome = match row.outcome {
                Outcome::DependsOnCheckOrder { otherwise, .. } => Outcome::Error(otherwise),
                outcome => outcome,
            };
            assert!(
                outcome == no_account || is_the_callers || is_a_wrong_secret,
                "{operation:?}: {} reveals whether an account exists",
                row.exception.name()
            );
        }
    }
    let suppressing: BTreeSet<Operation> =
        rows().filter(|row| row.outcome == Outcome::SameAsSuccess).map(|row| row.operation).collect();
    let sends_a_code = [
        Operation::SignUp,
        Operation::ResendConfirmationCode,
        Operation::ForgotPassword,
        Operation::UpdateAlias,
        Operation::GetUserAttributeVerificationCode,
    ];
    assert_eq!(suppressing, sends_a_code.into(), "poolgate cannot make up a success for other operations");
}

/// The client that signs up chooses the password, so a correct password does not prove that the account existed before.
#[test]
fn account_not_confirmed_is_never_returned_after_a_password() {
    for operation in [Operation::InitiateAuth, Operation::PasswordVerifier, Operation::RespondToAuthChallenge] {
        let row = rows().find(|row| row.operation == operation && row.exception == Exception::UserNotConfirmed);
        let row = row.expect("it is declared");
        let expected = match operation {
            Operation::RespondToAuthChallenge => AccountErrorCode::SessionInvalid,
            _ => AccountErrorCode::InvalidCredentials,
        };
        assert_eq!(row.outcome, Outcome::Error(expected), "{operation:?}");
    }
}

#[test]
fn every_exception_is_used_and_error_codes_are_unique() {
    let used: BTreeSet<&str> = rows().map(|row| row.exception.name()).collect();
    let known: BTreeSet<&str> = Exception::ALL.iter().map(|exception| exception.name()).collect();
    assert_eq!(used, known);
    assert_eq!(known.len(), 35);
    let names: BTreeSet<&str> = AccountErrorCode::ALL.iter().map(|problem| problem.name()).collect();
    assert_eq!(names.len(), AccountErrorCode::ALL.len(), "two error codes have the same name");
}

/// The text of docs/account-errors.md.
fn rendered() -> String {
    let mut text = String::from(
        "# Cognito exceptions\n\n\
         After this page you can look up the response to each exception of each operation, and the internal reason in the log.\n\n\
         The page is generated from `guest/core/src/accounts/table.rs` (`POOLGATE_WRITE_DOCS=1 cargo test --test error_table`).\n\
         The exceptions are those that Cognito's service model declares. When Cognito raises each of them is known from AWS's\n\
         documentation only: poolgate has not been tested against AWS.\n\n\
         - *same as success*: the client gets the same response as for a success, so that it does not learn whether the account exists.\n\
         - *A if checked first, else B*: the client gets A if you have declared, with `credentials_checked_first`, that Cognito checks\n  \
         the password, code or session before it raises the exception. By default it gets B.\n\
         - *any other*: an exception that is not in the table. It is logged as an error.\n\
         - *retryable*: the same request can succeed later, and the response has `Retry-After`.\n\
         - *internal reason*: for logs and metrics. Clients never see it.\n\n\
         ## Error codes\n\n| error code | status | retryable | meaning |\n|---|---|---|---|\n",
    );
    for code in AccountErrorCode::ALL {
        let retry = if code.is_retryable() { "yes" } else { "no" };
        text += &format!("| `{}` | {} | {retry} | {} |\n", code.name(), code.status(), code.meaning());
    }
    for (operation, rows) in by_operation() {
        let usage = if operation.usage().is_empty() { String::new() } else { format!(" ({})", operation.usage()) };
        text += &format!("\n## {}{usage}\n\n", operation.name());
        text += "| exception | response | status | retryable | internal reason |\n|---|---|---|---|---|\n";
        for row in rows {
            let (outcome, status) = match row.outcome {
                Outcome::Error(code) => (format!("`{}`", code.name()), code.status().to_string()),
                Outcome::SameAsSuccess => ("same as success".into(), "200".into()),
                Outcome::DependsOnCheckOrder { checked_first, otherwise } => (
                    format!("`{}` if checked first, else `{}`", checked_first.name(), otherwise.name()),
                    format!("{} / {}", checked_first.status(), otherwise.status()),
                ),
            };
            let retry = if row.is_retryable() { "yes" } else { "no" };
            let (exception, meaning) = (row.exception.name(), row.exception.meaning());
            text += &format!("| `{exception}` | {outcome} | {status} | {retry} | {meaning} |\n");
        }
        let unforeseen = match operation.unforeseen() {
            Outcome::Error(code) => format!("`{}` | {}", code.name(), code.status()),
            _ => "same as success | 200".into(),
        };
        text += &format!("| any other | {unforeseen} | no | an exception that is not in the table |\n");
    }
    text += "\n## Read next\n\n- [User enumeration](enumeration.md): what responses hide about accounts, and what they do not hide.\n";
    text
}

#[test]
fn the_documentation_is_generated_from_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/account-errors.md");
    if env::var_os("POOLGATE_WRITE_DOCS").is_some() {
        fs::write(&path, rendered()).expect("it can be written");
    }
    let written = fs::read_to_string(&path).expect("docs/account-errors.md is there");
    assert!(written == rendered(), "docs/account-errors.md is out of date: run the test with POOLGATE_WRITE_DOCS=1");
}
