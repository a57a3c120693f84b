//! What an operator states of the accounts.

use super::{
    Accounts, ResponseTimeFloor, UsernameTaken,
    app_client::AppClient,
    bindings::exports::poolgate::auth::accounts as wit,
    cognito::{Cognito, CognitoSettings},
    flows::Inner,
    report::Hook,
    sandbox::AccountSandbox,
};
use crate::{
    BuildError, Verifier,
    clock::{Clock, SystemClock},
    environment,
    key_source::KeyUrl,
};
use secrecy::SecretString;
use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

/// Why accounts could not be built.
pub type AccountsError = BuildError;

/// The user pool's password policy. Cognito's own unless stated.
///
/// It must be the user pool's: a password that passes here and is refused there looks like a success, because telling would tell
/// who has an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// `MinimumLength`, in characters, from 6 to 99.
    pub min_length: u32,
    /// `RequireUppercase`.
    pub uppercase: bool,
    /// `RequireLowercase`.
    pub lowercase: bool,
    /// `RequireNumbers`.
    pub number: bool,
    /// `RequireSymbols`.
    pub symbol: bool,
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self { min_length: 8, uppercase: true, lowercase: true, number: true, symbol: true }
    }
}

/// How refresh tokens are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RefreshFlow {
    /// `GetTokensFromRefreshToken`, which rotates the refresh token if the app client says so.
    #[default]
    Rotation,
    /// `REFRESH_TOKEN_AUTH`, for app clients that allow nothing else.
    RefreshTokenAuth,
}

/// States what [`Accounts`] need.
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
    pub(super) fn new(verifier: Verifier, pool_id: String, client_id: String) -> Self {
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

    /// The region where the user pool is, where it is not the one in its ID.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// The app client's secret, if it has one.
    pub fn client_secret(mut self, secret: SecretString) -> Self {
        self.app.secret = Some(secret);
        self
    }

    /// Where the user pools API is, if not at AWS: an emulator, or a VPC endpoint.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self
    }

    /// Allows plain http to a loopback address for the endpoint: for emulators and tests.
    pub fn allow_http_loopback(mut self, allow: bool) -> Self {
        self.allow_http_loopback = allow;
        self
    }

    /// The user pool's password policy.
    pub fn password_policy(mut self, policy: PasswordPolicy) -> Self {
        self.password_policy = policy;
        self
    }

    /// Attributes that a sign-up must bring: those that the user pool requires.
    pub fn required_attributes(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.required_attributes = names.into_iter().map(Into::into).collect();
        self
    }

    /// States that Cognito looks at the password, code or session before it says one of these of an account. Then the caller is told
    /// them; otherwise they are answered like a wrong password, code or session. Try it with your pool first.
    ///
    /// - At sign-in, after the password: `password-reset-required`.
    /// - With a new password, after the code of the recovery: `account-not-confirmed`, `password-rejected`.
    /// - Confirming a sign-up or verifying an attribute, after the code: `alias-taken`, that another account has the address.
    /// - RevocationFuture a challenge, after the session: `mfa-not-set-up`.
    ///
    /// That an account is not confirmed is never told at sign-in, with this or without it: the password of such an account was chosen by
    /// whoever signed up, so that a stranger could sign up with any name, sign in, and learn from the answer whether it was free.
    ///
    /// What it tells, it tells those who have received the code. A caller can have a code sent to a mailbox of their own: where user names
    /// are no addresses, a sign-up with another's name sends one only if the name was free. Neither this nor its absence hides that.
    pub fn credentials_checked_first(mut self) -> Self {
        self.credentials_checked_first = true;
        self
    }

    /// `Retry-After` of problems that pass. Two seconds unless stated; whole seconds, at most an hour.
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = after;
        self
    }

    /// How refresh tokens are used.
    pub fn refresh_flow(mut self, flow: RefreshFlow) -> Self {
        self.refresh_flow = flow;
        self
    }

    /// How long answers to who names a user are held. See [`ResponseTimeFloor`].
    pub fn response_time_floor(mut self, floor: ResponseTimeFloor) -> Self {
        self.response_time_floor = floor;
        self
    }

    /// The longest that connecting, an attempt, and a call with all its attempts may take. 2, 5 and 12 seconds unless stated.
    pub fn timeouts(mut self, connect: Duration, attempt: Duration, call: Duration) -> Self {
        (self.connect_timeout, self.attempt_timeout, self.call_timeout) = (connect, attempt, call);
        self
    }

    /// The most calls to Cognito under way at once. 256 unless stated; more get `unavailable` at once.
    pub fn max_calls(mut self, calls: usize) -> Self {
        self.max_calls = calls.clamp(1, tokio::sync::Semaphore::MAX_PERMITS);
        self
    }

    /// Called when someone signs up with a name that is taken, or a signed-in user asks for an address or a preferred user name that
    /// is, so that you can write to the real owner. It must return at once: spawn what takes time. It is called before the answer is
    /// held ([`ResponseTimeFloor`]); what it takes longer than that can be measured. If it panics, the log says so, and the answer is the same.
    pub fn on_username_taken(mut self, hook: impl Fn(UsernameTaken) + Send + Sync + 'static) -> Self {
        self.hook = Some(Arc::new(hook));
        self
    }

    /// The clock. The machine's unless stated.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Keeps compiled code in this directory, as [`VerifierBuilder::compilation_cache`](crate::VerifierBuilder::compilation_cache).
    pub fn compilation_cache(mut self, directory: impl Into<PathBuf>) -> Self {
        self.compilation_cache = Some(directory.into());
        self
    }

    /// Compiles the component, and sees that it takes the settings.
    ///
    /// # Errors
    /// See [`BuildError`]. Cognito is not called.
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
        Ok(Accounts::of(Inner {
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
    /// Starts with the variables `COGNITO_USER_POOL_ID`, `COGNITO_CLIENT_ID` (the first, if there are several),
    /// `COGNITO_CLIENT_SECRET`, `COGNITO_REGION` and `AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER`.
    ///
    /// # Errors
    /// [`BuildError::Environment`] if one of the first two is not set.
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
