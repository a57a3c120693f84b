//! The client of the user pools API, and its limit on concurrent calls.

use crate::accounts::{app_client::AppClient, bindings::poolgate::auth::user_pool as wit};
use aws_sdk_cognitoidentityprovider::{
    Client,
    config::{BehaviorVersion, Builder, Config, Region, retry::RetryConfig, timeout::TimeoutConfig},
};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// The maximum number of attempts of an operation that can safely be repeated.
const ATTEMPTS: u32 = 3;

pub(super) type CallResult<T> = Result<T, wit::Failure>;

/// The client. There is one per [`Accounts`](crate::accounts::Accounts).
pub(crate) struct Cognito {
    pub(super) client: Client,
    pub(super) app: AppClient,
    /// The user pool ID after the underscore. SRP hashes it.
    pub(super) pool_name: String,
    permits: Semaphore,
    max_calls: usize,
}

/// How Cognito is reached.
#[derive(Clone, Debug)]
pub(crate) struct CognitoSettings {
    pub(crate) region: String,
    pub(crate) pool_id: String,
    pub(crate) app: AppClient,
    pub(crate) endpoint: Option<String>,
    pub(crate) connect_timeout: Duration,
    /// The maximum time of one attempt.
    pub(crate) attempt_timeout: Duration,
    /// The maximum time of a call with all its attempts.
    pub(crate) call_timeout: Duration,
    /// The maximum number of calls in progress.
    pub(crate) max_calls: usize,
}

impl Cognito {
    pub(crate) fn new(settings: CognitoSettings) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(settings.connect_timeout)
            .operation_attempt_timeout(settings.attempt_timeout)
            .operation_timeout(settings.call_timeout);
        let mut config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(settings.region))
            .timeout_config(timeouts.build())
            .retry_config(RetryConfig::disabled());
        config.set_endpoint_url(settings.endpoint);
        let pool_name = settings.pool_id.split_once('_').map_or("", |(_, name)| name).to_owned();
        let (permits, max_calls) = (Semaphore::new(settings.max_calls), settings.max_calls);
        Self { client: Client::from_conf(config.build()), app: settings.app, pool_name, permits, max_calls }
    }

    /// The number of calls in progress.
    pub(crate) fn calls_in_progress(&self) -> usize {
        self.max_calls.saturating_sub(self.permits.available_permits())
    }

    /// The permit for one call. It fails at once if the maximum number of calls is in progress.
    pub(super) fn permit(&self) -> CallResult<SemaphorePermit<'_>> {
        self.permits.try_acquire().map_err(|_| wit::Failure::TooBusy)
    }
}

/// The SDK's standard retries, for operations that change nothing when they are repeated.
pub(super) fn repeatable() -> Builder {
    Config::builder().retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
}
