//! Claims as texts for the application.

use serde_json::Value;
use std::fmt::Write;

/// Where a claim is, and what it becomes.
#[derive(Debug)]
pub(crate) struct ClaimMapping {
    claim: String,
    path: Vec<String>,
}

impl ClaimMapping {
    pub(crate) fn new(claim: &str, path: &[String]) -> Self {
        Self { claim: claim.to_owned(), path: path.to_vec() }
    }

    /// The claim as a header's value, if the token has it.
    pub(crate) fn text_in(&self, payload: &Value) -> Option<String> {
        let value = self.path.iter().try_fold(payload.get(&self.claim)?, |value, name| value.get(name))?;
        match value {
            Value::Null => None,
            Value::String(text) => Some(encoded(text, false)),
            Value::Array(items) if items.iter().all(Value::is_string) => {
                let texts: Vec<String> =
                    items.iter().filter_map(Value::as_str).map(|text| encoded(text, true)).collect();
                Some(texts.join(","))
            }
            value => Some(encoded(&value.to_string(), false)),
        }
    }
}

/// `%`, all but printable ASCII, leading and trailing spaces, and perhaps commas are percent-encoded.
fn encoded(text: &str, is_listed: bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    let last = text.len().saturating_sub(1);
    for (at, byte) in text.bytes().enumerate() {
        let is_plain = match byte {
            b'%' => false,
            b',' => !is_listed,
            b' ' => at != 0 && at != last,
            byte => matches!(byte, 0x21..=0x7e),
        };
        if is_plain {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_claim_is_one_text_whatever_it_is() {
        let payload = json!({
            "sub": "a b", "groups": ["x,y", "50%", "ü"], "none": [], "number": 7, "yes": true, "nothing": null,
            "address": {"country": "DE", "lines": [1, "a"]}, "line": "a\r\nx-admin: 1", "space": " a ",
        });
        for (claim, path, text) in [
            ("sub", &[][..], Some("a b")),
            ("groups", &[], Some("x%2Cy,50%25,%C3%BC")),
            ("none", &[], Some("")),
            ("number", &[], Some("7")),
            ("yes", &[], Some("true")),
            ("nothing", &[], None),
            ("absent", &[], None),
            ("address", &["country"], Some("DE")),
            ("address", &["country", "deeper"], None),
            ("address", &["lines"], Some("[1,\"a\"]")),
            ("line", &[], Some("a%0D%0Ax-admin: 1")),
            ("space", &[], Some("%20a%20")),
        ] {
            let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(ClaimMapping::new(claim, &path).text_in(&payload).as_deref(), text, "{claim}");
        }
    }
}
