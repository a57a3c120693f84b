//! Decides what the client learns about a failure.

use super::{
    Accepted, AccountError, AccountErrorCode, Accounts, Delivery, Exception, Failure, InternalReason, Operation,
    Outcome,
};
use alloc::string::String;

/// The response to a failure.
enum Disclosure {
    /// This error.
    Returned(AccountError),
    /// The response of a success. The reason is for logs only.
    Suppressed(InternalReason),
}

impl<P> Accounts<P> {
    /// The result of an operation that sends a code if there is an account to send it to.
    pub(super) fn accepted(
        &self,
        operation: Operation,
        called: Result<(), Failure>,
        delivery: Delivery,
    ) -> Result<Accepted, AccountError> {
        self.suppressed_error(operation, called).map(|suppressed_error| Accepted { delivery, suppressed_error })
    }

    /// The error of an operation whose failures have the response of a success. `None` if it succeeded.
    pub(super) fn suppressed_error(
        &self,
        operation: Operation,
        called: Result<(), Failure>,
    ) -> Result<Option<InternalReason>, AccountError> {
        match called.map_err(|failure| self.disclosure(operation, failure)) {
            Ok(()) => Ok(None),
            Err(Disclosure::Suppressed(reason)) => Ok(Some(reason)),
            Err(Disclosure::Returned(error)) => Err(error),
        }
    }

    /// The result of an operation whose failures are returned as some error.
    pub(super) fn returned<T>(&self, operation: Operation, called: Result<T, Failure>) -> Result<T, AccountError> {
        called.map_err(|failure| match self.disclosure(operation, failure) {
            Disclosure::Returned(error) => error,
            // The table has no such row for these operations, because poolgate cannot make up a success for them.
            Disclosure::Suppressed(internal) => {
                AccountError { code: AccountErrorCode::Failed, detail: None, retry_after: None, internal }
            }
        })
    }

    fn disclosure(&self, operation: Operation, failure: Failure) -> Disclosure {
        let mut unforeseen = false;
        let (outcome, name, meaning) = match failure {
            Failure::Exception(name) => {
                let exception = Exception::from_name(&name);
                let meaning = exception.map_or("an exception that is not in the table", Exception::meaning);
                let outcome = operation.outcome(&name);
                unforeseen = outcome.is_none();
                (outcome.unwrap_or_else(|| operation.unforeseen()), safe_name(&name), meaning)
            }
            Failure::TimedOut => {
                (Outcome::Error(AccountErrorCode::Unavailable), "timed-out".into(), "the call to Cognito timed out")
            }
            Failure::Unreachable => {
                (Outcome::Error(AccountErrorCode::Unavailable), "unreachable".into(), "Cognito is unreachable")
            }
            Failure::TooBusy => (
                Outcome::Error(AccountErrorCode::Unavailable),
                "too-busy".into(),
                "too many calls to Cognito are in progress",
            ),
        };
        let internal = InternalReason { operation: operation.name(), failure: name, meaning, unforeseen };
        let code = match outcome {
            Outcome::SameAsSuccess => return Disclosure::Suppressed(internal),
            Outcome::Error(code) => code,
            Outcome::DependsOnCheckOrder { checked_first, .. } if self.settings.credentials_checked_first => {
                checked_first
            }
            Outcome::DependsOnCheckOrder { otherwise, .. } => otherwise,
        };
        let retry_after = code.is_retryable().then_some(self.settings.retry_after);
        Disclosure::Returned(AccountError { code, detail: None, retry_after, internal })
    }
}

/// A name that is safe to log, whatever the server sent.
fn safe_name(name: &str) -> String {
    let is_plain = name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_plain && !name.is_empty() { name.into() } else { "invalid-name".into() }
}
