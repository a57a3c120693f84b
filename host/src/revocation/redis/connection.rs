//! The connection to Redis, which all queries of a store share.

use crate::revocation::error::RevocationError;
use redis::{
    AsyncConnectionConfig, Client, ErrorKind, Pipeline, RedisError, ServerErrorKind, aio::MultiplexedConnection,
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// After a failed connection attempt, queries fail immediately for this time.
const PAUSE: Duration = Duration::from_millis(250);

/// A Redis server, and the connection to it.
pub(super) struct Server {
    client: Client,
    config: AsyncConnectionConfig,
    connection: Mutex<ConnectionState>,
    /// Held while connecting, so that there is one attempt at a time.
    connecting: tokio::sync::Mutex<()>,
}

/// The current connection.
#[derive(Default)]
struct ConnectionState {
    connection: Option<MultiplexedConnection>,
    /// The number of connections so far, which identifies the current one.
    number: u64,
    /// After a failed attempt: the time before which none is made.
    paused_until: Option<Instant>,
}

impl Server {
    /// `timeout` is the maximum time to connect, and the maximum time to wait for a reply. The first query connects.
    pub(super) fn new(client: Client, timeout: Duration) -> Self {
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(timeout)).set_response_timeout(Some(timeout));
        Self { client, config, connection: Mutex::default(), connecting: tokio::sync::Mutex::default() }
    }

    /// Sends a pipeline. Returns the reply, and the number of the connection that it came from.
    ///
    /// If the connection breaks or stalls before the reply, the pipeline is sent once more on a new connection. To run a pipeline twice
    /// changes nothing, except that a revocation is in the stream twice.
    pub(super) async fn run<T: redis::FromRedisValue>(
        self: &Arc<Self>,
        pipeline: &Pipeline,
    ) -> Result<(u64, T), RevocationError> {
        let mut attempts_left: u8 = 2;
        loop {
            let (number, mut connection) = match self.connected() {
                Some(connected) => connected,
                None => self.connect().await?,
            };
            attempts_left -= 1;
            match pipeline.query_async(&mut connection).await {
                Ok(reply) => return Ok((number, reply)),
                Err(error) => {
                    let recorded = self.record(number, &error);
                    if attempts_left == 0 || !error.is_io_error() {
                        return Err(recorded);
                    }
                }
            }
        }
    }

    /// Translates an error, and closes the connection if it cannot be used after this error.
    pub(super) fn record(&self, number: u64, error: &RedisError) -> RevocationError {
        if ends_connection(error) {
            self.disconnect(number);
        }
        translated(error)
    }

    fn connected(&self) -> Option<(u64, MultiplexedConnection)> {
        let current = self.lock();
        Some((current.number, current.connection.clone()?))
    }

    /// Connects in a separate task, so that a cancelled query does not cancel the connection attempt, which later queries use.
    async fn connect(self: &Arc<Self>) -> Result<(u64, MultiplexedConnection), RevocationError> {
        let server = Arc::clone(self);
        let connected = tokio::spawn(async move {
            let _turn = server.connecting.lock().await;
            if let Some(connected) = server.connected() {
                return Ok(connected);
            }
            if server.lock().paused_until.is_some_and(|until| Instant::now() < until) {
                return Err(RevocationError::Unreachable);
            }
            let connected = server.client.get_multiplexed_async_connection_with_config(&server.config).await;
            let mut current = server.lock();
            match connected {
                Ok(connection) => {
                    current.number += 1;
                    current.connection = Some(connection.clone());
                    Ok((current.number, connection))
                }
                Err(error) => {
                    current.paused_until = Some(Instant::now() + PAUSE);
                    Err(translated(&error))
                }
            }
        });
        connected.await.unwrap_or(Err(RevocationError::Unreachable))
    }

    /// Drops the connection, unless it has been replaced already.
    fn disconnect(&self, number: u64) {
        let mut current = self.lock();
        if current.number == number {
            current.connection = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, ConnectionState> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns `true` if the connection cannot be used after this error: it broke or stalled, the reply is not in the Redis protocol, or the
/// client must use another server. Any other error reply concerns one command only, and other queries still use the connection.
fn ends_connection(error: &RedisError) -> bool {
    use ServerErrorKind::{Ask, ClusterDown, MasterDown, Moved, ReadOnly};
    match error.kind() {
        ErrorKind::Io | ErrorKind::Parse => true,
        ErrorKind::Server(kind) => matches!(kind, Moved | Ask | ReadOnly | MasterDown | ClusterDown),
        _ => false,
    }
}

/// Translates an error. The text is dropped, because it may contain data from the server.
fn translated(error: &RedisError) -> RevocationError {
    if error.is_timeout() {
        RevocationError::TimedOut
    } else if error.is_io_error() || error.is_connection_dropped() || error.is_connection_refusal() {
        RevocationError::Unreachable
    } else {
        RevocationError::Refused
    }
}
