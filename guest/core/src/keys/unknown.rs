//! Key IDs for which no key was found: remembered for a while, so that asking again and again fetches nothing.

use super::monotonic_clock::Instant;
use alloc::{boxed::Box, collections::VecDeque, sync::Arc};
use core::hash::Hash;
use hashbrown::{Equivalent, HashMap};

/// Bounded: who comes when it is full takes the endpoint of the oldest.
#[derive(Debug)]
pub(crate) struct UnknownKeys {
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

impl UnknownKeys {
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

    /// It may be there after all.
    pub(crate) fn doubt(&mut self, endpoint: usize, key_id: &str, now: Instant) {
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
    use super::*;
    use crate::keys::monotonic_clock::MonotonicClock;
    use alloc::string::ToString;

    #[test]
    fn it_holds_no_more_than_its_limit_and_forgets_the_oldest() {
        let now = MonotonicClock::new().advance(0);
        let mut unknown = UnknownKeys::new(3);
        for number in 0..10 {
            unknown.insert(0, &number.to_string(), now.after(60));
            unknown.insert(0, "9", now.after(60));
            assert!(unknown.len() <= 3 && unknown.oldest_first.len() == unknown.len());
        }
        assert!(unknown.contains(0, "9", now) && !unknown.contains(0, "1", now));
        assert!(!unknown.contains(1, "9", now), "another endpoint has keys of its own");
        assert!(!unknown.contains(0, "9", now.after(60)), "a minute is over");
    }

    #[test]
    fn one_that_is_in_doubt_is_not_unknown_until_it_is_looked_for_again() {
        let now = MonotonicClock::new().advance(0);
        let mut unknown = UnknownKeys::new(3);
        unknown.insert(0, "a", now.after(60));
        unknown.doubt(1, "a", now);
        assert!(unknown.contains(0, "a", now));
        unknown.doubt(0, "a", now);
        assert!(!unknown.contains(0, "a", now));
        unknown.insert(0, "a", now.after(60));
        assert!(unknown.contains(0, "a", now) && unknown.len() == 1);
    }

    #[test]
    fn a_limit_of_nothing_holds_nothing() {
        let now = MonotonicClock::new().advance(0);
        let mut unknown = UnknownKeys::new(0);
        unknown.insert(0, "a", now.after(60));
        assert!(!unknown.contains(0, "a", now) && unknown.len() == 0);
    }
}
