//! The error of an account flow: an error code for the client, and an internal reason for logs and metrics.

use super::bindings::exports::poolgate::auth::accounts as wit;
use std::{fmt, time::Duration};

pub use wit::AccountErrorCode;

/// Why an account flow failed.
///
/// Send `status`, `code` and `detail` to the client. Log `internal` and never send it, because it can reveal whether the account
/// exists. `Display` shows the code and the detail only.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountError {
    /// The error code, for the client. The names of the codes are stable.
    pub code: AccountErrorCode,
    /// The HTTP status (RFC 9110 section 15), for the client.
    pub status: u16,
    /// Which input is invalid and why, for the client. It depends on the input alone, never on an account.
    pub detail: Option<String>,
    /// The time after which the client may send the same request again. `None` if a retry cannot succeed.
    pub retry_after: Option<Duration>,
    /// The internal reason, for logs and metrics only. Boxed to keep `Result<_, AccountError>` small.
    pub internal: Box<InternalReason>,
}

impl AccountError {
    /// An error that arises in the host, outside the sandbox. Errors with status 503 have `retry_after` set to 2 seconds.
    pub(crate) fn new(code: AccountErrorCode, status: u16, failure: &str, meaning: &str) -> Self {
        let (failure, meaning) = (failure.into(), meaning.into());
        let internal = Box::new(InternalReason { operation: String::new(), failure, meaning, unforeseen: false });
        let retry_after = (status == 503).then_some(Duration::from_secs(2));
        Self { code, status, detail: None, retry_after, internal }
    }
}

impl fmt::Display for AccountError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.detail {
            Some(detail) => write!(formatter, "{}: {detail}", self.code.name()),
            None => write!(formatter, "{}: {}", self.code.name(), self.code.description()),
        }
    }
}

impl std::error::Error for AccountError {}

impl From<wit::AccountError> for AccountError {
    fn from(error: wit::AccountError) -> Self {
        Self {
            code: error.code,
            status: error.status,
            detail: error.detail,
            retry_after: error.retry_after.map(|seconds| Duration::from_secs(seconds.into())),
            internal: Box::new(error.internal.into()),
        }
    }
}

/// The internal reason of an error or of a suppressed error. It is for logs and metrics; **never send it to a client**. It contains
/// no input.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InternalReason {
    /// The operation of the user pools API, such as `SignUp`. Empty if no operation was called.
    pub operation: String,
    /// The name of Cognito's exception, or of poolgate's own failure.
    pub failure: String,
    /// A sentence that explains `failure`.
    pub meaning: String,
    /// Whether Cognito returned an exception that is not in `docs/account-errors.md`. An operator should look into it: in flows that
    /// take a username or an address, the client got the same response as for an account that does not exist.
    pub unforeseen: bool,
}

impl From<wit::InternalReason> for InternalReason {
    fn from(reason: wit::InternalReason) -> Self {
        let wit::InternalReason { operation, failure, meaning, unforeseen } = reason;
        Self { operation, failure, meaning, unforeseen }
    }
}
