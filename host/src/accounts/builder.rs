//! The builder of [`Accounts`].

use super::{
    app_client::AppClient,
    bindings::exports::poolgate::auth::accounts as wit,
    cognito::{Cognito, CognitoSettings},
    handle::{Accounts, Inner},
    report::{Hook, UsernameTaken},
    response_time::ResponseTimeFloor,
    sandbox::AccountSandbox,
    settings::{PasswordPolicy, RefreshFlow},
};
use crate::{
    BuildError, Verifier,
    clock::{Clock, SystemClock},
    environment,
    key_source::KeyUrl,
};
use secrecy::SecretString;
use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

/// Configures and builds [`Accounts`].
///
/// Create one with [`Accounts::builder`] or [`Accounts::from_environment`].
///
/// # Required
///
/// The arguments of [`Accounts::builder`]: a [`Verifier`], the user pool ID and the app client ID. The verifier must accept access and
/// ID tokens of this app client, because sign-in returns both.
///
/// # Defaults
///
/// Cognito:
///
/// * [`region`](Self::region): the region in the user pool ID.
/// * [`client_secret`](Self::client_secret): none.
/// * [`endpoint`](Self::endpoint): the AWS endpoint of the region.
/// * [`allow_http_loopback`](Self::allow_http_loopback): disabled -- the endpoint must be `https`.
/// * [`timeouts`](Self::timeouts): 2 seconds to connect, 5 seconds per attempt, 12 seconds per call.
/// * [`max_calls`](Self::max_calls): 256 calls in progress.
/// * [`refresh_flow`](Self::refresh_flow): [`RefreshFlow::Rotation`].
///
/// Input and responses:
///
/// * [`password_policy`](Self::password_policy): Cognito's default, see [`PasswordPolicy`].
/// * [`required_attributes`](Self::required_attributes): none.
/// * [`credentials_checked_first`](Self::credentials_checked_first): disabled.
/// * [`response_time_floor`](Self::response_time_floor): 1 second, plus up to 250 ms at random; see [`ResponseTimeFloor`].
/// * [`retry_after`](Self::retry_after): 2 seconds.
/// * [`on_username_taken`](Self::on_username_taken): no hook.
///
/// Sandbox:
///
/// * [`clock`](Self::clock): the system clock.
/// * [`compilation_cache`](Self::compilation_cache): none -- the component is compiled by each call of [`build`](Self::build).
///
/// # Example
///
/// ```no_run
/// use poolgate::{Verifier, accounts::{Accounts, PasswordPolicy, ResponseTimeFloor}};
/// use std::time::Duration;
///
/// # async fn example(verifier: Verifier) -> Result<(), poolgate::BuildError> {
/// let accounts = Accounts::builder(verifier, "eu-west-1_EXAMPLE01", "1example23456789")
///     .password_policy(PasswordPolicy { min_length: 12, ..PasswordPolicy::default() })
///     .response_time_floor(ResponseTimeFloor { minimum: Duration::from_secs(2), ..ResponseTimeFloor::default() })
///     .on_username_taken(|taken| println!("someone signed up with the username of another account: {}", taken.flow))
///     .build()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct AccountsBuilder {
    verifier: Verifier,
    pool_id: String,
    region: Option<String>,
    app: AppClient,
    endpoint: Option<String>,
    allow_http_loopback: bool,
    password_policy: PasswordPolicy,
    required_attributes: Vec<String>,
    credentials_checked_first: bool,
    retry_after: Duration,
    refresh_flow: RefreshFlow,
    response_time_floor: ResponseTimeFloor,
    connect_timeout: Duration,
    attempt_timeout: Duration,
    call_timeout: Duration,
    max_calls: usize,
    hook: Option<Hook>,
    clock: Arc<dyn Clock>,
    compilation_cache: Option<PathBuf>,
}

impl fmt::Debug for AccountsBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AccountsBuilder")
            .field("pool_id", &self.pool_id)
            .field("app", &self.app)
            .finish_non_exhaustive()
    }
}

impl AccountsBuilder {
    fn new(verifier: Verifier, pool_id: String, client_id: String) -> Self {
        Self {
            verifier,
            pool_id,
            region: None,
            app: AppClient { id: client_id, secret: None },
            endpoint: None,
            allow_http_loopback: false,
            password_policy: PasswordPolicy::default(),
            required_attributes: Vec::new(),
            credentials_checked_first: false,
            retry_after: Duration::from_secs(2),
            refresh_flow: RefreshFlow::default(),
            response_time_floor: ResponseTimeFloor::default(),
            connect_timeout: Duration::from_secs(2),
            attempt_timeout: Duration::from_secs(5),
            call_timeout: Duration::from_secs(12),
            max_calls: 256,
            hook: None,
            clock: Arc::new(SystemClock),
            compilation_cache: None,
        }
    }

    /// Sets the AWS region of the user pool. The default is the region in the user pool ID.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Sets the secret of the app client. It is required if the app client has one.
    pub fn client_secret(mut self, secret: SecretString) -> Self {
        self.app.secret = Some(secret);
        self
    }

    /// Sets the URL of the user pools API, for example of an emulator or a VPC endpoint. The default is the AWS endpoint of the region.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self
    }

    /// Allows an `http` endpoint on a loopback address, for emulators and tests. By default, only `https` is allowed.
    pub fn allow_http_loopback(mut self, allow: bool) -> Self {
        self.allow_http_loopback = allow;
        self
    }

    /// Sets the password policy of the user pool. See [`PasswordPolicy`] for the default, and for why it must match.
    pub fn password_policy(mut self, policy: PasswordPolicy) -> Self {
        self.password_policy = policy;
        self
    }

    /// Sets the attributes that a sign-up must contain: those that the user pool requires. The default is none.
    pub fn required_attributes(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.required_attributes = names.into_iter().map(Into::into).collect();
        self
    }

    /// Declares that Cognito checks the password, code or session before it raises certain exceptions. poolgate then returns these
    /// error codes to the client:
    ///
    /// - `password-reset-required`, at sign-in;
    /// - `account-not-confirmed` and `password-rejected`, when a new password is set with a recovery code;
    /// - `alias-taken`, when a sign-up is confirmed or an attribute is verified and another account has the address;
    /// - `mfa-not-set-up`, in the response to a challenge.
    ///
    /// By default, the client gets the error code of a wrong password, code or session instead. Test your user pool before you enable
    /// this: see `docs/accounts.md`.
    ///
    /// Sign-in never returns `account-not-confirmed`, with or without this setting. Otherwise, a client could sign up with any username and
    /// a password of its choice, sign in with them, and learn from the response whether the username was free.
    ///
    /// This setting reveals `alias-taken` and the other codes to everyone who has received a code. If usernames are not addresses, a
    /// client can sign up with a username of their choice and their own email address, and receives a code only if the username was
    /// free. Neither value of this setting hides that.
    pub fn credentials_checked_first(mut self) -> Self {
        self.credentials_checked_first = true;
        self
    }

    /// Sets the `Retry-After` of retryable errors, from 1 second to 1 hour, in whole seconds. The default is 2 seconds.
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = after;
        self
    }

    /// Sets how refresh tokens are used. The default is [`RefreshFlow::Rotation`].
    pub fn refresh_flow(mut self, flow: RefreshFlow) -> Self {
        self.refresh_flow = flow;
        self
    }

    /// Sets the minimum response time of operations that take a username or an address. See [`ResponseTimeFloor`] for the default.
    pub fn response_time_floor(mut self, floor: ResponseTimeFloor) -> Self {
        self.response_time_floor = floor;
        self
    }

    /// Sets the maximum time to connect, of one attempt, and of a call with all its attempts. The defaults are 2, 5 and 12 seconds.
    ///
    /// A call that exceeds them fails with `unavailable` (503).
    pub fn timeouts(mut self, connect: Duration, attempt: Duration, call: Duration) -> Self {
        (self.connect_timeout, self.attempt_timeout, self.call_timeout) = (connect, attempt, call);
        self
    }

    /// Sets the maximum number of calls to Cognito in progress. The default is 256. Calls above the limit fail immediately with
    /// `unavailable` (503).
    pub fn max_calls(mut self, calls: usize) -> Self {
        self.max_calls = calls.clamp(1, tokio::sync::Semaphore::MAX_PERMITS);
        self
    }

    /// Sets a hook that is called when someone signs up with a username that is taken, or when a signed-in user asks for an address or
    /// a preferred username that another account has. Use it to notify the owner. By default, there is no hook.
    ///
    /// The hook runs before the response is delayed ([`ResponseTimeFloor`]). It must return quickly: spawn a task for slow work, because
    /// a client can measure the time by which the hook exceeds the minimum response time. If the hook panics, the panic is logged and
    /// the response is unchanged.
    pub fn on_username_taken(mut self, hook: impl Fn(UsernameTaken) + Send + Sync + 'static) -> Self {
        self.hook = Some(Arc::new(hook));
        self
    }

    /// Sets the clock. The default is the system clock.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Caches compiled code in `directory`, as
    /// [`VerifierBuilder::compilation_cache`](crate::VerifierBuilder::compilation_cache) does. By default, nothing is cached.
    pub fn compilation_cache(mut self, directory: impl Into<PathBuf>) -> Self {
        self.compilation_cache = Some(directory.into());
        self
    }

    /// Compiles the component and checks the settings. This does not call Cognito.
    ///
    /// # Errors
    ///
    /// Returns a [`BuildError`] if the endpoint is not allowed, the region is unknown, a setting is out of range, or the component cannot
    /// be compiled or started.
    pub async fn build(self) -> Result<Accounts, BuildError> {
        if let Some(url) = &self.endpoint {
            KeyUrl::parse(url, self.allow_http_loopback)?;
        }
        let region = self.region.or_else(|| self.pool_id.split_once('_').map(|(region, _)| region.to_owned()));
        let cognito = Arc::new(Cognito::new(CognitoSettings {
            region: region.filter(|region| !region.is_empty()).ok_or(BuildError::MissingSetting("region"))?,
            pool_id: self.pool_id,
            app: self.app,
            endpoint: self.endpoint,
            connect_timeout: self.connect_timeout,
            attempt_timeout: self.attempt_timeout,
            call_timeout: self.call_timeout,
            max_calls: self.max_calls,
        }));
        let PasswordPolicy { min_length, uppercase, lowercase, number, symbol } = self.password_policy;
        let settings = wit::Settings {
            password_policy: wit::PasswordPolicy { min_length, uppercase, lowercase, number, symbol },
            required_attributes: self.required_attributes,
            credentials_checked_first: self.credentials_checked_first,
            retry_after: u32::try_from(self.retry_after.as_secs()).unwrap_or(u32::MAX),
        };
        let cache = self.compilation_cache;
        let sandbox = AccountSandbox::compile(settings, self.clock, Arc::clone(&cognito), cache).await?;
        sandbox.check().await?;
        Ok(Accounts::new(Inner {
            sandbox,
            cognito,
            verifier: self.verifier,
            response_time_floor: self.response_time_floor,
            refresh_flow: self.refresh_flow,
            hook: self.hook,
        }))
    }
}

impl Accounts {
    /// Returns a builder with the defaults listed at [`AccountsBuilder`].
    ///
    /// `verifier` must accept access and ID tokens of the app client `client_id` of the user pool `pool_id`.
    pub fn builder(verifier: Verifier, pool_id: impl Into<String>, client_id: impl Into<String>) -> AccountsBuilder {
        AccountsBuilder::new(verifier, pool_id.into(), client_id.into())
    }

    /// Returns a builder that is configured from the environment variables `COGNITO_USER_POOL_ID`, `COGNITO_CLIENT_ID` (the first, if
    /// it lists several), `COGNITO_CLIENT_SECRET`, `COGNITO_REGION` and `AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER`.
    ///
    /// # Errors
    ///
    /// Returns [`BuildError::Environment`] if `COGNITO_USER_POOL_ID` or `COGNITO_CLIENT_ID` is not set.
    pub fn from_environment(verifier: Verifier) -> Result<AccountsBuilder, BuildError> {
        let pool_id = environment::user_pool_id().ok_or(BuildError::Environment("COGNITO_USER_POOL_ID"))?;
        let clients = environment::client_ids().ok_or(BuildError::Environment("COGNITO_CLIENT_ID"))?;
        let client_id = clients.into_iter().next().ok_or(BuildError::Environment("COGNITO_CLIENT_ID"))?;
        let mut builder = Accounts::builder(verifier, pool_id, client_id);
        builder.region = environment::region();
        builder.app.secret = environment::client_secret();
        builder.endpoint = environment::endpoint();
        Ok(builder)
    }
}
