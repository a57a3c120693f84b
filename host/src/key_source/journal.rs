//! What every instance must have been told of keys, in order: the ends of fetches, and seeds.
//!
//! The instances are replicas of one state machine. Each is told what it missed before its next call, so that a key which
//! one of them learns is gone is gone for all. Of old entries only those are kept that a new instance needs.

use crate::bindings::poolgate::auth::key_source::{FetchError, KeyResponse};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};
use tokio::sync::watch;

/// How many ends of fetches from one URL are kept besides the last whose keys were taken: enough for the core's back-off and its
/// token bucket to be what they are in an older instance.
const KEPT_FETCHES: usize = 16;

/// An entry.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) event: Event,
    /// Whether an instance has said what it makes of it.
    pub(crate) is_judged: AtomicBool,
}

impl Entry {
    fn new(event: Event) -> Self {
        Self { event, is_judged: AtomicBool::new(false) }
    }
}

#[derive(Debug)]
pub(crate) enum Event {
    Fetched { url: Arc<str>, key_id: Option<String>, ended_at: u64, outcome: Result<KeyResponse, FetchError> },
    Seeded(Seed),
}

/// A JWK Set that no fetch brought.
#[derive(Debug)]
pub(crate) struct Seed {
    pub(crate) issuer: String,
    pub(crate) jwks: Vec<u8>,
    pub(crate) fetched_at: u64,
}

#[derive(Debug)]
pub(crate) struct Journal {
    /// The number of the last entry. An instance that has seen it has missed nothing.
    last: AtomicU64,
    pages: Mutex<Pages>,
    news: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Pages {
    entries: BTreeMap<u64, Arc<Entry>>,
    fetches: HashMap<Arc<str>, Fetches>,
    seeds: HashMap<String, u64>,
}

/// The numbers of a URL's entries.
#[derive(Debug, Default)]
struct Fetches {
    recent: VecDeque<u64>,
    /// The last whose keys were taken.
    taken: Option<u64>,
}

impl Journal {
    pub(crate) fn new() -> Self {
        Self { last: AtomicU64::new(0), pages: Mutex::default(), news: watch::channel(0).0 }
    }

    pub(crate) fn push(&self, event: Event) {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.last.load(Ordering::Relaxed) + 1;
        pages.make_room(&event, number);
        pages.entries.insert(number, Arc::new(Entry::new(event)));
        self.last.store(number, Ordering::Release);
        drop(pages);
        self.news.send_replace(number);
    }

    /// The number of the last entry.
    pub(crate) fn last(&self) -> u64 {
        self.last.load(Ordering::Acquire)
    }

    /// The entries after a number.
    pub(crate) fn after(&self, number: u64) -> Vec<(u64, Arc<Entry>)> {
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.entries.range(number + 1..).map(|(number, entry)| (*number, Arc::clone(entry))).collect()
    }

    /// The number of the last end of a fetch from a URL; 0 if there was none.
    pub(crate) fn last_fetch(&self, url: &str) -> u64 {
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.fetches.get(url).and_then(|fetches| fetches.recent.back()).copied().unwrap_or(0)
    }

    /// Notes that the keys of a fetch were taken: they are kept until others are.
    pub(crate) fn keys_were_taken(&self, url: &str, number: u64) {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(fetches) = pages.fetches.get_mut(url).filter(|fetches| fetches.taken < Some(number)) else {
            return;
        };
        let earlier = fetches.taken.replace(number).filter(|earlier| !fetches.recent.contains(earlier));
        if let Some(earlier) = earlier {
            pages.entries.remove(&earlier);
        }
    }

    /// Takes out what made an instance fail, for it would make them all fail: the others are told that nothing came.
    pub(crate) fn disarm(&self, number: u64) {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(entry) = pages.entries.remove(&number) else {
            return;
        };
        if let Event::Fetched { url, key_id, ended_at, .. } = &entry.event {
            let (url, key_id, outcome) = (Arc::clone(url), key_id.clone(), Err(FetchError::TooLarge));
            let harmless = Entry::new(Event::Fetched { url, key_id, ended_at: *ended_at, outcome });
            pages.entries.insert(number, Arc::new(harmless));
        }
    }

    /// Waits for the end of a fetch from a URL, after an entry.
    pub(crate) async fn wait_for_fetch(&self, url: &str, number: u64) {
        let _ = self.news.subscribe().wait_for(|_| self.last_fetch(url) > number).await;
    }

    /// Waits for an entry after a number.
    pub(crate) async fn wait_beyond(&self, number: u64) {
        // It fails only without a sender, and the sender is ours.
        let _ = self.news.subscribe().wait_for(|last| *last > number).await;
    }
}

impl Pages {
    /// Forgets what the new entry makes needless.
    fn make_room(&mut self, event: &Event, number: u64) {
        match event {
            Event::Seeded(seed) => {
                if let Some(earlier) = self.seeds.insert(seed.issuer.clone(), number) {
                    self.entries.remove(&earlier);
                }
            }
            Event::Fetched { url, .. } => {
                let fetches = self.fetches.entry(Arc::clone(url)).or_default();
                fetches.recent.push_back(number);
                let oldest = if fetches.recent.len() > KEPT_FETCHES { fetches.recent.pop_front() } else { None };
                if let Some(oldest) = oldest.filter(|oldest| fetches.taken != Some(*oldest)) {
                    self.entries.remove(&oldest);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://example.com/";

    fn fetched(outcome: Result<KeyResponse, FetchError>) -> Event {
        Event::Fetched { url: URL.into(), key_id: None, ended_at: 0, outcome }
    }

    fn keys() -> Event {
        fetched(Ok(KeyResponse { body: Some(b"{}".to_vec()), max_age: None, etag: None }))
    }

    #[test]
    fn what_a_new_instance_needs_is_kept_and_no_more() {
        let journal = Journal::new();
        journal.push(keys());
        journal.keys_were_taken(URL, 1);
        for _ in 0..100 {
            // Bodies that are no key sets, too: nobody takes them.
            journal.push(keys());
            journal.push(fetched(Err(FetchError::Unreachable)));
        }
        let entries = journal.after(0);
        assert_eq!(entries.len(), KEPT_FETCHES + 1);
        assert_eq!(entries.first().map(|(number, _)| *number), Some(1), "the last keys that were taken, however old");
        journal.push(keys());
        journal.keys_were_taken(URL, journal.last());
        assert_eq!(journal.after(0).len(), KEPT_FETCHES, "the new keys are in the place of the old");
        assert_eq!(journal.last_fetch(URL), journal.last());
    }

    #[test]
    fn what_made_an_instance_fail_is_told_to_no_other() {
        let journal = Journal::new();
        journal.push(keys());
        journal.push(Event::Seeded(Seed { issuer: "a".into(), jwks: Vec::new(), fetched_at: 0 }));
        (1..=3).for_each(|number| journal.disarm(number));
        let entries = journal.after(0);
        assert!(
            matches!(&entries[..], [(1, entry)]
                if matches!(entry.event, Event::Fetched { outcome: Err(FetchError::TooLarge), .. })),
            "{entries:?}"
        );
    }

    #[test]
    fn one_seed_of_an_issuer_is_kept() {
        let journal = Journal::new();
        for fetched_at in 0..10 {
            for issuer in ["a", "b"] {
                journal.push(Event::Seeded(Seed { issuer: issuer.into(), jwks: Vec::new(), fetched_at }));
            }
        }
        assert_eq!(journal.after(0).iter().map(|(number, _)| *number).collect::<Vec<_>>(), [19, 20]);
    }
}
