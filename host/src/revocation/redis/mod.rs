//! A revocation store in Redis or Valkey, which several processes can share.

mod connection;
mod stream;

use super::{
    claims::RevocationClaims,
    entry::{Kind, Revocation},
    error::RevocationError,
    feed_document::FeedDocument,
    memory::whole_seconds,
    store::{RevocationFuture, Revocations},
};
use connection::Server;
use poolgate_revocations::Position;
use redis::{Client, RedisResult, TlsCertificates};
use secrecy::{ExposeSecret, SecretString};
use std::{fmt, sync::Arc, time::Duration};
use stream::Stream;

/// The prefix of all keys. The issuer follows.
const PREFIX: &str = "poolgate:revoked:";
/// The member of a user's sorted set. Its score is the time of the sign-out.
const SIGNED_OUT: &str = "signed_out";
/// The maximum lifetime of an entry: 100 years, in seconds. Redis rejects an `EXPIRE` whose time in milliseconds overflows, and the entry
/// would then never expire.
const MAX_LIFETIME: u64 = 100 * 365 * 86_400;

/// Installs a TLS cryptography provider, if the process has none. The `redis` crate uses the provider of the process, and panics if two are
/// compiled in and none is installed.
fn ensure_crypto_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // This fails if another thread has installed one in the meantime, which is fine.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
}

/// A revocation store in Redis 7 or later, or Valkey. All processes that use the same server share it.
///
/// | key | type | revokes |
/// |---|---|---|
/// | `poolgate:revoked:<issuer>:jti:<jti>` | string | one token |
/// | `poolgate:revoked:<issuer>:origin_jti:<origin_jti>` | string | all tokens issued from one refresh token |
/// | `poolgate:revoked:<issuer>:sub:<sub>` | sorted set of one member, `signed_out` | the user's tokens with an `auth_time` up to its score |
/// | `poolgate:revoked:feed` | stream | nothing itself: it lists all revocations in order, for the revocation feed |
/// | `poolgate:revoked:feed:epoch` | string | nothing itself: the numbering of the feed |
///
/// `<issuer>` is the issuer of the user pool in the form `https://cognito-idp.…`. Every key of a revocation expires after the configured lifetime. Other
/// programs may write these keys: `SET <key> 1 EX 86400`, or `ZADD <key> GT <seconds> signed_out` followed by `EXPIRE <key> 86400`. For the feed, they also
/// add the revocation to the stream; `docs/revocation-feed.md` has the commands.
///
/// # Server requirements
///
/// * The server must be the primary, because a replica can be behind. Redis Cluster is not supported.
/// * The server must not evict keys (`maxmemory-policy noeviction`). A token whose key was evicted is accepted again.
///
/// # Connections and errors
///
/// All queries share one connection, and a query takes one round trip. If the connection breaks or stalls before the
/// reply, it is replaced, and the query is sent once more. This happens when Redis (`timeout`), a NAT or a load
/// balancer has closed an idle connection. An error reply does not close the connection, unless it shows that the
/// server is not the primary.
///
/// The two replies of a query are evaluated separately. A token whose `jti` is listed is revoked, even if the key of
/// its `sub` has a type other than sorted set.
#[derive(Clone)]
pub struct Redis {
    server: Arc<Server>,
    stream: Arc<Stream>,
    timeout: Duration,
    /// In seconds.
    lifetime: u64,
}

/// The URL of the Redis server is invalid. The error does not contain the URL, because that may contain a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedisUrlError;

impl fmt::Display for RedisUrlError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the Redis URL is not redis[s]://[user][:password@]host[:port][/database]")
    }
}

impl std::error::Error for RedisUrlError {}

impl Redis {
    /// Creates a store at `redis://[user][:password@]host[:port][/database]`, or `rediss://…` for TLS. It connects with the first query.
    ///
    /// A `redis://` URL sends the password and all queries unencrypted. Use it only on a trusted network.
    ///
    /// * `lifetime` is the time after which an entry expires, rounded up to whole seconds. It must be at least the
    ///   maximum token lifetime, which is [`MAX_COGNITO_TOKEN_LIFETIME`] for Cognito. Values above 100 years are
    ///   reduced to 100 years.
    /// * `timeout` is the maximum time to connect, and the maximum time to wait for a reply. It must be shorter than
    ///   [`VerifierBuilder::revocation_deadline`](crate::VerifierBuilder::revocation_deadline); otherwise the verifier would give up before
    ///   a dead connection is detected. Half of the deadline leaves time for a second attempt.
    ///
    /// [`MAX_COGNITO_TOKEN_LIFETIME`]: super::MAX_COGNITO_TOKEN_LIFETIME
    ///
    /// # Errors
    ///
    /// Returns [`RedisUrlError`] if the URL is invalid. A URL with `#insecure`, which disables certificate checks in the `redis` crate, is
    /// rejected too.
    pub fn open(url: &SecretString, lifetime: Duration, timeout: Duration) -> Result<Self, RedisUrlError> {
        ensure_crypto_provider();
        let url = url.expose_secret();
        if url.contains('#') || !(url.starts_with("redis://") || url.starts_with("rediss://")) {
            return Err(RedisUrlError);
        }
        Ok(Self::new(Client::open(url).map_err(|_| RedisUrlError)?, lifetime, timeout))
    }

    /// Like [`open`](Self::open), for a `rediss://…` URL of a server whose certificate was issued by `authority`, a
    /// certificate in PEM format. The system's root certificates are not trusted.
    ///
    /// # Errors
    ///
    /// Returns [`RedisUrlError`] if the URL is not a `rediss://` URL, or if `authority` is not a certificate.
    pub fn open_with_authority(
        url: &SecretString,
        authority: &[u8],
        lifetime: Duration,
        timeout: Duration,
    ) -> Result<Self, RedisUrlError> {
        ensure_crypto_provider();
        let url = url.expose_secret();
        if url.contains('#') || !url.starts_with("rediss://") {
            return Err(RedisUrlError);
        }
        let trusted = TlsCertificates { client_tls: None, root_cert: Some(authority.to_vec()) };
        Ok(Self::new(Client::build_with_tls(url, trusted).map_err(|_| RedisUrlError)?, lifetime, timeout))
    }

    fn new(client: Client, lifetime: Duration, timeout: Duration) -> Self {
        let lifetime = whole_seconds(lifetime).clamp(1, MAX_LIFETIME);
        let server = Arc::new(Server::new(client, timeout));
        let stream = Arc::new(Stream::new(Arc::clone(&server), lifetime));
        Self { server, stream, timeout, lifetime }
    }

    async fn is_listed(&self, token: &RevocationClaims) -> Result<bool, RevocationError> {
        let keys = token.keys();
        let mut query = redis::pipe();
        query.ignore_errors();
        let tokens: Vec<String> = [keys.jti, keys.origin_jti].into_iter().flatten().map(prefixed).collect();
        query.cmd("EXISTS").arg(if tokens.is_empty() { vec![PREFIX.to_owned()] } else { tokens });
        query.cmd("ZSCORE").arg(prefixed(keys.subject.unwrap_or_default())).arg(SIGNED_OUT);
        let (number, (listed, signed_out)): (_, (RedisResult<u64>, RedisResult<Option<f64>>)) =
            self.server.run(&query).await?;
        // Times are below 2^53, so a score represents them exactly.
        let signed_in = token.auth_time.unwrap_or(0) as f64;
        let by_token = listed.map(|count| count > 0);
        let by_user = signed_out.map(|until| until.is_some_and(|until| signed_in <= until));
        match (by_token, by_user) {
            // If one reply says that the token is revoked, an error in the other reply does not matter.
            (Ok(true), _) | (_, Ok(true)) => Ok(true),
            (Ok(false), Ok(false)) => Ok(false),
            (Err(error), _) | (_, Err(error)) => Err(self.server.record(number, &error)),
        }
    }

    async fn insert(&self, revocation: &Revocation) -> Result<(), RevocationError> {
        let key = prefixed(revocation.key());
        let mut entry = redis::pipe();
        entry.atomic();
        match revocation.kind {
            // The latest sign-out counts, in whatever order processes write.
            Kind::Subject => entry.cmd("ZADD").arg(&key).arg("GT").arg(revocation.until).arg(SIGNED_OUT).ignore(),
            Kind::Jti | Kind::OriginJti => entry.cmd("SET").arg(&key).arg(1).arg("KEEPTTL").ignore(),
        };
        // Sets the expiry of a new key, and extends that of an existing key. It never shortens one.
        for condition in ["NX", "GT"] {
            entry.cmd("EXPIRE").arg(&key).arg(self.lifetime).arg(condition).ignore();
        }
        self.stream.add(&mut entry, revocation);
        self.server.run(&entry).await.map(|(_, ())| ())?;
        self.stream.trim_if_due();
        Ok(())
    }
}

fn prefixed(key: String) -> String {
    format!("{PREFIX}{key}")
}

impl Revocations for Redis {
    fn is_revoked<'a>(&'a self, token: &'a RevocationClaims, _now: u64) -> RevocationFuture<'a, bool> {
        Box::pin(self.is_listed(token))
    }

    fn revoke<'a>(&'a self, revocation: &'a Revocation, _now: u64) -> RevocationFuture<'a, ()> {
        Box::pin(self.insert(revocation))
    }

    fn feed<'a>(&'a self, after: Option<Position>, _now: u64) -> RevocationFuture<'a, Option<FeedDocument>> {
        Box::pin(self.stream.feed(after))
    }

    fn timeout(&self) -> Option<Duration> {
        Some(self.timeout)
    }
}

impl fmt::Debug for Redis {
    /// Omits the address and the password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Redis").finish_non_exhaustive()
    }
}
