//! Parses a JWK Set (RFC 7517 section 5), and chooses the key of a token. A key that can't be used is skipped and reported; it does not affect
//! the other keys.

use super::{
    jwk::Jwk,
    key_set_error::KeySetError,
    report::{KeyReport, SkippedKey},
};
use crate::{
    config::Limits,
    json::{self, Duplicates, Value},
    jwa::Algorithm,
    signature::{KeyError, LocatedKeyError, PreparedKey},
};
#[cfg(feature = "ecdsa")]
use alloc::vec;
use alloc::{boxed::Box, vec::Vec};
use hashbrown::HashMap;

/// A parsed JWK Set: prepared keys by key ID.
#[derive(Debug)]
pub struct KeySet {
    named: HashMap<Box<str>, KeysOfId>,
    /// Usable keys without a `kid`.
    unnamed: Vec<Numbered>,
    /// Sorted by index.
    skipped: Vec<SkippedKey>,
}

/// The keys that have the same `kid`. RFC 7517 section 4.5 allows several, for example with different `kty`.
#[derive(Debug, Default)]
struct KeysOfId {
    usable: Vec<Numbered>,
    /// Whether at least one algorithm has exactly one key.
    is_usable: bool,
}

/// A key, and its index in the set.
#[derive(Debug)]
struct Numbered {
    index: u32,
    key: PreparedKey,
}

/// Whether keys without a `kid`, and tokens without one, are accepted. The tokens and the keys of a user pool always have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnnamedKeys {
    /// A token without a `kid` is verified with the only key that fits its algorithm. If the only usable key of a set has no `kid`, every token
    /// is verified with it.
    Accepted,
    /// Every key and every token needs a `kid`.
    Rejected,
}

/// Why a set has no key for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoKey {
    /// No key has this ID.
    UnknownKeyId,
    /// A key with this ID was skipped, because it can't be used.
    Rejected,
    /// Several different keys with this ID fit the algorithm.
    Ambiguous,
    /// The keys with this ID are for other algorithms.
    OtherAlgorithm,
    /// The token has no key ID, and not exactly one key fits.
    NoKeyId,
}

impl KeySet {
    /// Parses a JWK Set.
    ///
    /// # Errors
    /// [`KeySetError::TooLarge`] and [`KeySetError::TooManyKeys`] if the set exceeds a limit, [`KeySetError::Malformed`],
    /// [`KeySetError::DuplicateMember`] (outside the keys), and [`KeySetError::NoUsableKey`] for a set without entries.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, KeySetError> {
        if bytes.len() > limits.jwks_bytes as usize {
            return Err(KeySetError::TooLarge);
        }
        let object = json::parse_object(bytes, limits.json_depth, Duplicates::Mark).map_err(|error| match error {
            json::ParseError::DuplicateMember => KeySetError::DuplicateMember,
            json::ParseError::Malformed | json::ParseError::TooDeep | json::ParseError::TrailingBytes => {
                KeySetError::Malformed
            }
        })?;
        if object.iter().any(|(name, value)| name != "keys" && value.is_ambiguous()) {
            return Err(KeySetError::DuplicateMember);
        }
        let Some(Value::Array(entries)) = object.get("keys") else {
            return Err(KeySetError::Malformed);
        };
        if entries.len() > limits.jwks_keys as usize {
            return Err(KeySetError::TooManyKeys);
        }
        if entries.is_empty() {
            return Err(KeySetError::NoUsableKey);
        }
        let mut set = Self { named: HashMap::new(), unnamed: Vec::new(), skipped: Vec::new() };
        for (index, entry) in (0..).zip(entries) {
            set.add(index, Jwk::parse(entry));
        }
        set.report_ambiguous_keys();
        Ok(set)
    }

    /// Returns a set with one key, without a `kid`.
    #[cfg(feature = "ecdsa")]
    pub(super) fn of_one(key: PreparedKey) -> Self {
        Self { named: HashMap::new(), unnamed: vec![Numbered { index: 0, key }], skipped: Vec::new() }
    }

    /// Finds the key for a token with this `kid` and `alg`. The order of the keys in the set never matters.
    ///
    /// # Errors
    /// See [`NoKey`].
    pub fn find(
        &self,
        key_id: Option<&str>,
        algorithm: Algorithm,
        unnamed: UnnamedKeys,
    ) -> Result<&PreparedKey, NoKey> {
        let Some(key_id) = key_id else {
            return match unnamed {
                UnnamedKeys::Accepted => self.find_without_key_id(algorithm),
                UnnamedKeys::Rejected => Err(NoKey::NoKeyId),
            };
        };
        self.has(key_id, unnamed)?;
        let keys = match self.named.get(key_id) {
            Some(named) => &named.usable,
            None => &self.unnamed,
        };
        match only(keys, algorithm) {
            Ok(Some(key)) => Ok(key),
            Ok(None) => Err(NoKey::OtherAlgorithm),
            Err(Ambiguous) => Err(NoKey::Ambiguous),
        }
    }

    /// Checks whether the set has a usable key for a `kid`, whatever its algorithm.
    pub(super) fn has(&self, key_id: &str, unnamed: UnnamedKeys) -> Result<(), NoKey> {
        match self.named.get(key_id) {
            Some(named) if named.usable.is_empty() => Err(NoKey::Rejected),
            Some(_) => Ok(()),
            None if unnamed == UnnamedKeys::Accepted && self.has_only_unnamed_key() => Ok(()),
            None => Err(NoKey::UnknownKeyId),
        }
    }

    /// Returns whether a token can be verified with at least one key.
    pub fn is_usable(&self, unnamed: UnnamedKeys) -> bool {
        let is_usable = self.named.values().any(|named| named.is_usable);
        is_usable || unnamed == UnnamedKeys::Accepted && !self.unnamed.is_empty()
    }

    /// Returns the IDs of the usable keys, sorted, with an empty text for keys without a `kid`; and the entries that are not used. The other
    /// fields of the report have their defaults.
    pub fn report(&self, unnamed: UnnamedKeys) -> KeyReport {
        let usable = self.named.iter().filter(|(_, named)| named.is_usable);
        let mut names: Vec<&str> = usable.map(|(name, _)| name.as_ref()).collect();
        if unnamed == UnnamedKeys::Accepted && !self.unnamed.is_empty() {
            names.push("");
        }
        names.sort_unstable();
        let key_ids = names.into_iter().map(Into::into).collect();
        let mut skipped = self.skipped.clone();
        if unnamed == UnnamedKeys::Rejected {
            let unused = self.unnamed.iter().map(|numbered| skip(numbered.index, None, KeyError::NoKeyId.into()));
            skipped.extend(unused);
            skipped.sort_by_key(|key| key.index);
        }
        KeyReport { key_ids, skipped, ..KeyReport::default() }
    }

    fn find_without_key_id(&self, algorithm: Algorithm) -> Result<&PreparedKey, NoKey> {
        let all = || self.named.values().flat_map(|named| &named.usable).chain(&self.unnamed);
        match only(all(), algorithm) {
            Ok(Some(key)) => Ok(key),
            Ok(None) if all().count() == 1 => Err(NoKey::OtherAlgorithm),
            Ok(None) | Err(Ambiguous) => Err(NoKey::NoKeyId),
        }
    }

    fn has_only_unnamed_key(&self) -> bool {
        let is_one =
            self.unnamed.first().is_some_and(|first| self.unnamed.iter().all(|other| other.key.is_same(&first.key)));
        is_one && self.named.values().all(|named| named.usable.is_empty())
    }

    fn add(&mut self, index: u32, jwk: Jwk) {
        match (jwk.key_id, jwk.key) {
            (Ok(Some(name)), Ok(key)) => {
                self.named.entry(name).or_default().usable.push(Numbered { index, key });
            }
            (Ok(Some(name)), Err(fault)) => {
                self.named.entry(name.clone()).or_default();
                self.skipped.push(skip(index, Some(name), fault));
            }
            (Ok(None), Ok(key)) => self.unnamed.push(Numbered { index, key }),
            (Ok(None), Err(fault)) | (Err(fault), _) => self.skipped.push(skip(index, None, fault)),
        }
    }

    /// Finds the keys of each `kid` between which no algorithm can choose, and adds them to the report.
    fn report_ambiguous_keys(&mut self) {
        for (name, named) in &mut self.named {
            let mut ambiguous: Vec<u32> = Vec::new();
            for algorithm in Algorithm::ALL {
                match only(&named.usable, algorithm) {
                    Ok(None) => {}
                    Ok(Some(_)) => named.is_usable = true,
                    Err(Ambiguous) => {
                        let fitting = named.usable.iter().filter(|numbered| numbered.key.is_for(algorithm));
                        ambiguous.extend(fitting.map(|numbered| numbered.index));
                    }
                }
            }
            ambiguous.sort_unstable();
            ambiguous.dedup();
            let skipped = ambiguous.into_iter();
            self.skipped
                .extend(skipped.map(|index| skip(index, Some(name.clone()), KeyError::DuplicateKeyId.of("kid"))));
        }
        self.skipped.sort_by_key(|key| key.index);
    }
}

/// Several different keys fit.
struct Ambiguous;

/// Returns the only key that fits an algorithm. The same key, published several times, counts once.
fn only<'k>(
    keys: impl IntoIterator<Item = &'k Numbered>,
    algorithm: Algorithm,
) -> Result<Option<&'k PreparedKey>, Ambiguous> {
    let mut fitting = keys.into_iter().map(|numbered| &numbered.key).filter(|key| key.is_for(algorithm));
    let Some(first) = fitting.next() else {
        return Ok(None);
    };
    if fitting.all(|key| key.is_same(first)) { Ok(Some(first)) } else { Err(Ambiguous) }
}

fn skip(index: u32, key_id: Option<Box<str>>, fault: LocatedKeyError) -> SkippedKey {
    SkippedKey { index, key_id, error: fault.error, member: fault.member }
}
