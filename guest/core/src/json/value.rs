//! JSON values.

use alloc::{borrow::Cow, vec::Vec};

/// A JSON value. Strings without escapes are borrowed from the text.
#[derive(Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    /// An integer from 0 to 2^64 − 1.
    Unsigned(u64),
    /// Any other number, finite.
    Number(f64),
    String(Cow<'a, str>),
    Array(Vec<Value<'a>>),
    Object(Object<'a>),
    /// An object with duplicate members, with [`Duplicates::Mark`](super::reader::Duplicates::Mark).
    Ambiguous,
}

/// The members of a JSON object, in order. Each name occurs once.
#[derive(Debug, PartialEq)]
pub(crate) struct Object<'a>(pub(super) Vec<(Cow<'a, str>, Value<'a>)>);

impl<'a> Object<'a> {
    pub(crate) fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.0.iter().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Value<'a>)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }

    pub(super) fn has_duplicates(&self) -> bool {
        let names = || self.0.iter().map(|(name, _)| name.as_ref());
        // The names of a short object are compared pairwise. Those of a long one are sorted, which takes n log n also for an attacker's object.
        if self.0.len() <= 16 {
            let mut seen = 0u64;
            return names().enumerate().any(|(index, name)| {
                // Most names differ from all earlier ones in their length or in their first or last byte.
                let is_like_another = seen & likeness(name) != 0;
                seen |= likeness(name);
                is_like_another && names().take(index).any(|earlier| earlier == name)
            });
        }
        let mut sorted: Vec<&str> = names().collect();
        sorted.sort_unstable();
        !sorted.is_sorted_by(|earlier, later| earlier < later)
    }
}

/// Returns one of 64 bits, which is the same for equal names.
fn likeness(name: &str) -> u64 {
    let byte = |byte: Option<&u8>| byte.map_or(0, |byte| usize::from(*byte));
    let (first, last) = (byte(name.as_bytes().first()), byte(name.as_bytes().last()));
    1 << (name.len().wrapping_mul(9).wrapping_add(first.wrapping_mul(3)).wrapping_add(last) % 64)
}

impl Value<'_> {
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns whether an object in it, at any depth, has duplicate members.
    pub(crate) fn is_ambiguous(&self) -> bool {
        match self {
            Value::Ambiguous => true,
            Value::Array(values) => values.iter().any(Value::is_ambiguous),
            Value::Object(object) => object.iter().any(|(_, value)| value.is_ambiguous()),
            _ => false,
        }
    }
}
