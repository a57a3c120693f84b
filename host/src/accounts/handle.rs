//! The handle of the accounts, and how a flow is run.

use super::{
    bindings::{AccountFlows, exports::poolgate::auth::accounts as wit},
    cognito::{Cognito, SrpSignIn},
    error::{AccountError, AccountErrorCode},
    guest::Guest,
    report::{self, FlowResponse, Hook},
    response_time::ResponseTimeFloor,
    sandbox::AccountSandbox,
    settings::RefreshFlow,
    types::Accepted,
};
use crate::{Verifier, failure::Failure};
use std::{fmt, sync::Arc};
use tokio::time::Instant;
use wasmtime::Store;

/// Runs Cognito's account flows, each call in its own sandbox instance.
///
/// Create it with [`Accounts::builder`] or [`Accounts::from_environment`]. Clones are cheap and share the compiled component and the
/// connections to Cognito.
///
/// # Errors
///
/// Every flow returns an [`AccountError`]. Flows that take a username return the same error, and take the same time
/// ([`ResponseTimeFloor`]), whether the user exists or not. The same holds for flows in which a signed-in user sets or verifies an
/// email address, a phone number or a preferred username.
///
/// # Cancellation
///
/// If the future of a flow is dropped, Cognito may or may not have performed the operation. Flows that write to the store of revoked
/// tokens run to completion in a separate task.
///
/// # Example
///
/// ```no_run
/// use poolgate::{Pool, TokenUseRule, Verifier, accounts::{Accounts, SignedIn}};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = Pool::user_pool("eu-west-1_EXAMPLE01").token_use(TokenUseRule::AccessOrId).client_ids(["1example23456789"]);
/// let verifier = Verifier::builder().pool(pool).build().await?;
/// let accounts = Accounts::builder(verifier, "eu-west-1_EXAMPLE01", "1example23456789").build().await?;
/// match accounts.sign_in("anna", &"Correct-Horse-7".into()).await {
///     Ok(SignedIn::Tokens(tokens)) => println!("signed in as {}", tokens.verified.username.unwrap_or_default()),
///     Ok(SignedIn::Challenge(challenge)) => println!("challenge: {}", challenge.name.name()),
///     Err(error) => println!("respond with {} {}, log {:?}", error.status, error.code.name(), error.internal),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Accounts {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) sandbox: AccountSandbox,
    pub(super) cognito: Arc<Cognito>,
    pub(super) verifier: Verifier,
    pub(super) response_time_floor: ResponseTimeFloor,
    pub(super) refresh_flow: RefreshFlow,
    pub(super) hook: Option<Hook>,
}

/// What a flow returns from the sandbox: outside, a trap; inside, the flow's own error.
pub(super) type FlowCall<T> = wasmtime::Result<Result<T, wit::AccountError>>;

impl Accounts {
    pub(super) fn new(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    /// Returns the verifier that checks the tokens.
    pub fn verifier(&self) -> &Verifier {
        &self.inner.verifier
    }

    /// Returns the number of calls to Cognito that are in progress.
    pub fn calls_in_progress(&self) -> usize {
        self.inner.cognito.calls_in_progress()
    }

    /// Runs a flow in a new instance, counts it and logs its failure. `srp` holds the password for a sign-in with SRP.
    pub(super) async fn run<T: FlowResponse>(
        &self,
        name: &'static str,
        srp: Option<SrpSignIn>,
        flow: impl AsyncFnOnce(&AccountFlows, &mut Store<Guest>) -> FlowCall<T>,
    ) -> Result<T, AccountError> {
        let result = match self.inner.sandbox.run(srp, flow).await {
            Ok(result) => result.map_err(AccountError::from),
            Err(failure) => Err(sandbox_failed(failure)),
        };
        report::report(&self.inner.verifier, name, &result);
        result
    }

    /// Runs a flow that sends a code if there is an account to send it to.
    pub(super) async fn run_accepted(
        &self,
        name: &'static str,
        flow: impl AsyncFnOnce(&AccountFlows, &mut Store<Guest>) -> FlowCall<wit::Accepted>,
    ) -> Result<Accepted, AccountError> {
        Ok(self.run(name, None, flow).await?.into())
    }

    /// Runs a flow that takes a username or an address, and delays its result to the minimum response time. Everything that the flow
    /// causes, such as the operator's hook, happens before the delay.
    pub(super) async fn delayed<T>(
        &self,
        flow: impl Future<Output = Result<T, AccountError>>,
    ) -> Result<T, AccountError> {
        let started = Instant::now();
        let result = flow.await;
        self.inner.response_time_floor.delay(started).await;
        result
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Accounts").finish_non_exhaustive()
    }
}

fn sandbox_failed(failure: Failure) -> AccountError {
    AccountError::new(AccountErrorCode::Unavailable, 503, failure.name(), "the sandbox failed")
}
