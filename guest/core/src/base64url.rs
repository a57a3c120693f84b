//! base64url without padding, in its canonical encoding (RFC 4648 sections 5 and 3.5, RFC 7515 section 2).

use alloc::{string::String, vec::Vec};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// Why a text is not canonical base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DecodeError {
    /// A character is outside the alphabet, or no byte string has this length.
    Invalid,
    /// It contains a `=`.
    Padded,
    /// The last character has unused bits that are set.
    NotCanonical,
}

pub(crate) fn decode(text: &str) -> Result<Vec<u8>, DecodeError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|error| match error {
        _ if text.contains('=') => DecodeError::Padded,
        base64::DecodeError::InvalidLastSymbol(..) => DecodeError::NotCanonical,
        _ => DecodeError::Invalid,
    })
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_string_has_one_spelling() {
        for (text, expected) in [
            ("", Ok(&b""[..])),
            ("-_8", Ok(b"\xfb\xff")),
            ("QQ", Ok(b"A")),
            ("QR", Err(DecodeError::NotCanonical)),
            ("QUJ", Err(DecodeError::NotCanonical)),
            ("QQ==", Err(DecodeError::Padded)),
            ("QQ=", Err(DecodeError::Padded)),
            ("=", Err(DecodeError::Padded)),
            ("Q", Err(DecodeError::Invalid)),
            ("+/8", Err(DecodeError::Invalid)),
            ("QQ\n", Err(DecodeError::Invalid)),
            ("Q Q", Err(DecodeError::Invalid)),
            ("QÄ", Err(DecodeError::Invalid)),
        ] {
            assert_eq!(decode(text).as_deref(), expected.as_ref().map(|bytes| *bytes), "{text:?}");
        }
    }
}
