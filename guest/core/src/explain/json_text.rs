//! Values of a token as JSON text.

use crate::json::{Object, Value};
use alloc::{format, string::String, vec::Vec};

/// The maximum length of a value, in bytes. Several checks may have the same value, and the payload has all of it.
const VALUE_MAX: usize = 1_024;

/// Formats the value of a claim as JSON without white space. A claim that is `null` is absent. The text of a value that is too long is cut off, and
/// ends with `…`, so it is no JSON.
#[cold]
pub(super) fn claim(object: &Object<'_>, name: &str) -> Option<String> {
    let value = object.get(name).filter(|value| !matches!(value, Value::Null))?;
    let mut text = String::new();
    if write(value, &mut text).is_none() {
        text.truncate(text.floor_char_boundary(VALUE_MAX));
        text.push('…');
    }
    Some(text)
}

/// Appends a value as JSON. Returns `None` as soon as the text is too long.
#[cold]
fn write(value: &Value<'_>, text: &mut String) -> Option<()> {
    match value {
        // An object with duplicate members is nowhere in a token that was parsed.
        Value::Null | Value::Ambiguous => text.push_str("null"),
        Value::Bool(boolean) => text.push_str(&format!("{boolean}")),
        Value::Unsigned(integer) => text.push_str(&format!("{integer}")),
        Value::Number(number) => text.push_str(&self::number(*number)),
        Value::String(string) => write_string(string, text),
        Value::Array(elements) => {
            text.push('[');
            for (number, element) in elements.iter().enumerate() {
                separate(number, text);
                write(element, text)?;
            }
            text.push(']');
        }
        Value::Object(object) => write_members(object, text)?,
    }
    (text.len() <= VALUE_MAX).then_some(())
}

#[cold]
fn write_members(object: &Object<'_>, text: &mut String) -> Option<()> {
    text.push('{');
    for (number, (name, value)) in object.iter().enumerate() {
        separate(number, text);
        write_string(name, text);
        text.push(':');
        write(value, text)?;
    }
    text.push('}');
    Some(())
}

/// Appends a text as a JSON string. One that is too long is cut off, and still too long.
#[cold]
fn write_string(string: &str, text: &mut String) {
    // A character has at most four bytes.
    let end = string.floor_char_boundary(VALUE_MAX.saturating_add(4));
    text.push_str(&self::string(string.get(..end).unwrap_or_default()));
}

#[cold]
fn separate(number: usize, text: &mut String) {
    if number > 0 {
        text.push(',');
    }
}

/// Formats a number with at most six digits after the point. The exact formatting of the standard library would take 11 KB of the guest.
#[cold]
pub(super) fn number(number: f64) -> String {
    let sign = if number < 0.0 { "-" } else { "" };
    let mut size = if number < 0.0 { -number } else { number };
    let mut exponent = 0i32;
    if size >= u64::MAX as f64 {
        while size >= 10.0 {
            (size, exponent) = (size / 10.0, exponent.saturating_add(1));
        }
    } else if size > 0.0 && size < 1e-3 {
        while size < 1.0 {
            (size, exponent) = (size * 10.0, exponent.saturating_sub(1));
        }
    }
    let whole = size as u64;
    let millionths = ((size - whole as f64) * 1e6) as u64;
    let digits = format!("{whole}.{millionths:06}");
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    if exponent == 0 { format!("{sign}{digits}") } else { format!("{sign}{digits}e{exponent}") }
}

/// Formats a text as a JSON string (RFC 8259 section 7).
#[cold]
pub(super) fn string(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len().saturating_add(2));
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            letter if letter < ' ' => quoted.push_str(&format!("\\u{:04x}", u32::from(letter))),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

/// Formats several texts as JSON strings with commas between them.
#[cold]
pub(super) fn list<'t>(texts: impl IntoIterator<Item = &'t String>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|text| string(text)).collect();
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::VALUE_MAX;
    use crate::json::{Duplicates, parse_object_text};
    use alloc::{format, string::String};

    #[test]
    fn numbers_have_six_digits_after_the_point() {
        for (number, text) in [
            (0.0, "0"),
            (-1.0, "-1"),
            (0.5, "0.5"),
            (-2.25, "-2.25"),
            (1e15, "1000000000000000"),
            (1.0 / 3.0, "0.333333"),
            (5e300, "5e300"),
            (0.000_5, "5e-4"),
        ] {
            assert_eq!(super::number(number), text);
        }
    }

    #[test]
    fn json_stays_json() {
        for text in [
            r#"{}"#,
            r#"{"a":[1,-2,0.5,true,false,null,"x"],"b":{"c":{}}}"#,
            r#"{"\"\\\n\r\t\u0000\u001f":"é 漢 🦀"}"#,
            r#"{"n":18446744073709551615}"#,
        ] {
            let object = parse_object_text(text, 16, Duplicates::Reject).unwrap();
            let mut written = String::new();
            assert_eq!(super::write_members(&object, &mut written), Some(()));
            assert_eq!(parse_object_text(&written, 16, Duplicates::Reject).unwrap(), object, "{written}");
        }
    }

    #[test]
    fn a_long_value_is_cut_off() {
        let claim = |value: &str| {
            let text = format!("{{\"a\":{value}}}");
            let object = parse_object_text(&text, 16, Duplicates::Reject).unwrap();
            super::claim(&object, "a").unwrap()
        };
        let longest = format!("\"{}\"", "x".repeat(VALUE_MAX - 2));
        assert_eq!(claim(&longest), longest);
        for value in [
            format!("\"{}\"", "x".repeat(VALUE_MAX - 1)),
            format!("\"{}\"", "漢".repeat(9_000)),
            format!("\"x{}\"", "🦀".repeat(9_000)),
            format!("\"{}\"", "\\u0000".repeat(VALUE_MAX)),
            format!("[{}\"\"]", "1e-300,".repeat(9_000)),
            format!("[[{}\"\"]]", "{},".repeat(9_000)),
            format!("{{\"{}\":1}}", "x".repeat(9_000)),
        ] {
            let text = claim(&value);
            assert!(text.ends_with('…') && (VALUE_MAX..VALUE_MAX + 4).contains(&text.len()), "{}: {text}", text.len());
        }
    }
}
