//! Values of a token as JSON text.

use crate::json::{Object, Value};
use alloc::{format, string::String, vec::Vec};

/// Formats the value of a claim as JSON. A claim that is `null` is absent.
#[cold]
pub(super) fn claim(object: &Object<'_>, name: &str) -> Option<String> {
    object.get(name).filter(|value| !matches!(value, Value::Null)).map(json)
}

/// Formats a value as JSON without white space.
#[cold]
fn json(value: &Value<'_>) -> String {
    match value {
        // An object with duplicate members is nowhere in a token that was parsed.
        Value::Null | Value::Ambiguous => "null".into(),
        Value::Bool(boolean) => format!("{boolean}"),
        Value::Unsigned(integer) => format!("{integer}"),
        Value::Number(number) => self::number(*number),
        Value::String(text) => string(text),
        Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(json).collect();
            format!("[{}]", elements.join(","))
        }
        Value::Object(object) => members(object),
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

#[cold]
fn members(object: &Object<'_>) -> String {
    let members: Vec<String> = object.iter().map(|(name, value)| format!("{}:{}", string(name), json(value))).collect();
    format!("{{{}}}", members.join(","))
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
    use crate::json::{Duplicates, parse_object_text};

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
            let written = super::members(&object);
            assert_eq!(parse_object_text(&written, 16, Duplicates::Reject).unwrap(), object, "{written}");
        }
    }
}
