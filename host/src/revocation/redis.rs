//! Revocations in a Redis or Valkey that many hosts share.

use super::{Revocation, RevocationClaims, RevocationError, RevocationFuture, Revocations, memory::whole_seconds};
use redis::{
    AsyncConnectionConfig, Client, ErrorKind, Pipeline, RedisError, RedisResult, ServerErrorKind, TlsCertificates,
    aio::MultiplexedConnection,
};
use secrecy::{ExposeSecret, SecretString};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// What the keys begin with; the issuer follows.
const PREFIX: &str = "poolgate:revoked:";
/// The member of a user's sorted set, whose score is the time.
const SIGNED_OUT: &str = "signed_out";
/// After a connection could not be made, none is tried for so long: questions are answered at once, with an error.
const PAUSE: Duration = Duration::from_millis(250);
/// No entry lives longer, which is a hundred years in seconds: Redis refuses an `EXPIRE` that its clock in milliseconds can't hold, and the
/// entry would be there for ever.
const LONGEST_LIFETIME: u64 = 100 * 365 * 86_400;

/// The `redis` crate takes the process's cryptography for TLS, and panics where two are compiled in and none is chosen. Who has chosen one keeps it.
fn have_cryptography() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Another thread may have been first, which is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
}

/// Revocations in a Redis (7 or later) or Valkey, shared by all hosts that use it.
///
/// | key | type | revokes |
/// |---|---|---|
/// | `poolgate:revoked:<issuer>:jti:<jti>` | string | one token |
/// | `poolgate:revoked:<issuer>:origin_jti:<origin_jti>` | string | all tokens that came of one refresh token |
/// | `poolgate:revoked:<issuer>:sub:<sub>` | sorted set of one member, `signed_out` | the user's tokens with an `auth_time` up to its score |
///
/// `<issuer>` is a user pool's first form, `https://cognito-idp.…`. Every key expires with the lifetime that was stated. Other programs
/// may write them too: `SET <key> 1 EX 86400`, or `ZADD <key> GT <seconds> signed_out` and `EXPIRE <key> 86400`.
///
/// One connection carries all questions, and a question is one round trip. A connection that breaks or stalls before an answer has come is
/// replaced, and the question is asked once more: an idle one may have been closed by Redis (`timeout`), a NAT or a load balancer. An error
/// reply leaves the connection as it is, unless it says that this is not the primary. Of two replies each counts alone: a token whose `jti`
/// is there is revoked, also if the key of its `sub` has another type than a sorted set. The server must be the primary (a replica lags
/// behind), no cluster, and must not evict keys (`maxmemory-policy noeviction`): what it drops verifies again.
#[derive(Clone)]
pub struct Redis {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    config: AsyncConnectionConfig,
    timeout: Duration,
    lifetime: u64,
    connection: Mutex<Line>,
    /// One connection is made at a time.
    connecting: tokio::sync::Mutex<()>,
}

/// The connection, if there is one.
#[derive(Default)]
struct Line {
    connection: Option<MultiplexedConnection>,
    /// Goes up with each.
    number: u64,
    paused_until: Option<Instant>,
}

/// The URL of a Redis is refused. It does not say more, for the URL may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedisUrlError;

impl fmt::Display for RedisUrlError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the URL of the Redis is not redis[s]://[user][:password@]host[:port][/database]")
    }
}

impl std::error::Error for RedisUrlError {}

impl Redis {
    /// A Redis at `redis://[user][:password@]host[:port][/database]`, or `rediss://…` for TLS. Plain `redis://` sends the password as it
    /// is: for a network that you trust. Nothing is connected yet.
    ///
    /// Entries live so long, in whole seconds rounded up, and a hundred years at the most: at least as long as the longest token,
    /// [`MAX_COGNITO_TOKEN_LIFETIME`] for Cognito. `timeout` is the longest that connecting, and then an answer, may take. It must be shorter
    /// than the verifier's own deadline ([`VerifierBuilder::revocation_deadline`](crate::VerifierBuilder::revocation_deadline)), which
    /// would otherwise give up before a dead connection is noticed; half of it leaves time for a second attempt.
    ///
    /// [`MAX_COGNITO_TOKEN_LIFETIME`]: super::MAX_COGNITO_TOKEN_LIFETIME
    ///
    /// # Errors
    /// [`RedisUrlError`] if it is not such a URL. `#insecure`, which the `redis` crate understands as TLS without a check of the
    /// certificate, is refused too.
    pub fn open(url: &SecretString, lifetime: Duration, timeout: Duration) -> Result<Self, RedisUrlError> {
        have_cryptography();
        let url = url.expose_secret();
        if url.contains('#') || !(url.starts_with("redis://") || url.starts_with("rediss://")) {
            return Err(RedisUrlError);
        }
        Ok(Self::new(Client::open(url).map_err(|_| RedisUrlError)?, lifetime, timeout))
    }

    /// The same at a `rediss://…` whose certificate this authority (PEM) vouches for, and none of the system's.
    ///
    /// # Errors
    /// [`RedisUrlError`] if it is not such a URL, or the authority is no certificate.
    pub fn open_with_authority(
        url: &SecretString,
        authority: &[u8],
        lifetime: Duration,
        timeout: Duration,
    ) -> Result<Self, RedisUrlError> {
        have_cryptography();
        let url = url.expose_secret();
        if url.contains('#') || !url.starts_with("rediss://") {
            return Err(RedisUrlError);
        }
        let trusted = TlsCertificates { client_tls: None, root_cert: Some(authority.to_vec()) };
        Ok(Self::new(Client::build_with_tls(url, trusted).map_err(|_| RedisUrlError)?, lifetime, timeout))
    }

    fn new(client: Client, lifetime: Duration, timeout: Duration) -> Self {
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(timeout)).set_response_timeout(Some(timeout));
        let lifetime = whole_seconds(lifetime).clamp(1, LONGEST_LIFETIME);
        let (connection, connecting) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { inner: Arc::new(Inner { client, config, timeout, lifetime, connection, connecting }) }
    }

    async fn ask(&self, token: &RevocationClaims) -> Result<bool, RevocationError> {
        let keys = token.keys();
        let mut question = redis::pipe();
        question.ignore_errors();
        let tokens: Vec<String> = [keys.jti, keys.origin_jti].into_iter().flatten().map(prefixed).collect();
        question.cmd("EXISTS").arg(if tokens.is_empty() { vec![PREFIX.to_owned()] } else { tokens });
        question.cmd("ZSCORE").arg(prefixed(keys.subject.unwrap_or_default())).arg(SIGNED_OUT);
        let (number, (listed, signed_out)): (_, (RedisResult<u64>, RedisResult<Option<f64>>)) =
            self.inner.run(&question).await?;
        // Times are below 2^53, exact in a score.
        let signed_in = token.auth_time.unwrap_or(0) as f64;
        let by_token = listed.map(|count| count > 0);
        let by_user = signed_out.map(|until| until.is_some_and(|until| signed_in <= until));
        match (by_token, by_user) {
            // A "yes" stands, whatever became of the other question.
            (Ok(true), _) | (_, Ok(true)) => Ok(true),
            (Ok(false), Ok(false)) => Ok(false),
            (Err(error), _) | (_, Err(error)) => Err(self.inner.note(number, &error)),
        }
    }

    async fn remember(&self, revocation: &Revocation) -> Result<(), RevocationError> {
        let key = prefixed(revocation.key());
        let mut entry = redis::pipe();
        entry.atomic();
        match revocation.kind {
            // The latest sign-out counts, whichever host writes last.
            super::Kind::Subject => {
                entry.cmd("ZADD").arg(&key).arg("GT").arg(revocation.until).arg(SIGNED_OUT).ignore()
            }
            super::Kind::Jti | super::Kind::OriginJti => entry.cmd("SET").arg(&key).arg(1).arg("KEEPTTL").ignore(),
        };
        // A new one gets its time; one that was there never loses any.
        for condition in ["NX", "GT"] {
            entry.cmd("EXPIRE").arg(&key).arg(self.inner.lifetime).arg(condition).ignore();
        }
        self.inner.run(&entry).await.map(|(_, ())| ())
    }
}

fn prefixed(key: String) -> String {
    format!("{PREFIX}{key}")
}

impl Inner {
    /// What Redis answers, and the number of the connection. A connection that breaks or stalls before it has answered says nothing about
    /// Redis: the same is sent once more on another. All that is sent may be sent twice.
    async fn run<T: redis::FromRedisValue>(self: &Arc<Self>, pipeline: &Pipeline) -> Result<(u64, T), RevocationError> {
        let mut attempts_left: u8 = 2;
        loop {
            let (number, mut connection) = match self.connected() {
                Some(line) => line,
                None => self.connect().await?,
            };
            attempts_left -= 1;
            match pipeline.query_async(&mut connection).await {
                Ok(answer) => return Ok((number, answer)),
                Err(error) => {
                    let noted = self.note(number, &error);
                    if attempts_left == 0 || !error.is_io_error() {
                        return Err(noted);
                    }
                }
            }
        }
    }

    /// Takes note of an error on a connection, which may be the end of that connection.
    fn note(&self, number: u64, error: &RedisError) -> RevocationError {
        if ends_connection(error) {
            self.hang_up(number);
        }
        translated(error)
    }

    fn connected(&self) -> Option<(u64, MultiplexedConnection)> {
        let line = self.line();
        Some((line.number, line.connection.clone()?))
    }

    /// Connects in a task of its own: a question that gives up does not undo the work for those after it.
    async fn connect(self: &Arc<Self>) -> Result<(u64, MultiplexedConnection), RevocationError> {
        let inner = Arc::clone(self);
        let connected = tokio::spawn(async move {
            let _turn = inner.connecting.lock().await;
            if let Some(line) = inner.connected() {
                return Ok(line);
            }
            if inner.line().paused_until.is_some_and(|until| Instant::now() < until) {
                return Err(RevocationError::Unreachable);
            }
            let connected = inner.client.get_multiplexed_async_connection_with_config(&inner.config).await;
            let mut line = inner.line();
            match connected {
                Ok(connection) => {
                    line.number += 1;
                    line.connection = Some(connection.clone());
                    Ok((line.number, connection))
                }
                Err(error) => {
                    line.paused_until = Some(Instant::now() + PAUSE);
                    Err(translated(&error))
                }
            }
        });
        connected.await.unwrap_or(Err(RevocationError::Unreachable))
    }

    /// Throws the connection away, unless another is there already.
    fn hang_up(&self, number: u64) {
        let mut line = self.line();
        if line.number == number {
            line.connection = None;
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a connection is of no use after this error: it broke, it stalled, what came is not Redis's protocol, or another server must be
/// asked. Any other error reply is about one command, and the connection carries the questions of all others too.
fn ends_connection(error: &RedisError) -> bool {
    use ServerErrorKind::{Ask, ClusterDown, MasterDown, Moved, ReadOnly};
    match error.kind() {
        ErrorKind::Io | ErrorKind::Parse => true,
        ErrorKind::Server(kind) => matches!(kind, Moved | Ask | ReadOnly | MasterDown | ClusterDown),
        _ => false,
    }
}

/// Its text may hold what the server said, which is nobody's business.
fn translated(error: &RedisError) -> RevocationError {
    if error.is_timeout() {
        RevocationError::TimedOut
    } else if error.is_io_error() || error.is_connection_dropped() || error.is_connection_refusal() {
        RevocationError::Unreachable
    } else {
        RevocationError::Refused
    }
}

impl Revocations for Redis {
    fn is_revoked<'a>(&'a self, token: &'a RevocationClaims, _now: u64) -> RevocationFuture<'a, bool> {
        Box::pin(self.ask(token))
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation, _now: u64) -> RevocationFuture<'a, ()> {
        Box::pin(self.remember(revocation))
    }

    fn timeout(&self) -> Option<Duration> {
        Some(self.inner.timeout)
    }
}

impl fmt::Debug for Redis {
    /// Neither its address nor a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Redis").finish_non_exhaustive()
    }
}
