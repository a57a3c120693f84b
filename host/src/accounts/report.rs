//! What the operator learns of a flow: a count, a line in the log, a call of the hook. All of it happens before the answer is held
//! ([`ResponseTimeFloor`](super::ResponseTimeFloor)), so that the time it takes tells a caller nothing.

use super::{
    AccountError, Accounts, InternalReason,
    bindings::{exports::poolgate::auth::accounts as wit, poolgate::auth::user_pool as pool},
};
use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

pub(super) type Hook = Arc<dyn Fn(UsernameTaken) + Send + Sync>;

/// Someone has asked for a name or an address that another account has, and was told what everyone is told. Its `Debug` does not
/// show the name.
#[derive(Clone)]
#[non_exhaustive]
pub struct UsernameTaken {
    /// The name or the address that was typed.
    pub username: String,
    /// Where: `sign-up`, or `update-attributes` of a signed-in user.
    pub flow: &'static str,
}

impl fmt::Debug for UsernameTaken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("UsernameTaken").field("flow", &self.flow).finish_non_exhaustive()
    }
}

/// What a flow answers if it does not end with a problem.
pub(super) trait FlowAnswer {
    /// Why it did not go through, though its caller is told that it did.
    fn suppressed_errors(&self) -> Vec<&wit::InternalReason> {
        Vec::new()
    }
}

impl FlowAnswer for () {}
impl FlowAnswer for Option<String> {}
impl FlowAnswer for wit::SignedIn {}
impl FlowAnswer for pool::Tokens {}
impl FlowAnswer for pool::TotpSecret {}
impl FlowAnswer for pool::User {}

impl FlowAnswer for wit::Accepted {
    fn suppressed_errors(&self) -> Vec<&wit::InternalReason> {
        self.suppressed_error.iter().collect()
    }
}

impl FlowAnswer for Vec<wit::AliasChange> {
    fn suppressed_errors(&self) -> Vec<&wit::InternalReason> {
        self.iter().filter_map(|change| change.suppressed_error.as_ref()).collect()
    }
}

impl Accounts {
    /// Counts how a flow has ended, and writes down why it did not go through.
    pub(super) fn report<T: FlowAnswer>(&self, flow: &'static str, answer: &Result<T, AccountError>) {
        match answer {
            Err(error) => self.report_failure(flow, error.code.name(), &error.internal),
            Ok(answer) => {
                let suppressed = answer.suppressed_errors();
                for reason in &suppressed {
                    self.report_failure(flow, "accepted", &InternalReason::from((*reason).clone()));
                }
                if suppressed.is_empty() {
                    self.verifier().count_account(flow, "done", "");
                }
            }
        }
    }

    fn report_failure(&self, flow: &'static str, answer: &'static str, reason: &InternalReason) {
        let InternalReason { operation, failure, meaning, unforeseen } = reason;
        self.verifier().count_account(flow, answer, failure);
        if *unforeseen {
            let meaning = "Cognito's answer is not in the table of docs/account-errors.md: a caller who named an account was answered \
                           as if it were not there. Look at it, and report it";
            tracing::error!(
                flow,
                answer,
                operation,
                failure,
                meaning,
                "an account flow has met what nobody has foreseen"
            );
        } else {
            tracing::info!(flow, answer, operation, failure, meaning, "an account flow did not go through");
        }
    }

    /// Calls the operator's hook if `reason` says that another account has the name or the address.
    pub(super) fn report_taken(&self, flow: &'static str, username: &str, reason: Option<&InternalReason>) {
        let is_taken =
            |reason: &InternalReason| matches!(&*reason.failure, "UsernameExistsException" | "AliasExistsException");
        let (Some(hook), true) = (&self.inner.hook, reason.is_some_and(is_taken)) else {
            return;
        };
        let taken = UsernameTaken { username: username.to_owned(), flow };
        // A panic would take the answer away, and so tell the caller.
        if catch_unwind(AssertUnwindSafe(|| hook(taken))).is_err() {
            tracing::error!(flow, "the hook for taken user names has panicked");
        }
    }
}
