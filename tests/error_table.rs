//! The table of what the public learns: every declared exception of every operation has a row, no row tells too much, and the
//! documentation is the table.

use poolgate_core::accounts::{AccountErrorCode, Exception, Operation, Outcome, Row, rows};
use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::Path,
};

/// Facts of the service model (botocore 1.44.5): the exceptions that each operation declares.
const DECLARED: &str = include_str!("facts/cognito-operation-errors.json");

/// Operations in which a caller names a user, or an address.
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

/// Exceptions that are about the caller's own account, where it is known by an access token.
const OF_THE_CALLER: [Exception; 4] =
    [Exception::NotAuthorized, Exception::UserNotFound, Exception::UserNotConfirmed, Exception::PasswordResetRequired];

/// Exceptions that are the same for whoever is asked about.
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
fn who_asks_about_a_name_learns_nothing_of_its_account() {
    for (operation, rows) in by_operation().into_iter().filter(|(operation, _)| OPEN.contains(operation)) {
        // What a name without an account gets: the answer of a success, wrong credentials, or a wrong code.
        let nobody = match operation {
            Operation::InitiateAuth | Operation::PasswordVerifier => {
                Outcome::Error(AccountErrorCode::InvalidCredentials)
            }
            Operation::ConfirmSignUp | Operation::ConfirmForgotPassword | Operation::VerifyUserAttribute => {
                Outcome::Error(AccountErrorCode::InvalidCode)
            }
            _ => Outcome::SameAsSuccess,
        };
        assert_eq!(operation.unforeseen(), nobody, "{operation:?}: an exception that the table does not have");
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
                outcome == nobody || is_the_callers || is_a_wrong_secret,
                "{operation:?}: {} tells of an account",
                row.exception.name()
            );
        }
    }
    let hidden: BTreeSet<Operation> =
        rows().filter(|row| row.outcome == Outcome::SameAsSuccess).map(|row| row.operation).collect();
    let sends_a_code = [
        Operation::SignUp,
        Operation::ResendConfirmationCode,
        Operation::ForgotPassword,
        Operation::UpdateAlias,
        Operation::GetUserAttributeVerificationCode,
    ];
    assert_eq!(hidden, sends_a_code.into(), "no other operation has a success that can be shown to anyone");
}

/// Whoever signs up chooses the password: that it is right does not show that the account was there before.
#[test]
fn that_an_account_is_not_confirmed_is_never_told_after_a_password() {
    for operation in [Operation::InitiateAuth, Operation::PasswordVerifier, Operation::RespondToAuthChallenge] {
        let row = rows().find(|row| row.operation == operation && row.exception == Exception::UserNotConfirmed);
        let row = row.expect("it is declared");
        let hidden = match operation {
            Operation::RespondToAuthChallenge => AccountErrorCode::SessionInvalid,
            _ => AccountErrorCode::InvalidCredentials,
        };
        assert_eq!(row.outcome, Outcome::Error(hidden), "{operation:?}");
    }
}

#[test]
fn every_exception_and_every_problem_is_of_use() {
    let used: BTreeSet<&str> = rows().map(|row| row.exception.name()).collect();
    let known: BTreeSet<&str> = Exception::ALL.iter().map(|exception| exception.name()).collect();
    assert_eq!(used, known);
    assert_eq!(known.len(), 35);
    let names: BTreeSet<&str> = AccountErrorCode::ALL.iter().map(|problem| problem.name()).collect();
    assert_eq!(names.len(), AccountErrorCode::ALL.len(), "two problems of the same name");
}

/// The documentation of the table.
fn rendered() -> String {
    let mut text = String::from(
        "# What the public learns of Cognito's exceptions\n\n\
         Generated from the table in `guest/core/src/accounts/table.rs` by `cargo test --test error_table`\n\
         (`POOLGATE_WRITE_DOCS=1` writes it). The exceptions are those that the service model declares.\n\n\
         *as if accepted*: the answer that a success has. *… after the proof*: told only where the operator has stated that\n\
         Cognito looks at the password, code or session first (`credentials_checked_first`), and as the second otherwise. An exception\n\
         that is not in the table is answered as the last line of each operation says, and is an error in the log. The private\n\
         reason is for logs and metrics; a caller never sees it.\n\n\
         ## Problems\n\n| problem | status | retrying helps | what it means |\n|---|---|---|---|\n",
    );
    for problem in AccountErrorCode::ALL {
        let retry = if problem.retry_helps() { "yes" } else { "no" };
        text += &format!("| `{}` | {} | {retry} | {} |\n", problem.name(), problem.status(), problem.meaning());
    }
    for (operation, rows) in by_operation() {
        let usage = if operation.usage().is_empty() { String::new() } else { format!(" ({})", operation.usage()) };
        text += &format!("\n## {}{usage}\n\n", operation.name());
        text += "| exception | the public learns | status | retrying helps | private reason |\n|---|---|---|---|---|\n";
        for row in rows {
            let (outcome, status) = match row.outcome {
                Outcome::Error(problem) => (format!("`{}`", problem.name()), problem.status().to_string()),
                Outcome::SameAsSuccess => ("as if accepted".into(), "200".into()),
                Outcome::DependsOnCheckOrder { checked_first, otherwise } => (
                    format!("`{}` after the proof, else `{}`", checked_first.name(), otherwise.name()),
                    format!("{} / {}", checked_first.status(), otherwise.status()),
                ),
            };
            let retry = if row.retry_helps() { "yes" } else { "no" };
            let (exception, meaning) = (row.exception.name(), row.exception.meaning());
            text += &format!("| `{exception}` | {outcome} | {status} | {retry} | {meaning} |\n");
        }
        let unforeseen = match operation.unforeseen() {
            Outcome::Error(problem) => format!("`{}` | {}", problem.name(), problem.status()),
            _ => "as if accepted | 200".into(),
        };
        text += &format!("| any other | {unforeseen} | no | an exception that nobody has foreseen |\n");
    }
    text
}

#[test]
fn the_documentation_is_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/account-errors.md");
    if env::var_os("POOLGATE_WRITE_DOCS").is_some() {
        fs::write(&path, rendered()).expect("it can be written");
    }
    let written = fs::read_to_string(&path).expect("docs/account-errors.md is there");
    assert!(written == rendered(), "docs/account-errors.md is old: run the test with POOLGATE_WRITE_DOCS=1");
}
