//! The key set that an endpoint currently uses, and its lifetimes.

#[cfg(feature = "ecdsa")]
use super::pem;
use super::{
    fetch::Response,
    jitter,
    key_set::{KeySet, NoKey, UnnamedKeys},
    key_set_error::KeySetError,
    monotonic_clock::Instant,
    report::{KeyReport, KeyState},
};
use crate::{
    config::{KeyPolicy, Limits},
    jwa::Algorithm,
    reason::Reason,
    signature::PreparedKey,
};
use alloc::boxed::Box;
use sha2::{Digest, Sha256};

/// The maximum length of a stored `ETag`, in bytes.
const ETAG_LIMIT: usize = 256;

#[derive(Debug)]
pub(super) struct CurrentKeySet {
    set: KeySet,
    /// SHA-256 of the response body. It shows whether a fetch returned the same key set.
    digest: [u8; 32],
    etag: Option<Box<str>>,
    lifetime: Lifetime,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Lifetime {
    /// When the set was fetched, by the wall clock.
    fetched_at: u64,
    /// The same, by the monotonic clock.
    obtained: Instant,
    /// The end of the soft lifetime.
    refresh_at: Instant,
    /// The end of the hard lifetime.
    expires: Instant,
}

/// The format of a response body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyFormat {
    /// A JWK Set.
    JwkSet,
    /// One key in PEM.
    #[cfg(feature = "ecdsa")]
    Pem,
}

/// Whether keys within their hard lifetime are past their soft lifetime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    Fresh,
    Stale,
}

impl KeyFormat {
    fn parse(self, body: &[u8], limits: &Limits) -> Result<KeySet, KeySetError> {
        match self {
            Self::JwkSet => KeySet::parse(body, limits),
            #[cfg(feature = "ecdsa")]
            Self::Pem => pem::parse(body, limits),
        }
    }
}

impl Freshness {
    pub(crate) fn is_stale(self) -> bool {
        self == Self::Stale
    }
}

/// Why there is no key for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyLookupError {
    /// A fetch may find one.
    Missing(MissingKey),
    /// The token is rejected without a fetch.
    Final(Reason),
}

/// Why a key is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MissingKey {
    /// There is no key set, or it has expired or has no usable key.
    NoKeySet,
    /// The key set has no key with this ID.
    UnknownKeyId,
    /// The key set has a key with this ID, but the key was rejected.
    RejectedKey,
}

impl From<MissingKey> for KeyLookupError {
    fn from(missing: MissingKey) -> Self {
        Self::Missing(missing)
    }
}

impl Lifetime {
    /// `number` is the endpoint's, for the jitter.
    pub(super) fn new(
        policy: &KeyPolicy,
        number: usize,
        generation: u64,
        max_age: Option<u64>,
        obtained: Instant,
        fetched_at: u64,
    ) -> Self {
        let soft_ttl = policy.soft_ttl(max_age);
        Self {
            fetched_at,
            obtained,
            refresh_at: obtained.after(jitter::refresh_delay(policy, number, soft_ttl, generation)),
            expires: obtained.after(policy.hard_ttl.into()),
        }
    }
}

impl CurrentKeySet {
    /// Applies a response to the current key set, and returns whether the keys have changed. On an error, nothing changes.
    pub(super) fn update(
        current: &mut Option<Self>,
        response: &Response<'_>,
        lifetime: Lifetime,
        limits: &Limits,
        format: KeyFormat,
        unnamed: UnnamedKeys,
    ) -> Result<bool, KeySetError> {
        if current.as_ref().is_some_and(|current| current.lifetime.obtained > lifetime.obtained) {
            return Err(KeySetError::OlderThanCurrent);
        }
        let etag = response.etag.filter(|etag| etag.len() <= ETAG_LIMIT).map(Into::into);
        let Some(body) = response.body else {
            // 304: the same keys as before.
            let current = current.as_mut().ok_or(KeySetError::NotModifiedWithoutKeys)?;
            current.etag = etag.or(current.etag.take());
            current.lifetime = lifetime;
            return Ok(false);
        };
        let digest = Sha256::digest(body).into();
        if let Some(current) = current.as_mut().filter(|current| current.digest == digest) {
            current.etag = etag;
            current.lifetime = lifetime;
            return Ok(false);
        }
        let set = format.parse(body, limits)?;
        let is_in_use = |current: &Self| current.is_usable(unnamed) && lifetime.obtained < current.lifetime.expires;
        if !set.is_usable(unnamed) && current.as_ref().is_some_and(is_in_use) {
            return Err(KeySetError::NoUsableKey);
        }
        *current = Some(Self { set, digest, etag, lifetime });
        Ok(true)
    }

    /// Returns the key for a token. The caller has checked that the set has not expired.
    pub(super) fn find(
        &self,
        key_id: Option<&str>,
        algorithm: Algorithm,
        unnamed: UnnamedKeys,
    ) -> Result<&PreparedKey, KeyLookupError> {
        self.set.find(key_id, algorithm, unnamed).map_err(|error| match error {
            NoKey::Rejected => MissingKey::RejectedKey.into(),
            NoKey::UnknownKeyId if self.is_usable(unnamed) => MissingKey::UnknownKeyId.into(),
            NoKey::UnknownKeyId => MissingKey::NoKeySet.into(),
            // There is no name for the negative cache, so a fetch for such a token would be a fetch for each of them.
            NoKey::NoKeyId => KeyLookupError::Final(Reason::KeyIdMissing),
            NoKey::Ambiguous => KeyLookupError::Final(Reason::KeyAmbiguous),
            NoKey::OtherAlgorithm => KeyLookupError::Final(Reason::AlgorithmMismatch),
        })
    }

    /// Checks whether the set has a usable key with this ID.
    pub(super) fn has(&self, key_id: &str, unnamed: UnnamedKeys) -> Result<(), NoKey> {
        self.set.has(key_id, unnamed)
    }

    /// Returns `None` if the set is past its hard lifetime.
    pub(super) fn freshness(&self, now: Instant) -> Option<Freshness> {
        let freshness = if now >= self.lifetime.refresh_at { Freshness::Stale } else { Freshness::Fresh };
        (now < self.lifetime.expires).then_some(freshness)
    }

    /// Returns whether a token can be verified with at least one key of the set.
    pub(super) fn is_usable(&self, unnamed: UnnamedKeys) -> bool {
        self.set.is_usable(unnamed)
    }

    pub(super) fn etag(&self) -> Option<&str> {
        self.etag.as_deref()
    }

    /// Returns the end of the soft lifetime.
    pub(super) fn refresh_at(&self) -> Instant {
        self.lifetime.refresh_at
    }

    /// Returns the part of the report that concerns the set. If the keys are never fetched, they don't become stale.
    pub(super) fn report(&self, now: Instant, is_fetched: bool, unnamed: UnnamedKeys) -> KeyReport {
        KeyReport {
            state: match self.freshness(now) {
                None => KeyState::Expired,
                Some(Freshness::Stale) if is_fetched => KeyState::Stale,
                Some(_) => KeyState::Fresh,
            },
            fetched_at: Some(self.lifetime.fetched_at),
            age: Some(now.since(self.lifetime.obtained)),
            ..self.set.report(unnamed)
        }
    }
}
