//! A JWK Set (RFC 7517 section 5): a bad key is skipped and reported, and never takes the others with it.

use super::{KeyError, KeyReport, KeySetError, SkippedKey, jwk::Jwk};
use crate::{
    Limits,
    json::{self, Duplicates, Value},
    signature::PreparedKey,
};
use alloc::{boxed::Box, vec::Vec};
use hashbrown::{HashMap, hash_map::Entry};

/// Prepared keys by key ID.
#[derive(Debug)]
pub struct KeySet {
    named: HashMap<Box<str>, Result<PreparedKey, KeyError>>,
    /// Keys without a `kid`: no token can name them, but a plain JWS may mean the only one there is.
    unnamed: Vec<PreparedKey>,
    skipped: Vec<SkippedKey>,
}

/// What a set has under a key ID.
#[derive(Debug)]
pub enum Found<'k> {
    /// A key that may verify.
    Key(&'k PreparedKey),
    /// A key that was skipped.
    Refused,
    /// Nothing.
    Nothing,
}

impl KeySet {
    /// Reads a JWK Set within the limits of size, depth and count.
    ///
    /// # Errors
    /// [`KeySetError::TooLarge`], [`KeySetError::Malformed`], [`KeySetError::DuplicateMember`] (outside the keys),
    /// [`KeySetError::TooManyKeys`], and [`KeySetError::NoUsableKey`] for a set without entries.
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

    /// The key of this ID.
    pub fn find(&self, key_id: &str) -> Found<'_> {
        match self.named.get(key_id) {
            Some(Ok(key)) => Found::Key(key),
            Some(Err(_)) => Found::Refused,
            None => Found::Nothing,
        }
    }

    /// The only usable key of the set, named or not.
    pub fn only_key(&self) -> Option<&PreparedKey> {
        let mut keys = self.named.values().map(Result::as_ref).filter_map(Result::ok).chain(&self.unnamed);
        match (keys.next(), keys.next()) {
            (Some(key), None) => Some(key),
            _ => None,
        }
    }

    /// The key of a set that has no named ones and just this one without a name.
    pub fn only_unnamed_key(&self) -> Option<&PreparedKey> {
        match self.unnamed.as_slice() {
            [key] if self.named.is_empty() => Some(key),
            _ => None,
        }
    }

    /// Whether a token can name one of its keys.
    pub fn is_usable(&self) -> bool {
        self.named.values().any(Result::is_ok)
    }

    /// The IDs of the keys that may verify, sorted, and the entries that are not used. Where the set came from is for its
    /// holder to add.
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
            // A leaked private key is worse news than a error name.
            (Err(KeyError::NoKeyId), Err(error)) => (None, error),
            (Err(error), _) => (None, error),
            (Ok(name), key) => {
                let error = key.as_ref().err().copied();
                match self.named.entry(name.clone()) {
                    Entry::Occupied(_) => (Some(name), KeyError::DuplicateKeyId),
                    Entry::Vacant(endpoint) => {
                        endpoint.insert(key);
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
