//! JSON with no second reading: serde_json's grammar (RFC 8259), and on top of it no duplicate members at any depth, a
//! depth limit, and nothing after the value (RFC 7515 section 4, RFC 8725 section 2.4).

use alloc::{borrow::Cow, string::String, vec::Vec};
use core::{cell::Cell, fmt};
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

/// A JSON value that borrows its strings from the text where they have no escapes.
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
    /// An object with duplicate members, where [`Duplicates::Mark`] was asked for.
    Ambiguous,
}

/// The members of a JSON object, in order, each name once.
#[derive(Debug, PartialEq)]
pub(crate) struct Object<'a>(Vec<(Cow<'a, str>, Value<'a>)>);

/// Why a text is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ParseError {
    Malformed,
    DuplicateMember,
    TooDeep,
    TrailingBytes,
}

/// What to do with an object that has two members of the same name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Duplicates {
    /// Refuse the whole text.
    Refuse,
    /// Make it [`Value::Ambiguous`], so that the caller can refuse as little as is safe.
    Mark,
}

/// Whether a text is one JSON object (RFC 8259), nested at most `depth` deep, in which no object has two members of the same name: for
/// configurations, which another parser then reads.
///
/// # Errors
/// What is wrong, in words.
pub fn check_json_object(bytes: &[u8], depth: u32) -> Result<(), &'static str> {
    match parse_object(bytes, depth, Duplicates::Refuse) {
        Ok(_) => Ok(()),
        Err(ParseError::Malformed) => Err("it is not a JSON object"),
        Err(ParseError::DuplicateMember) => Err("an object has two members of the same name"),
        Err(ParseError::TooDeep) => Err("it is nested too deep"),
        Err(ParseError::TrailingBytes) => Err("something follows the JSON object"),
    }
}

/// Reads a text that must be one JSON object, nested at most `depth` deep (the object itself is 1).
pub(crate) fn parse_object(bytes: &[u8], depth: u32, duplicates: Duplicates) -> Result<Object<'_>, ParseError> {
    read_object(serde_json::Deserializer::from_slice(bytes), depth, duplicates)
}

/// The same for what is known to be UTF-8 already.
pub(crate) fn parse_object_text(text: &str, depth: u32, duplicates: Duplicates) -> Result<Object<'_>, ParseError> {
    read_object(serde_json::Deserializer::from_str(text), depth, duplicates)
}

fn read_object<'a>(
    mut deserializer: serde_json::Deserializer<impl serde_json::de::Read<'a>>,
    depth: u32,
    duplicates: Duplicates,
) -> Result<Object<'a>, ParseError> {
    let (fault, is_literal) = (Cell::new(None), Cell::new(false));
    let reader = Reader { depth, duplicates, fault: &fault, is_literal: &is_literal };
    let value = reader.deserialize(&mut deserializer).map_err(|_| fault.get().unwrap_or(ParseError::Malformed))?;
    deserializer.end().map_err(|_| ParseError::TrailingBytes)?;
    match value {
        Value::Object(object) => Ok(object),
        Value::Ambiguous => Err(ParseError::DuplicateMember),
        _ => Err(ParseError::Malformed),
    }
}

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

    fn has_duplicates(&self) -> bool {
        let names = || self.0.iter().map(|(name, _)| name.as_ref());
        // A short object is compared pairwise; a long one is sorted, so that an attacker's costs no more than n log n.
        if self.0.len() <= 16 {
            let mut seen = 0u64;
            return names().enumerate().any(|(index, name)| {
                // Most names differ from all before already in their length and their ends.
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

/// One of 64 bits, the same for the same name.
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

    /// Whether an object in it, at any depth, has duplicate members.
    pub(crate) fn is_ambiguous(&self) -> bool {
        match self {
            Value::Ambiguous => true,
            Value::Array(values) => values.iter().any(Value::is_ambiguous),
            Value::Object(object) => object.iter().any(|(_, value)| value.is_ambiguous()),
            _ => false,
        }
    }
}

#[derive(Clone, Copy)]
struct Reader<'f> {
    /// How many more levels may be opened.
    depth: u32,
    duplicates: Duplicates,
    /// serde's errors are opaque: what the reader itself refuses is noted here.
    fault: &'f Cell<Option<ParseError>>,
    /// Whether the last value was a number's text: see [`LITERAL`].
    is_literal: &'f Cell<bool>,
}

/// Where something in the program turns serde_json's feature `arbitrary_precision` on, a number comes as a map of one member of this
/// name, whose value is the number's text. No text of an object comes so: serde_json calls `visit_string` for a number's alone.
const LITERAL: &str = "$serde_json::private::Number";

impl Reader<'_> {
    fn inside<E: serde::de::Error>(mut self) -> Result<Self, E> {
        self.depth = self.depth.checked_sub(1).ok_or_else(|| self.refuse(ParseError::TooDeep))?;
        Ok(self)
    }

    /// A number that comes as a map.
    fn number<'de, A: MapAccess<'de>>(&self, members: &mut A) -> Option<Value<'de>> {
        match members.next_key() {
            Ok(Some(Name(name))) if name == LITERAL => {
                let value = members.next_value_seed(*self).ok();
                value.filter(|_| self.is_literal.take()).inspect(|_| self.fault.set(None))
            }
            _ => None,
        }
    }

    fn refuse<E: serde::de::Error>(&self, fault: ParseError) -> E {
        self.fault.set(Some(fault));
        E::custom("refused")
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

    /// The text of a number, which is read as it is without that feature.
    fn visit_string<E: serde::de::Error>(self, literal: String) -> Result<Value<'de>, E> {
        let mut deserializer = serde_json::Deserializer::from_str(&literal);
        // A number alone is asked for. Other values borrow from the literal, which ends here.
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
            // A number opens no level.
            Err(_) => return self.number(&mut members).ok_or_else(|| self.refuse(ParseError::TooDeep)),
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
            (true, Duplicates::Refuse) => Err(self.refuse(ParseError::DuplicateMember)),
        }
    }
}

/// A member's name, borrowed where it has no escapes (`Cow<str>` alone would always be copied).
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

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    fn fault(text: &str, depth: u32) -> Option<ParseError> {
        parse_object(text.as_bytes(), depth, Duplicates::Refuse).err()
    }

    #[test]
    fn what_is_not_one_plain_object_is_refused() {
        for (text, expected) in [
            ("{}", None),
            (" {\"a\":1} \n", None),
            ("", Some(ParseError::Malformed)),
            ("[]", Some(ParseError::Malformed)),
            ("\"x\"", Some(ParseError::Malformed)),
            ("{\"a\":1", Some(ParseError::Malformed)),
            ("{\"a\":1,}", Some(ParseError::Malformed)),
            ("{'a':1}", Some(ParseError::Malformed)),
            ("{\"a\":NaN}", Some(ParseError::Malformed)),
            ("{\"a\":01}", Some(ParseError::Malformed)),
            ("{\"a\":1e999}", Some(ParseError::Malformed)),
            ("{\"a\":\"\\ud800\"}", Some(ParseError::Malformed)),
            ("{\"a\":\"\u{1}\"}", Some(ParseError::Malformed)),
            ("\u{feff}{}", Some(ParseError::Malformed)),
            ("{} {}", Some(ParseError::TrailingBytes)),
            ("{}\0", Some(ParseError::TrailingBytes)),
        ] {
            assert_eq!(fault(text, 8), expected, "{text:?}");
        }
        assert_eq!(parse_object(b"{\"a\":\"\xff\"}", 8, Duplicates::Refuse).err(), Some(ParseError::Malformed));
    }

    #[test]
    fn duplicate_members_are_found_at_any_depth_and_through_escapes() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"x":{"a":1,"b":2,"a":3}}"#,
            r#"{"x":[[{"a":1,"a":1}]]}"#,
            r#"{"":1,"":2}"#,
        ] {
            assert_eq!(fault(text, 8), Some(ParseError::DuplicateMember), "{text}");
        }
        assert_eq!(fault(r#"{"a":{"b":1},"b":{"a":1}}"#, 8), None);
    }

    #[test]
    fn duplicate_members_are_found_in_a_long_object() {
        let mut members: Vec<String> = (0..500).map(|n| format!("\"m{n}\":{n}")).collect();
        assert_eq!(fault(&format!("{{{}}}", members.join(",")), 8), None);
        members.push("\"m250\":0".into());
        assert_eq!(fault(&format!("{{{}}}", members.join(",")), 8), Some(ParseError::DuplicateMember));
    }

    #[test]
    fn depth_counts_arrays_and_objects() {
        assert_eq!(fault(r#"{"a":[{}]}"#, 3), None);
        assert_eq!(fault(r#"{"a":[{}]}"#, 2), Some(ParseError::TooDeep));
        assert_eq!(fault(&format!("{{\"a\":{}", "[".repeat(100_000)), 100), Some(ParseError::TooDeep));
    }

    #[test]
    fn a_marked_duplicate_leaves_its_neighbours_readable() {
        let text = br#"{"keys":[{"a":1,"a":2},{"b":1},{"c":{"d":1,"d":1}}]}"#;
        let object = parse_object(text, 8, Duplicates::Mark).unwrap();
        let Some(Value::Array(keys)) = object.get("keys") else { panic!("no array: {object:?}") };
        let ambiguous: Vec<bool> = keys.iter().map(Value::is_ambiguous).collect();
        assert_eq!(ambiguous, [true, false, true]);
    }
}
