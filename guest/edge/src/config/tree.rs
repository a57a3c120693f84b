//! Deserializes the configuration from parsed JSON, and tracks the position in it.
//!
//! It is not deserialized from the text, because serde_json's parser is generated again for each type that is read from text, and because an
//! error would then have no path. The filter has a size limit: this module makes it 31 KB smaller.
//!
//! Objects are read only from objects and words only from strings. serde_json also reads an object from an array of its members' values,
//! and a word from an object such as `{"access": null}`. The configuration's JSON Schema allows neither.

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, Expected, MapAccess, SeqAccess, Unexpected, Visitor,
    value::BorrowedStrDeserializer,
};
use serde_json::{Error, Value, map};
use std::{fmt::Write, slice};

/// A value of the configuration. `path` is its position, such as `routes[2].methods`. After an error, it is the position of the error.
pub(super) struct Place<'de, 'p> {
    value: &'de Value,
    path: &'p mut String,
}

impl<'de, 'p> Place<'de, 'p> {
    pub(super) fn new(value: &'de Value, path: &'p mut String) -> Self {
        Self { value, path }
    }
}

/// Returns the error about a value of the wrong type.
fn wrong_type(value: &Value, expected: &dyn Expected) -> Error {
    let actual = match value {
        Value::Null => Unexpected::Unit,
        Value::Bool(value) => Unexpected::Bool(*value),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => Unexpected::Unsigned(number),
            (None, Some(number)) => Unexpected::Signed(number),
            (None, None) => Unexpected::Float(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => Unexpected::Str(text),
        Value::Array(_) => Unexpected::Seq,
        Value::Object(_) => Unexpected::Map,
    };
    Error::invalid_type(actual, expected)
}

impl<'de> Deserializer<'de> for Place<'de, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.value.deserialize_any(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Bool(value) => visitor.visit_bool(*value),
            value => Err(wrong_type(value, &visitor)),
        }
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match (self.value.as_u64(), self.value.as_i64()) {
            (Some(number), _) => visitor.visit_u64(number),
            (None, Some(number)) => visitor.visit_i64(number),
            (None, None) => Err(wrong_type(self.value, &visitor)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::String(text) => visitor.visit_borrowed_str(text),
            value => Err(wrong_type(value, &visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Array(items) => visitor.visit_seq(Items::new(items, self.path)),
            value => Err(wrong_type(value, &visitor)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Object(members) => visitor.visit_map(Members::new(members, self.path)),
            value => Err(wrong_type(value, &visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.value {
            Value::String(text) => visitor.visit_enum(BorrowedStrDeserializer::new(text)),
            // The text of serde_json.
            _ => Err(Error::custom("expected value")),
        }
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u64 u128 f32 f64 char str bytes byte_buf unit unit_struct newtype_struct tuple tuple_struct identifier
        ignored_any
    }
}

/// The items of an array.
struct Items<'de, 'p> {
    rest: std::iter::Enumerate<slice::Iter<'de, Value>>,
    path: &'p mut String,
    /// The length of the path of the array itself.
    length: usize,
}

impl<'de, 'p> Items<'de, 'p> {
    fn new(items: &'de [Value], path: &'p mut String) -> Self {
        Self { rest: items.iter().enumerate(), length: path.len(), path }
    }
}

impl<'de> SeqAccess<'de> for Items<'de, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.path.truncate(self.length);
        let Some((number, value)) = self.rest.next() else { return Ok(None) };
        let _ = write!(self.path, "[{number}]");
        seed.deserialize(Place::new(value, self.path)).map(Some)
    }
}

/// The members of an object.
struct Members<'de, 'p> {
    rest: map::Iter<'de>,
    /// The value of the member whose name was read.
    value: &'de Value,
    path: &'p mut String,
    /// The length of the path of the object itself.
    length: usize,
}

impl<'de, 'p> Members<'de, 'p> {
    fn new(members: &'de map::Map<String, Value>, path: &'p mut String) -> Self {
        Self { rest: members.iter(), value: &Value::Null, length: path.len(), path }
    }

    /// Moves to the next member, and returns its name.
    fn next_name(&mut self) -> Option<&'de str> {
        self.path.truncate(self.length);
        let (name, value) = self.rest.next()?;
        self.value = value;
        if !self.path.is_empty() && !name.is_empty() {
            self.path.push('.');
        }
        self.path.push_str(name);
        Some(name)
    }
}

impl<'de> MapAccess<'de> for Members<'de, '_> {
    type Error = Error;

    fn next_key_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        match self.next_name() {
            Some(name) => seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(Place::new(self.value, self.path))
    }
}
