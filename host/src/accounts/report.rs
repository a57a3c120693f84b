//! What an operator learns about a flow: a metric, a log line, and a call of the hook. All three happen before the response is delayed
//! ([`ResponseTimeFloor`](super::ResponseTimeFloor)), so that their duration is not visible to the client.

use super::{
    bindings::{exports::poolgate::auth::accounts as wit, poolgate::auth::user_pool as pool},
    error::{AccountError, InternalReason},
};
use crate::Verifier;
use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

pub(super) type Hook = Arc<dyn Fn(UsernameTaken) + Send + Sync>;

/// Reports that someone has asked for a username or an address that another account has. The client got the same response as for a
/// free one. `Debug` does not show the name.
#[derive(Clone)]
#[non_exhaustive]
pub struct UsernameTaken {
    /// The username or address that was typed.
    pub username: String,
    /// The flow: `sign-up`, or `update-attributes` of a signed-in user.
    pub flow: &'static str,
}

impl fmt::Debug for UsernameTaken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("UsernameTaken").field("flow", &self.flow).finish_non_exhaustive()
    }
}

/// The response of a flow that returns no error to the client.
pub(super) trait FlowResponse {
    /// The errors behind a response that looks like a success.
    fn suppressed_errors(&self) -> Vec<&wit::InternalReason> {
        Vec::new()
    }
}

impl FlowResponse for () {}
impl FlowResponse for Option<String> {}
impl FlowResponse for wit::SignedIn {}
impl FlowResponse for pool::Tokens {}
impl FlowResponse for pool::TotpSecret {}
impl FlowResponse for pool::User {}

impl FlowResponse for wit::Accepted {
    fn suppressed_errors(&self) -> Vec<&wit::InternalReason> {
        self.suppressed_error.iter().collect()
    }
}

impl FlowResponse for Vec<wit::AliasChange> {
    fn suppressed_errors(&self) -> Vec<&wit::InternalReason> {
        self.iter().filter_map(|change| change.suppressed_error.as_ref()).collect()
    }
}

/// Counts the result of a flow, and logs why it failed.
pub(super) fn report<T: FlowResponse>(verifier: &Verifier, flow: &'static str, result: &Result<T, AccountError>) {
    match result {
        Err(error) => report_failure(verifier, flow, error.code.name(), &error.internal),
        Ok(response) => {
            let suppressed = response.suppressed_errors();
            for reason in &suppressed {
                report_failure(verifier, flow, "accepted", &InternalReason::from((*reason).clone()));
            }
            if suppressed.is_empty() {
                verifier.count_account(flow, "done", "");
            }
        }
    }
}

fn report_failure(verifier: &Verifier, flow: &'static str, response: &'static str, reason: &InternalReason) {
    let InternalReason { operation, failure, meaning, unforeseen } = reason;
    verifier.count_account(flow, response, failure);
    if *unforeseen {
        let meaning = "Cognito returned an exception that is not in docs/account-errors.md; a client that named an account got the \
                       response for an account that does not exist. Please look into it and report it";
        tracing::error!(
            flow,
            response,
            operation,
            failure,
            meaning,
            "an account flow failed with an unknown exception"
        );
    } else {
        tracing::info!(flow, response, operation, failure, meaning, "an account flow failed");
    }
}

/// Calls the operator's hook if `reason` is that another account has the username or the address.
pub(super) fn report_taken(hook: &Option<Hook>, flow: &'static str, username: &str, reason: Option<&InternalReason>) {
    let is_taken =
        |reason: &InternalReason| matches!(&*reason.failure, "UsernameExistsException" | "AliasExistsException");
    let (Some(hook), true) = (hook, reason.is_some_and(is_taken)) else {
        return;
    };
    let taken = UsernameTaken { username: username.to_owned(), flow };
    // A panic would replace the response, and so reveal to the client that the name is taken.
    if catch_unwind(AssertUnwindSafe(|| hook(taken))).is_err() {
        tracing::error!(flow, "the on_username_taken hook panicked");
    }
}
