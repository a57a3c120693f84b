//! Parses a text that must be one JSON object.

use super::{
    reader::{Duplicates, ParseError, Reader},
    value::{Object, Value},
};
use core::cell::Cell;
use serde::de::DeserializeSeed;

/// Checks that a text is one JSON object (RFC 8259), nested at most `depth` levels deep, in which no object has two members of the same name.
/// Use it for texts that another parser reads afterwards.
///
/// # Errors
/// Returns why the text is rejected.
pub fn check_json_object(bytes: &[u8], depth: u32) -> Result<(), ParseError> {
    parse_object(bytes, depth, Duplicates::Reject).map(|_| ())
}

/// Parses a text that must be one JSON object, nested at most `depth` levels deep. The object itself is level 1.
pub(crate) fn parse_object(bytes: &[u8], depth: u32, duplicates: Duplicates) -> Result<Object<'_>, ParseError> {
    // serde_json's parser would be generated a second time for bytes, which makes the guests larger.
    match str::from_utf8(bytes) {
        Ok(text) => parse_object_text(text, depth, duplicates),
        Err(error) => {
            // An error in the text before the first byte that is not UTF-8 takes precedence.
            let before = bytes.get(..error.valid_up_to()).and_then(|before| str::from_utf8(before).ok());
            parse_object_text(before.unwrap_or_default(), depth, duplicates)?;
            Err(ParseError::TrailingBytes)
        }
    }
}

/// Like [`parse_object`], for a text that is known to be UTF-8.
pub(crate) fn parse_object_text(text: &str, depth: u32, duplicates: Duplicates) -> Result<Object<'_>, ParseError> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let (error, is_literal) = (Cell::new(None), Cell::new(false));
    let reader = Reader { depth, duplicates, error: &error, is_literal: &is_literal };
    let value = reader.deserialize(&mut deserializer).map_err(|_| error.get().unwrap_or(ParseError::Malformed))?;
    deserializer.end().map_err(|_| ParseError::TrailingBytes)?;
    match value {
        Value::Object(object) => Ok(object),
        Value::Ambiguous => Err(ParseError::DuplicateMember),
        _ => Err(ParseError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, string::String, vec::Vec};

    fn error(text: &str, depth: u32) -> Option<ParseError> {
        parse_object(text.as_bytes(), depth, Duplicates::Reject).err()
    }

    #[test]
    fn what_is_not_one_plain_object_is_rejected() {
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
            assert_eq!(error(text, 8), expected, "{text:?}");
        }
        for (bytes, expected) in [
            (&b"{\"a\":\"\xff\"}"[..], ParseError::Malformed),
            (b"{\"a\":1\xff}", ParseError::Malformed),
            (b"\xff{}", ParseError::Malformed),
            (b"{} \xff", ParseError::TrailingBytes),
            (b"{\"a\":1,\"a\":1}\xff", ParseError::DuplicateMember),
        ] {
            assert_eq!(parse_object(bytes, 8, Duplicates::Reject).err(), Some(expected), "{bytes:?}");
        }
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
            assert_eq!(error(text, 8), Some(ParseError::DuplicateMember), "{text}");
        }
        assert_eq!(error(r#"{"a":{"b":1},"b":{"a":1}}"#, 8), None);
    }

    #[test]
    fn duplicate_members_are_found_in_a_long_object() {
        let mut members: Vec<String> = (0..500).map(|n| format!("\"m{n}\":{n}")).collect();
        assert_eq!(error(&format!("{{{}}}", members.join(",")), 8), None);
        members.push("\"m250\":0".into());
        assert_eq!(error(&format!("{{{}}}", members.join(",")), 8), Some(ParseError::DuplicateMember));
    }

    #[test]
    fn depth_counts_arrays_and_objects() {
        assert_eq!(error(r#"{"a":[{}]}"#, 3), None);
        assert_eq!(error(r#"{"a":[{}]}"#, 2), Some(ParseError::TooDeep));
        assert_eq!(error(&format!("{{\"a\":{}", "[".repeat(100_000)), 100), Some(ParseError::TooDeep));
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
