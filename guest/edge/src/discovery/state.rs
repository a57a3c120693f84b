//! What is known of the document and the key URL of one issuer.

use super::key_url::KeyUrl;

/// The lifetime of a document, in seconds. `Cache-Control` can shorten it.
const LIFETIME: u64 = 86_400;
/// The time between two requests for a document, in seconds: after a failure, and after the key URL was not found.
const ASK_AGAIN: u64 = 300;

#[derive(Debug, Default)]
pub(super) struct State {
    document: Option<Current>,
    /// The key URL of a newer document, while the keys of the earlier URL are in use.
    pending: Option<Pending>,
    /// Whether a key set of the URL in use was accepted. Before that, a newer document replaces the URL at once.
    has_keys: bool,
    /// When the document was last asked for, in seconds since the Unix epoch.
    asked_at: Option<u64>,
}

/// The document in use.
#[derive(Debug)]
struct Current {
    key_url: KeyUrl,
    fetched_at: u64,
    lifetime: u64,
}

#[derive(Debug)]
struct Pending {
    key_url: KeyUrl,
    /// Whether its key set has no usable key. It is then not fetched again before the next document.
    is_rejected: bool,
}

/// What a key set that was fetched from a URL has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Nothing,
    /// The new key URL is in use from now on.
    Moved,
    /// The new key URL has no usable key, and the earlier one stays in use.
    NewUrlRejected,
}

impl State {
    pub(super) fn has_document(&self) -> bool {
        self.document.is_some()
    }

    /// Returns whether the document must be refreshed, and records that it is.
    pub(super) fn starts_refresh(&mut self, now: u64) -> bool {
        let is_old = self.document.as_ref().is_some_and(|it| elapsed(it.fetched_at, now) >= it.lifetime);
        is_old && self.may_ask(now)
    }

    /// Returns whether enough time has passed since the document was last asked for, and records the request.
    pub(super) fn may_ask(&mut self, now: u64) -> bool {
        let may_ask = self.asked_at.is_none_or(|asked_at| elapsed(asked_at, now) >= ASK_AGAIN);
        if may_ask {
            self.asked(now);
        }
        may_ask
    }

    /// Records that the document is asked for.
    pub(super) fn asked(&mut self, now: u64) {
        self.asked_at = Some(now);
    }

    /// Takes over a new document. If keys are in use, a changed key URL waits until its key set has been judged.
    pub(super) fn replace(&mut self, key_url: KeyUrl, max_age: Option<u64>, min_lifetime: u64, now: u64) {
        let lifetime = max_age.unwrap_or(LIFETIME).max(min_lifetime).min(LIFETIME);
        let in_use = self.document.take().map(|current| current.key_url).filter(|_| self.has_keys);
        self.pending = None;
        let key_url = match in_use {
            Some(in_use) if in_use != key_url => {
                self.pending = Some(Pending { key_url, is_rejected: false });
                in_use
            }
            _ => key_url,
        };
        self.document = Some(Current { key_url, fetched_at: now, lifetime });
    }

    /// Records whether the key set that was fetched from a URL has a usable key, and is in use. Only then a changed key URL takes effect.
    pub(super) fn judged(&mut self, key_url: &KeyUrl, is_usable: bool) -> Change {
        if let Some(pending) = self.pending.as_mut().filter(|pending| pending.key_url == *key_url) {
            pending.is_rejected = !is_usable;
            if !is_usable {
                return Change::NewUrlRejected;
            }
            self.pending = None;
            if let Some(current) = &mut self.document {
                current.key_url = key_url.clone();
            }
            return Change::Moved;
        }
        // A newer document may have replaced the URL meanwhile.
        let is_in_use = self.document.as_ref().is_some_and(|current| current.key_url == *key_url);
        self.has_keys |= is_usable && is_in_use;
        Change::Nothing
    }

    /// Returns the key URL of a newer document, if its key set may still be usable.
    pub(super) fn pending_url(&self) -> Option<KeyUrl> {
        self.pending.as_ref().filter(|pending| !pending.is_rejected).map(|pending| pending.key_url.clone())
    }

    /// Returns the key URL in use, and whether keys were fetched from it.
    pub(super) fn url_in_use(&self) -> Option<(KeyUrl, bool)> {
        self.document.as_ref().map(|current| (current.key_url.clone(), self.has_keys))
    }

    /// Returns the key URL of the newest document, if it is another one.
    pub(super) fn other_url(&self, than: &KeyUrl) -> Option<KeyUrl> {
        let newest = self.pending_url().or_else(|| self.url_in_use().map(|(key_url, _)| key_url));
        newest.filter(|key_url| key_url != than)
    }
}

/// Returns the seconds between two times. A clock that is set back counts as time that has passed, so that no document is used for ever.
fn elapsed(since: u64, now: u64) -> u64 {
    now.abs_diff(since)
}
