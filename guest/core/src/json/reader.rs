//! Reads a JSON value from serde_json, and rejects what serde_json accepts but this parser must not.

use super::value::{Object, Value};
use alloc::{borrow::Cow, string::String, vec::Vec};
use core::{cell::Cell, fmt};
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

/// Why a text is not one strict JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// It is not JSON, or not an object.
    Malformed,
    /// An object has two members of the same name.
    DuplicateMember,
    /// It is nested deeper than the limit.
    TooDeep,
    /// Something follows the object.
    TrailingBytes,
}

impl ParseError {
    /// Returns a description, as a sentence without a full stop.
    pub fn text(self) -> &'static str {
        match self {
            Self::Malformed => "it is not a JSON object",
            Self::DuplicateMember => "an object has two members of the same name",
            Self::TooDeep => "it is nested too deeply",
            Self::TrailingBytes => "something follows the JSON object",
        }
    }
}

/// How to handle an object that has two members of the same name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Duplicates {
    /// Reject the whole text.
    Reject,
    /// Replace it by [`Value::Ambiguous`], so that the caller can reject only the part that contains it.
    Mark,
}

#[derive(Clone, Copy)]
pub(super) struct Reader<'f> {
    /// How many more levels may be opened.
    pub(super) depth: u32,
    pub(super) duplicates: Duplicates,
    /// Receives the reader's own errors, because serde's errors are opaque.
    pub(super) error: &'f Cell<Option<ParseError>>,
    /// Whether the last value was the text of a number: see [`LITERAL`].
    pub(super) is_literal: &'f Cell<bool>,
}

/// If any crate of the program enables serde_json's feature `arbitrary_precision`, a number arrives as a map with one member of this name,
/// whose value is the text of the number. No member of an object looks like this: serde_json calls `visit_string` only for numbers.
const LITERAL: &str = "$serde_json::private::Number";

impl Reader<'_> {
    fn inside<E: serde::de::Error>(mut self) -> Result<Self, E> {
        self.depth = self.depth.checked_sub(1).ok_or_else(|| self.reject(ParseError::TooDeep))?;
        Ok(self)
    }

    /// Reads a number that arrives as a map.
    fn number<'de, A: MapAccess<'de>>(&self, members: &mut A) -> Option<Value<'de>> {
        match members.next_key() {
            Ok(Some(Name(name))) if name == LITERAL => {
                let value = members.next_value_seed(*self).ok();
                value.filter(|_| self.is_literal.take()).inspect(|_| self.error.set(None))
            }
            _ => None,
        }
    }

    fn reject<E: serde::de::Error>(&self, error: ParseError) -> E {
        self.error.set(Some(error));
        E::custom("rejected")
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value<'de>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value<'de>, E> {
        Ok(Value::Unsigned(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value<'de>, E> {
        Ok(Value::Number(value as f64))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value<'de>, E> {
        if value.is_finite() { Ok(Value::Number(value)) } else { Err(E::custom("not finite")) }
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::String(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value<'de>, E> {
        Ok(Value::String(Cow::Owned(value.into())))
    }

    /// Reads the text of a number in the same way as without that feature.
    fn visit_string<E: serde::de::Error>(self, literal: String) -> Result<Value<'de>, E> {
        let mut deserializer = serde_json::Deserializer::from_str(&literal);
        // Only a number is read here. Other values would borrow from the literal, which is dropped at the end.
        let number = match serde::Deserializer::deserialize_f64(&mut deserializer, self).map_err(E::custom)? {
            Value::Unsigned(number) => Value::Unsigned(number),
            Value::Number(number) => Value::Number(number),
            _ => return Err(E::custom("not a number")),
        };
        self.is_literal.set(true);
        Ok(number)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value<'de>, A::Error> {
        let inside = self.inside()?;
        let mut values = Vec::new();
        while let Some(value) = elements.next_element_seed(inside)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value<'de>, A::Error> {
        let inside = match self.inside::<A::Error>() {
            Ok(inside) => inside,
            // A number does not open a level.
            Err(_) => return self.number(&mut members).ok_or_else(|| self.reject(ParseError::TooDeep)),
        };
        let mut object = Object(Vec::new());
        while let Some(Name(name)) = members.next_key()? {
            let value = members.next_value_seed(inside)?;
            if self.is_literal.take() && name == LITERAL {
                return Ok(value);
            }
            object.0.push((name, value));
        }
        match (object.has_duplicates(), self.duplicates) {
            (false, _) => Ok(Value::Object(object)),
            (true, Duplicates::Mark) => Ok(Value::Ambiguous),
            (true, Duplicates::Reject) => Err(self.reject(ParseError::DuplicateMember)),
        }
    }
}

/// The name of a member, borrowed if it has no escapes. (`Cow<str>` itself is always deserialized as a copy.)
struct Name<'a>(Cow<'a, str>);

impl<'de> serde::Deserialize<'de> for Name<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a member name")
            }

            fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(value)))
            }

            fn visit_str<E>(self, value: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(value.into())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}
