//! Documents of a revocation feed, one after another, applied to one table.
//!
//! Oracles: a reader that follows the description of the format in docs/revocation-feed.md, with a map instead of a table, accepts the same documents, rejects the
//! others for the same reason, and has the same entries afterwards, as a snapshot of both shows. A snapshot applied to an empty table is the
//! same table. A position that is read has this text alone.

use poolgate_revocations::{Position, Table};
use std::collections::BTreeMap;

const MAX_ENTRIES: usize = 40;

/// The input is a list of documents: 4 bytes of the present time and 2 bytes of the length, little-endian, and the document.
pub fn run(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(position) = text.parse::<Position>()
    {
        assert_eq!(position.to_string(), text);
    }
    let (mut table, mut model) = (Table::new(), Model::default());
    let mut rest = data;
    while let Some(([a, b, c, d, low, high], after)) = rest.split_first_chunk::<6>() {
        let now = u64::from(u32::from_le_bytes([*a, *b, *c, *d]));
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(after.len());
        let (document, after) = after.split_at(length);
        rest = after;
        let applied = table.apply(document.to_vec(), now, MAX_ENTRIES).map(drop).map_err(|error| error.name());
        assert_eq!(applied, model.apply(document, now), "{document:?}");
        table.remove_expired(now);
        model.remove_expired(now);
        let snapshot = table.snapshot(7);
        assert_eq!(snapshot, model.snapshot(), "{document:?}");
        if let Some(snapshot) = snapshot {
            let mut copy = Table::new();
            copy.apply(snapshot.clone(), u64::MAX, MAX_ENTRIES).expect("a table is no larger than allowed");
            assert_eq!(copy.snapshot(7), Some(snapshot));
        }
    }
}

#[derive(Default)]
struct Model {
    header: Option<Header>,
    times: BTreeMap<u64, u32>,
}

#[derive(Clone, Copy)]
struct Header {
    epoch: u64,
    sequence: u64,
    issued_at: u64,
    lifetime: u64,
}

impl Model {
    fn apply(&mut self, document: &[u8], now: u64) -> Result<(), &'static str> {
        let number = |from: usize, to: usize| {
            let bytes = document.get(from..to).ok_or("malformed")?;
            Ok::<u64, &str>(bytes.iter().fold(0, |number, byte| number * 256 + u64::from(*byte)))
        };
        let (epoch, after, sequence) = (number(8, 16)?, number(16, 24)?, number(24, 32)?);
        let (issued_at, lifetime, count) = (number(32, 40)?.min(now), number(40, 44)?, number(44, 48)?);
        let is_snapshot = match &document[..8] {
            b"PGRF\x01\x00\x00\x00" if after == 0 => true,
            b"PGRF\x01\x01\x00\x00" if sequence > after || (sequence == after && count == 0) => false,
            _ => return Err("malformed"),
        };
        if epoch == 0 || (document.len() as u64 - 48) != count * 12 {
            return Err("malformed");
        }
        let mut entries = Vec::new();
        for start in (48..document.len()).step_by(12) {
            let hash = number(start, start + 8)?;
            if entries.last().is_some_and(|(last, _)| *last >= hash) {
                return Err("malformed");
            }
            entries.push((hash, u32::try_from(number(start + 8, start + 12)?).expect("four bytes")));
        }
        let header = Header { epoch, sequence, issued_at, lifetime };
        if is_snapshot {
            if entries.len() > MAX_ENTRIES {
                return Err("too-many-entries");
            }
            if self.header.is_some_and(|own| {
                own.epoch == epoch && sequence < own.sequence && number(32, 40).is_ok_and(|at| at <= own.issued_at)
            }) {
                return Err("older");
            }
            self.times = entries.into_iter().collect();
            self.header = Some(header);
            return Ok(());
        }
        let own = self.header.filter(|own| own.epoch == epoch && own.sequence == after).ok_or("other-position")?;
        let header = Header { issued_at: issued_at.max(own.issued_at), ..header };
        let mut times = self.times.clone();
        for (hash, time) in entries {
            let known = times.entry(hash).or_insert(time);
            *known = time.max(*known);
        }
        // Expired entries make room.
        let expired = |time: &u32| u64::from(*time) + lifetime < now.min(header.issued_at);
        let known = self.times.iter().filter(|(_, time)| !expired(time)).map(|(hash, _)| *hash);
        let known: std::collections::BTreeSet<u64> = known.collect();
        let total = times.iter().filter(|(hash, _)| known.contains(*hash) || is_listed(document, **hash)).count();
        if total > MAX_ENTRIES {
            self.times.retain(|_, time| !expired(time));
            return Err("too-many-entries");
        }
        self.times = times;
        self.header = Some(header);
        Ok(())
    }

    fn remove_expired(&mut self, now: u64) {
        if let Some(Header { issued_at, lifetime, .. }) = self.header {
            self.times.retain(|_, time| u64::from(*time) + lifetime >= now.min(issued_at));
        }
    }

    fn snapshot(&self) -> Option<Vec<u8>> {
        let Header { epoch, sequence, lifetime, .. } = self.header?;
        let count = u32::try_from(self.times.len()).expect("few");
        let lifetime = u32::try_from(lifetime).expect("four bytes");
        let header = [&epoch.to_be_bytes()[..], &[0; 8], &sequence.to_be_bytes(), &7_u64.to_be_bytes()].concat();
        let entries =
            self.times.iter().flat_map(|(hash, time)| [&hash.to_be_bytes()[..], &time.to_be_bytes()].concat());
        let counts = [lifetime.to_be_bytes(), count.to_be_bytes()].concat();
        Some([&b"PGRF\x01\x00\x00\x00"[..], &header, &counts].concat().into_iter().chain(entries).collect())
    }
}

/// Whether the document lists the hash.
fn is_listed(document: &[u8], hash: u64) -> bool {
    document[48..].chunks(12).any(|entry| entry.get(..8) == Some(&hash.to_be_bytes()[..]))
}
