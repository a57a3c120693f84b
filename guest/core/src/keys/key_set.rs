//! Parses a JWK Set (RFC 7517 section 5). A key that can't be used is skipped and reported; it does not affect the other keys.

use super::{
    jwk::Jwk,
    key_set_error::KeySetError,
    report::{KeyReport, SkippedKey},
};
use crate::{
    config::Limits,
    json::{self, Duplicates, Value},
    signature::{KeyError, PreparedKey},
};
use alloc::{boxed::Box, vec::Vec};
use hashbrown::{HashMap, hash_map::Entry};

/// A parsed JWK Set: prepared keys by key ID.
#[derive(Debug)]
pub struct KeySet {
    named: HashMap<Box<str>, Result<PreparedKey, KeyError>>,
    /// Keys without a `kid`. No token can refer to them, but a JWS may use the only key of a set.
    unnamed: Vec<PreparedKey>,
    skipped: Vec<SkippedKey>,
}

/// The result of looking up a key ID in a set.
#[derive(Debug)]
pub enum Found<'k> {
    /// A usable key.
    Key(&'k PreparedKey),
    /// A key that was skipped, because it can't be used.
    Rejected,
    /// No key has this ID.
    Unknown,
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
        Ok(set)
    }

    /// Looks up a key ID.
    pub fn find(&self, key_id: &str) -> Found<'_> {
        match self.named.get(key_id) {
            Some(Ok(key)) => Found::Key(key),
            Some(Err(_)) => Found::Rejected,
            None => Found::Unknown,
        }
    }

    /// Returns the usable key of a set that has exactly one, with or without a `kid`.
    pub fn only_key(&self) -> Option<&PreparedKey> {
        let mut keys = self.named.values().map(Result::as_ref).filter_map(Result::ok).chain(&self.unnamed);
        match (keys.next(), keys.next()) {
            (Some(key), None) => Some(key),
            _ => None,
        }
    }

    /// Returns the key of a set that has exactly one key without a `kid`, and none with one.
    pub fn only_unnamed_key(&self) -> Option<&PreparedKey> {
        match self.unnamed.as_slice() {
            [key] if self.named.is_empty() => Some(key),
            _ => None,
        }
    }

    /// Returns whether the set has a usable key with a `kid`.
    pub fn is_usable(&self) -> bool {
        self.named.values().any(Result::is_ok)
    }

    /// Returns the IDs of the usable keys, sorted, and the entries that are not used. The other fields of the report have their defaults.
    pub fn report(&self) -> KeyReport {
        let usable = self.named.iter().filter(|(_, key)| key.is_ok());
        let mut key_ids: Vec<Box<str>> = usable.map(|(name, _)| name.clone()).collect();
        key_ids.sort_unstable();
        KeyReport { key_ids, skipped: self.skipped.clone(), ..KeyReport::default() }
    }

    fn add(&mut self, index: u32, jwk: Jwk) {
        let (key_id, error) = match (jwk.key_id, jwk.key) {
            (Err(KeyError::NoKeyId), Ok(key)) => {
                self.unnamed.push(key);
                (None, KeyError::NoKeyId)
            }
            // A leaked private key is worse than a missing `kid`, so its error takes precedence.
            (Err(KeyError::NoKeyId), Err(error)) => (None, error),
            (Err(error), _) => (None, error),
            (Ok(name), key) => {
                let error = key.as_ref().err().copied();
                match self.named.entry(name.clone()) {
                    Entry::Occupied(_) => (Some(name), KeyError::DuplicateKeyId),
                    Entry::Vacant(entry) => {
                        entry.insert(key);
                        match error {
                            None => return,
                            Some(error) => (Some(name), error),
                        }
                    }
                }
            }
        };
        self.skipped.push(SkippedKey { index, key_id, error });
    }
}
