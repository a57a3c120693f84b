//! The encoding of claims for headers.

use alloc::string::String;
use core::fmt::Write;

/// Percent-encodes `%`, every byte outside printable ASCII, leading and trailing spaces, which HTTP parsers remove (RFC 9110 section 5.5), and,
/// in an element of a list, commas.
pub fn encode_claim(text: &str, is_in_a_list: bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    let last = text.len().saturating_sub(1);
    for (at, byte) in text.bytes().enumerate() {
        let is_plain = match byte {
            b'%' => false,
            b',' => !is_in_a_list,
            b' ' => at != 0 && at != last,
            byte => matches!(byte, 0x21..=0x7e),
        };
        if is_plain {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_a_header_cannot_contain_are_encoded() {
        assert_eq!(encode_claim("änna\n100%", false), "%C3%A4nna%0A100%25");
        assert_eq!(encode_claim("a,b", true), "a%2Cb");
        assert_eq!(encode_claim("a,b", false), "a,b");
    }

    #[test]
    fn leading_and_trailing_spaces_are_encoded() {
        for (text, expected) in [
            (" admins", "%20admins"),
            ("admins ", "admins%20"),
            ("  a b  ", "%20 a b %20"),
            (" ", "%20"),
            ("  ", "%20%20"),
            ("", ""),
            ("\tadmins\u{a0}", "%09admins%C2%A0"),
        ] {
            for is_in_a_list in [true, false] {
                assert_eq!(encode_claim(text, is_in_a_list), expected, "{text:?}");
            }
        }
    }
}
