//! Values of a token as JSON text.

use crate::json::{Object, Value};
use alloc::{format, string::String, vec::Vec};

/// Formats the value of a claim as JSON. A claim that is `null` is absent.
pub(super) fn claim(object: &Object<'_>, name: &str) -> Option<String> {
    object.get(name).filter(|value| !matches!(value, Value::Null)).map(json)
}

/// Formats a value as JSON without white space.
fn json(value: &Value<'_>) -> String {
    match value {
        // An object with duplicate members is nowhere in a token that was parsed.
        Value::Null | Value::Ambiguous => "null".into(),
        Value::Bool(boolean) => format!("{boolean}"),
        Value::Unsigned(number) => format!("{number}"),
        Value::Number(number) => format!("{number}"),
        Value::String(text) => string(text),
        Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(json).collect();
            format!("[{}]", elements.join(","))
        }
        Value::Object(object) => members(object),
    }
}

fn members(object: &Object<'_>) -> String {
    let members: Vec<String> = object.iter().map(|(name, value)| format!("{}:{}", string(name), json(value))).collect();
    format!("{{{}}}", members.join(","))
}

/// Formats a text as a JSON string (RFC 8259 section 7).
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
pub(super) fn list<'t>(texts: impl IntoIterator<Item = &'t String>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|text| string(text)).collect();
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use crate::json::{Duplicates, parse_object_text};

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
