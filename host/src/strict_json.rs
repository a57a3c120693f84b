//! JSON as strict as that of the component: no duplicate members at any depth, a limit on nesting, and nothing after the value. So a text
//! can't be interpreted in two ways (RFC 8259 section 4, RFC 8725 section 2.4).
//!
//! The host does not link the core, which has the parser for tokens and key sets.

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};
use std::{cell::Cell, fmt};

/// Why a text is rejected. Its text may name a member of the text, and says where the error is.
#[derive(Debug)]
pub(crate) struct JsonError {
    pub(crate) kind: JsonErrorKind,
    error: serde_json::Error,
}

/// Why a text is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonErrorKind {
    /// It is not one JSON object, or it is nested too deeply.
    Malformed,
    /// An object has two members of the same name.
    DuplicateMember,
}

impl fmt::Display for JsonError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(formatter)
    }
}

/// Parses a text that must be one JSON object, nested at most `depth` levels deep. The object itself is level 1.
pub(crate) fn parse_object(text: &[u8], depth: u32) -> Result<Map<String, Value>, JsonError> {
    let has_duplicates = Cell::new(false);
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let reader = Reader { depth, has_duplicates: &has_duplicates };
    let value = Deserializer::deserialize_map(&mut deserializer, reader);
    let object = value.and_then(|value| deserializer.end().map(|()| value));
    match object {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(JsonError { kind: JsonErrorKind::Malformed, error: Error::custom("it is not an object") }),
        Err(error) if has_duplicates.get() => Err(JsonError { kind: JsonErrorKind::DuplicateMember, error }),
        Err(error) => Err(JsonError { kind: JsonErrorKind::Malformed, error }),
    }
}

#[derive(Clone, Copy)]
struct Reader<'f> {
    /// How many more levels may be opened.
    depth: u32,
    /// Is set if an object has two members of the same name, because errors of serde are opaque.
    has_duplicates: &'f Cell<bool>,
}

impl Reader<'_> {
    fn inside<E: Error>(mut self) -> Result<Self, E> {
        self.depth = self.depth.checked_sub(1).ok_or_else(|| E::custom("nested too deeply"))?;
        Ok(self)
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let (reader, mut values) = (self.inside()?, Vec::new());
        while let Some(value) = elements.next_element_seed(reader)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let (reader, mut object) = (self.inside()?, Map::new());
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                self.has_duplicates.set(true);
                return Err(A::Error::custom(format!("{name} occurs twice")));
            }
            object.insert(name, members.next_value_seed(reader)?);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicates_depth_and_trailing_bytes_are_rejected() {
        let parse = |text: &str| parse_object(text.as_bytes(), 3).err().map(|error| error.kind);
        for (text, expected) in [
            (r#"{"a": 1, "b": [true, null, -1.5, "x"], "c": {"a": [1]}}"#, None),
            (r#"{"a": 1, "a": 1}"#, Some(JsonErrorKind::DuplicateMember)),
            (r#"{"a": {"b": 1, "\u0062": 2}}"#, Some(JsonErrorKind::DuplicateMember)),
            (r#"{"a": [{"b": 1, "b": 2}]}"#, Some(JsonErrorKind::DuplicateMember)),
            (r#"{"a": [[1]]}"#, None),
            (r#"{"a": [[[1]]]}"#, Some(JsonErrorKind::Malformed)),
            (r#"{"a": 1} {}"#, Some(JsonErrorKind::Malformed)),
            (r#"{"a": 1,}"#, Some(JsonErrorKind::Malformed)),
            ("[]", Some(JsonErrorKind::Malformed)),
            ("", Some(JsonErrorKind::Malformed)),
            ("\u{feff}{}", Some(JsonErrorKind::Malformed)),
            (r#"{"a": "\ud800"}"#, Some(JsonErrorKind::Malformed)),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
        assert_eq!(parse_object(b"{\"a\": \"\xff\"}", 3).err().map(|error| error.kind), Some(JsonErrorKind::Malformed));
    }
}
