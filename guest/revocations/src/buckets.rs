//! Finds the few entries among which a hash can be.
//!
//! A binary search among a million entries reads memory in twenty places. Hashes are evenly distributed, so the entries are divided by the first
//! bits of their hash into buckets of about sixteen.

use crate::entry::{Entry, EntryBytes};
use alloc::{vec, vec::Vec};

/// The binary logarithm of the number of entries of a bucket.
const BITS_WITHIN_A_BUCKET: u32 = 4;
/// The maximum number of bits that choose a bucket.
const MAX_BITS: u32 = 16;

/// The index of the first entry of each bucket.
#[derive(Clone)]
pub(crate) struct Buckets {
    /// The number of bits that choose a bucket.
    bits: u32,
    /// For each bucket, and the number of entries at the end.
    starts: Vec<u32>,
}

impl Buckets {
    /// The buckets of sorted entries.
    pub(crate) fn of(entries: &[EntryBytes]) -> Self {
        let bits = entries.len().checked_ilog2().unwrap_or(0).saturating_sub(BITS_WITHIN_A_BUCKET).min(MAX_BITS);
        let count = (1 << bits) + 1;
        let mut starts = Vec::with_capacity(count);
        for (index, bytes) in (0..).zip(entries) {
            let bucket = bucket(Entry::from_bytes(bytes).hash, bits);
            while starts.len() <= bucket {
                starts.push(index);
            }
        }
        // A document has at most 2^32 - 1 entries.
        starts.resize(count, u32::try_from(entries.len()).unwrap_or(u32::MAX));
        Self { bits, starts }
    }

    /// Returns the index of the first entry of the bucket of a hash, and that of the first one of the next bucket.
    pub(crate) fn range(&self, hash: u64) -> (usize, usize) {
        let bucket = bucket(hash, self.bits);
        match self.starts.get(bucket..).unwrap_or_default() {
            [start, end, ..] => (*start as usize, *end as usize),
            _ => (0, 0),
        }
    }

    pub(crate) fn memory(&self) -> usize {
        self.starts.capacity() * size_of::<u32>()
    }
}

impl Default for Buckets {
    fn default() -> Self {
        Self { bits: 0, starts: vec![0, 0] }
    }
}

fn bucket(hash: u64, bits: u32) -> usize {
    // There are at most 2^16 buckets.
    usize::try_from(hash.checked_shr(u64::BITS - bits).unwrap_or(0)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(hashes: impl Iterator<Item = u64>) -> Vec<EntryBytes> {
        let mut hashes: Vec<u64> = hashes.collect();
        hashes.sort_unstable();
        hashes.dedup();
        hashes.into_iter().map(|hash| Entry { hash, time: 0 }.to_bytes()).collect()
    }

    #[test]
    fn every_hash_is_in_its_bucket_whatever_the_distribution() {
        let spread = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for count in [0, 1, 2, 31, 32, 33, 1_000, 5_000] {
            let cases = [
                entries((0..count).map(spread)),
                // All in the first bucket, in the last one, and at both ends.
                entries(0..count),
                entries((0..count).map(|number| u64::MAX - number)),
                entries((0..count).map(|number| if number % 2 == 0 { number } else { u64::MAX - number })),
            ];
            for entries in cases {
                let buckets = Buckets::of(&entries);
                for (index, bytes) in entries.iter().enumerate() {
                    let (start, end) = buckets.range(Entry::from_bytes(bytes).hash);
                    assert!((start..end).contains(&index), "{index} of {count} is not in {start}..{end}");
                }
                for hash in [0, 1, spread(count), 1 << 63, u64::MAX - 1, u64::MAX] {
                    let (start, end) = buckets.range(hash);
                    let place = entries.partition_point(|bytes| Entry::from_bytes(bytes).hash < hash);
                    assert!(start <= place && place <= end, "{place} of {count} is not in {start}..={end}");
                }
            }
        }
    }
}
