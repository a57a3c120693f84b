//! The stream in Redis that lists all revocations in order, and its copy in this process, which the gateway publishes as a feed.
//!
//! Each revocation is written to its own key and to the stream in one transaction. Queries use the keys; the feed uses the stream.

use super::connection::Server;
use crate::revocation::{
    entry::Revocation, epoch::new_epoch, error::RevocationError, feed_document::FeedDocument, publication::Publication,
};
use poolgate_revocations::{EntryKind, Position, entry_hash};
use redis::{Pipeline, Value};
use std::{
    fmt,
    sync::{Arc, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

/// The stream. No key of a revocation has this name, because each contains `:jti:`, `:origin_jti:` or `:sub:`.
const STREAM: &str = "poolgate:revoked:feed";
/// The key of the feed's epoch, a random number that all processes share.
const EPOCH: &str = "poolgate:revoked:feed:epoch";
/// The number of entries that one command reads. It must take less than the time-out.
const BATCH: usize = 2_000;
/// The number of entries that are removed at once.
const TRIM_BATCH: usize = 200;
/// For this time, the copy is the present state.
const FRESH: Duration = Duration::from_millis(100);
/// After a failed reading, others fail immediately for this time.
const PAUSE: Duration = Duration::from_millis(250);
/// The maximum time to read what is new in the stream. The next reading continues there.
const DEADLINE: Duration = Duration::from_secs(60);
/// Expired entries are removed from the stream at most once in this time by each process.
const BETWEEN_TRIMS: Duration = Duration::from_secs(60);
/// An entry stays in the stream for this time longer than it lives, in seconds.
const MARGIN: u64 = 120;
/// The bits of a sequence number for the entries of one millisecond.
const BITS_WITHIN_A_MILLISECOND: u32 = 20;

/// The stream of a server.
pub(super) struct Stream {
    server: Arc<Server>,
    /// How long an entry lives that says nothing else, in seconds.
    lifetime: u64,
    /// Held while the stream is read, so that it is read once for all who wait.
    mirror: Mutex<Mirror>,
    /// When expired entries were removed.
    trimmed_at: std::sync::Mutex<Option<Instant>>,
}

/// The copy of the stream in this process.
#[derive(Default)]
struct Mirror {
    copy: Option<StreamCopy>,
    /// When the last reading began that was complete.
    read_at: Option<Instant>,
    failed: Option<(Instant, RevocationError)>,
}

struct StreamCopy {
    publication: Publication,
    /// The last entry that was read, and when it expires, in seconds since the Unix epoch.
    last: Option<(StreamId, u64)>,
    /// The time of the server when it was read, in seconds since the Unix epoch. It is used instead of the clock of this machine, because the IDs of
    /// the entries have the time of the server.
    now: u64,
}

/// The ID of an entry in a stream: a time in milliseconds, and a number within the millisecond.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct StreamId(u64, u64);

/// An entry of the stream.
struct StreamEntry {
    id: StreamId,
    /// `None` if it cannot be read.
    revocation: Option<StreamRevocation>,
}

struct StreamRevocation {
    hash: u64,
    /// The time in the feed, if it is not that of the ID.
    time: Option<u64>,
    /// In seconds.
    lifetime: Option<u64>,
}

fn name(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::User => "user",
        EntryKind::SignIn => "sign-in",
        EntryKind::Token => "token",
    }
}

impl Stream {
    pub(super) fn new(server: Arc<Server>, lifetime: u64) -> Self {
        Self { server, lifetime, mirror: Mutex::default(), trimmed_at: std::sync::Mutex::default() }
    }

    /// Adds the command that writes a revocation to the stream.
    pub(super) fn add(&self, pipeline: &mut Pipeline, revocation: &Revocation) {
        let (issuer, id) = revocation.names();
        let kind = revocation.kind.in_feed();
        let command = pipeline.cmd("XADD").arg(STREAM).arg("*").arg("kind").arg(name(kind));
        command.arg("issuer").arg(issuer).arg("id").arg(id).arg("lifetime").arg(self.lifetime);
        if kind == EntryKind::User {
            command.arg("time").arg(revocation.until);
        }
        command.ignore();
    }

    /// Returns a document of the feed. It reads what is new in the stream, unless this process has done so just now.
    pub(super) async fn feed(
        self: &Arc<Self>,
        after: Option<Position>,
    ) -> Result<Option<FeedDocument>, RevocationError> {
        let stream = Arc::clone(self);
        // In a task of its own, so that a reader that gives up does not stop the reading of a long stream.
        let read = tokio::spawn(async move {
            let mut mirror = stream.mirror.lock().await;
            if !mirror.is_fresh_for(after) {
                stream.read_stream(&mut mirror).await?;
            }
            let copy = mirror.copy.as_mut().ok_or(RevocationError::Unreachable)?;
            let now = copy.now;
            Ok(Some(copy.publication.document(after, now)))
        });
        read.await.unwrap_or(Err(RevocationError::Unreachable))
    }

    async fn read_stream(self: &Arc<Self>, mirror: &mut Mirror) -> Result<(), RevocationError> {
        if let Some((at, error)) = mirror.failed
            && at.elapsed() < PAUSE
        {
            return Err(error);
        }
        let began_at = Instant::now();
        let read = timeout(DEADLINE, self.read_new_entries(mirror)).await;
        let read = read.unwrap_or(Err(RevocationError::TimedOut));
        mirror.failed = read.err().map(|error| (Instant::now(), error));
        mirror.read_at = read.is_ok().then_some(began_at);
        if read.is_ok() {
            self.trim_if_due();
        }
        read
    }

    async fn read_new_entries(&self, mirror: &mut Mirror) -> Result<(), RevocationError> {
        loop {
            let last = mirror.copy.as_ref().and_then(|copy| copy.last);
            let (epoch, seconds, entries) = self.read_batch(last.map(|(id, _)| id)).await?;
            let count = entries.len();
            let copy = match &mut mirror.copy {
                Some(copy) if copy.publication.position().epoch == epoch => copy,
                // Another numbering, or the first reading.
                other => {
                    let is_first = last.is_none();
                    let copy = other.insert(StreamCopy {
                        publication: Publication::new(epoch, self.lifetime),
                        last: None,
                        now: seconds,
                    });
                    if !is_first {
                        continue;
                    }
                    copy
                }
            };
            copy.now = seconds;
            let mut entries = entries.into_iter().peekable();
            if let Some((id, expires_at)) = last {
                // Reading begins with the last entry. It is missing if it has expired, or if the server has lost entries, for example
                // because another one has become the primary. Then others may have come before it.
                match entries.peek() {
                    Some(first) if first.id == id => drop(entries.next()),
                    Some(_) if seconds < expires_at => {
                        tracing::warn!("Redis has lost revocations; the revocation feed is numbered anew");
                        self.renumber().await?;
                        mirror.copy = None;
                        continue;
                    }
                    _ => {}
                }
            }
            for entry in entries {
                copy.push(&entry, self.lifetime);
            }
            if count < BATCH {
                return Ok(());
            }
        }
    }

    /// Returns the epoch, the time of the server in seconds, and entries of the stream from `from`.
    async fn read_batch(&self, from: Option<StreamId>) -> Result<(u64, u64, Vec<StreamEntry>), RevocationError> {
        let start = from.map_or_else(|| "-".to_owned(), |id| id.to_string());
        let mut query = redis::pipe();
        query.atomic();
        query.cmd("SET").arg(EPOCH).arg(format!("{:016x}", new_epoch())).arg("NX").ignore();
        query.cmd("GET").arg(EPOCH);
        query.cmd("TIME");
        query.cmd("XRANGE").arg(STREAM).arg(start).arg("+").arg("COUNT").arg(BATCH);
        let (_, (epoch, (seconds, _), entries)): (_, (String, (u64, u64), Value)) = self.server.run(&query).await?;
        let epoch = u64::from_str_radix(&epoch, 16).ok().filter(|epoch| *epoch != 0);
        Ok((epoch.ok_or(RevocationError::Refused)?, seconds, stream_entries(&entries).ok_or(RevocationError::Refused)?))
    }

    /// Makes every process and every reader read all entries again.
    async fn renumber(&self) -> Result<(), RevocationError> {
        let mut command = redis::pipe();
        command.cmd("SET").arg(EPOCH).arg(format!("{:016x}", new_epoch())).ignore();
        self.server.run(&command).await.map(|(_, ())| ())
    }

    /// Removes expired entries from the stream in the background, once in a while.
    pub(super) fn trim_if_due(self: &Arc<Self>) {
        let mut trimmed_at = self.trimmed_at.lock().unwrap_or_else(PoisonError::into_inner);
        if trimmed_at.is_some_and(|at| at.elapsed() < BETWEEN_TRIMS) {
            return;
        }
        *trimmed_at = Some(Instant::now());
        let stream = Arc::clone(self);
        tokio::spawn(async move {
            let trimmed = timeout(DEADLINE, stream.trim()).await;
            if let Err(error) = trimmed.unwrap_or(Err(RevocationError::TimedOut)) {
                tracing::debug!(error = error.name(), "expired revocations could not be removed from the stream");
            }
        });
    }

    /// Removes the entries before the first one that has not expired.
    async fn trim(&self) -> Result<(), RevocationError> {
        loop {
            let mut query = redis::pipe();
            query.cmd("TIME");
            query.cmd("XRANGE").arg(STREAM).arg("-").arg("+").arg("COUNT").arg(TRIM_BATCH);
            let (_, ((seconds, _), entries)): (_, ((u64, u64), Value)) = self.server.run(&query).await?;
            let entries = stream_entries(&entries).ok_or(RevocationError::Refused)?;
            let has_expired = |entry: &&StreamEntry| {
                let lifetime = entry.revocation.as_ref().and_then(|revocation| revocation.lifetime);
                let lifetime = lifetime.unwrap_or(self.lifetime).saturating_add(MARGIN);
                entry.id.seconds().saturating_add(lifetime) < seconds
            };
            let expired = entries.iter().take_while(has_expired).count();
            let Some(last) = expired.checked_sub(1).and_then(|index| entries.get(index)) else { return Ok(()) };
            let mut command = redis::pipe();
            let first_to_stay = StreamId(last.id.0, last.id.1.saturating_add(1));
            command.cmd("XTRIM").arg(STREAM).arg("MINID").arg(first_to_stay.to_string()).ignore();
            self.server.run(&command).await.map(|(_, ())| ())?;
            if expired < TRIM_BATCH {
                return Ok(());
            }
        }
    }
}

impl Mirror {
    /// Whether the copy is the present state. A reader that has read from another process may be ahead of it.
    fn is_fresh_for(&self, after: Option<Position>) -> bool {
        let is_behind = |copy: &StreamCopy| {
            let position = copy.publication.position();
            after.is_some_and(|after| after.epoch == position.epoch && after.sequence > position.sequence)
        };
        self.read_at.is_some_and(|at| at.elapsed() < FRESH) && !self.copy.as_ref().is_some_and(is_behind)
    }
}

impl StreamCopy {
    fn push(&mut self, entry: &StreamEntry, lifetime: u64) {
        // Another program may have chosen an ID in the future.
        let stored_at = entry.id.seconds().min(self.now);
        let own_lifetime = entry.revocation.as_ref().and_then(|revocation| revocation.lifetime);
        let expires_at = stored_at.saturating_add(own_lifetime.unwrap_or(lifetime));
        self.last = Some((entry.id, expires_at));
        let Some(StreamRevocation { hash, time, .. }) = entry.revocation else {
            tracing::error!(
                id = %entry.id,
                "an entry of the stream of revocations in Redis has no known kind, no issuer, no ID or no valid number; it is not in the feed"
            );
            return;
        };
        let sequence = entry.id.sequence().max(self.publication.position().sequence.saturating_add(1));
        self.publication.push(sequence, hash, time.unwrap_or(stored_at), expires_at, self.now);
    }
}

impl StreamId {
    fn seconds(self) -> u64 {
        self.0 / 1_000
    }

    /// Returns a number that increases with the ID, the same in every process.
    fn sequence(self) -> u64 {
        let first = self.0.saturating_mul(1 << BITS_WITHIN_A_MILLISECOND);
        first.saturating_add(self.1.min((1 << BITS_WITHIN_A_MILLISECOND) - 1))
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.0, self.1)
    }
}

/// Returns the entries of a reply to `XRANGE`. `None` if it is not such a reply.
fn stream_entries(reply: &Value) -> Option<Vec<StreamEntry>> {
    let Value::Array(items) = reply else { return None };
    items.iter().map(stream_entry).collect()
}

fn stream_entry(item: &Value) -> Option<StreamEntry> {
    let Value::Array(parts) = item else { return None };
    let [id, fields] = parts.as_slice() else { return None };
    let (milliseconds, number) = text(id)?.split_once('-')?;
    let id = StreamId(milliseconds.parse().ok()?, number.parse().ok()?);
    let Value::Array(fields) = fields else { return None };
    Some(StreamEntry { id, revocation: revocation(fields) })
}

/// Returns the revocation that the fields and values of an entry describe. `None` if they describe none.
fn revocation(fields: &[Value]) -> Option<StreamRevocation> {
    let (pairs, _) = fields.as_chunks::<2>();
    let field = |name: &str| pairs.iter().find(|[field, _]| text(field) == Some(name)).map(|[_, value]| value);
    let kind = match text(field("kind")?)? {
        "user" => EntryKind::User,
        "sign-in" => EntryKind::SignIn,
        "token" => EntryKind::Token,
        _ => return None,
    };
    let number = |name| field(name).map(|value| text(value)?.parse().ok());
    let (time, lifetime): (Option<Option<u64>>, Option<Option<u64>>) = (number("time"), number("lifetime"));
    // A field that is present is a number.
    let (time, lifetime) =
        (time.map_or(Some(None), |time| time.map(Some))?, lifetime.map_or(Some(None), |it| it.map(Some))?);
    let hash = entry_hash(kind, Some(text(field("issuer")?)?), text(field("id")?)?);
    let time = if kind == EntryKind::User { time } else { None };
    Some(StreamRevocation { hash, time, lifetime })
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    fn read(fields: &[&str]) -> Option<(u64, Option<u64>, Option<u64>)> {
        let fields: Vec<Value> = fields.iter().map(|field| bulk(field)).collect();
        revocation(&fields).map(|revocation| (revocation.hash, revocation.time, revocation.lifetime))
    }

    #[test]
    fn fields_may_be_in_any_order_and_what_is_no_revocation_is_not_read() {
        let hash = entry_hash(EntryKind::User, Some("https://a"), "anna");
        let user = ["kind", "user", "issuer", "https://a", "id", "anna"];
        assert_eq!(read(&user), Some((hash, None, None)));
        let whole = ["lifetime", "60", "time", "7", "id", "anna", "x", "y", "issuer", "https://a", "kind", "user"];
        assert_eq!(read(&whole), Some((hash, Some(7), Some(60))));
        for fields in [
            &["kind", "group", "issuer", "https://a", "id", "anna"][..],
            &["issuer", "https://a", "id", "anna"],
            &["kind", "user", "id", "anna"],
            &["kind", "user", "issuer", "https://a"],
            &["kind", "user", "issuer", "https://a", "id"],
            &["kind", "user", "issuer", "https://a", "id", "anna", "time", "soon"],
            &["kind", "user", "issuer", "https://a", "id", "anna", "lifetime", "-1"],
            &[],
        ] {
            assert_eq!(read(fields), None, "{fields:?}");
        }
        let invalid =
            [bulk("kind"), bulk("user"), bulk("issuer"), Value::BulkString(vec![0xff]), bulk("id"), bulk("x")];
        assert!(revocation(&invalid).is_none());
    }

    #[test]
    fn sequence_numbers_increase_with_the_ids_of_the_stream() {
        let ids = [(0, 0), (0, 1), (1, 0), (1, 7), (1_790_000_000_000, 0), (1_790_000_000_000, 1), (u64::MAX, 0)];
        let numbers: Vec<u64> =
            ids.into_iter().map(|(milliseconds, number)| StreamId(milliseconds, number).sequence()).collect();
        assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
    }
}
