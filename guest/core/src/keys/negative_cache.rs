//! The negative cache: key IDs that no key set has. While a key ID is in it, tokens with that `kid` cause no fetch.

use super::monotonic_clock::Instant;
use alloc::{boxed::Box, collections::VecDeque, sync::Arc};
use core::hash::Hash;
use hashbrown::{Equivalent, HashMap};

/// A bounded set of key IDs. When it is full, a new one replaces the oldest.
#[derive(Debug)]
pub(crate) struct NegativeCache {
    until: HashMap<Arc<Name>, Instant>,
    oldest_first: VecDeque<Arc<Name>>,
    limit: usize,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Name {
    endpoint: usize,
    key_id: Box<str>,
}

#[derive(Hash)]
struct NameRef<'a> {
    endpoint: usize,
    key_id: &'a str,
}

impl Equivalent<Arc<Name>> for NameRef<'_> {
    fn equivalent(&self, name: &Arc<Name>) -> bool {
        self.endpoint == name.endpoint && *self.key_id == *name.key_id
    }
}

impl NegativeCache {
    pub(crate) fn new(limit: u32) -> Self {
        Self { until: HashMap::new(), oldest_first: VecDeque::new(), limit: limit as usize }
    }

    pub(crate) fn contains(&self, endpoint: usize, key_id: &str, now: Instant) -> bool {
        self.until.get(&NameRef { endpoint, key_id }).is_some_and(|until| now < *until)
    }

    pub(crate) fn insert(&mut self, endpoint: usize, key_id: &str, until: Instant) {
        if let Some(known) = self.until.get_mut(&NameRef { endpoint, key_id }) {
            *known = until;
            return;
        }
        if self.oldest_first.len() >= self.limit
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.until.remove(&oldest);
        }
        if self.limit > 0 {
            let name = Arc::new(Name { endpoint, key_id: key_id.into() });
            self.oldest_first.push_back(Arc::clone(&name));
            self.until.insert(name, until);
        }
    }

    /// Lets an entry expire, because the key may have been published since.
    pub(crate) fn expire(&mut self, endpoint: usize, key_id: &str, now: Instant) {
        if let Some(until) = self.until.get_mut(&NameRef { endpoint, key_id }) {
            *until = now;
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.until.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::monotonic_clock::MonotonicClock;
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn it_holds_no_more_than_its_limit_and_evicts_the_oldest() {
        let now = MonotonicClock::new().advance(0);
        let mut cache = NegativeCache::new(3);
        for number in 0..10 {
            cache.insert(0, &number.to_string(), now.after(60));
            cache.insert(0, "9", now.after(60));
            assert!(cache.len() <= 3 && cache.oldest_first.len() == cache.len());
        }
        assert!(cache.contains(0, "9", now) && !cache.contains(0, "1", now));
        assert!(!cache.contains(1, "9", now), "another endpoint has its own keys");
        assert!(!cache.contains(0, "9", now.after(60)), "a minute is over");
    }

    #[test]
    fn an_expired_entry_is_not_found_until_it_is_inserted_again() {
        let now = MonotonicClock::new().advance(0);
        let mut cache = NegativeCache::new(3);
        cache.insert(0, "a", now.after(60));
        cache.expire(1, "a", now);
        assert!(cache.contains(0, "a", now));
        cache.expire(0, "a", now);
        assert!(!cache.contains(0, "a", now));
        cache.insert(0, "a", now.after(60));
        assert!(cache.contains(0, "a", now) && cache.len() == 1);
    }

    #[test]
    fn with_a_limit_of_zero_it_holds_nothing() {
        let now = MonotonicClock::new().advance(0);
        let mut cache = NegativeCache::new(0);
        cache.insert(0, "a", now.after(60));
        assert!(!cache.contains(0, "a", now) && cache.len() == 0);
    }
}
