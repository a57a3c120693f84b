//! base64url without padding, in its one canonical spelling (RFC 4648 section 5 and section 3.5, RFC 7515 section 2).

use alloc::vec::Vec;
use base64::{DecodeError, Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// Why a text is not canonical base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A character outside the alphabet, or a length that no byte string has.
    Invalid,
    /// There is a `=`.
    Padded,
    /// The last character has bits set that belong to no byte.
    NotCanonical,
}

pub(crate) fn decode(text: &str) -> Result<Vec<u8>, Fault> {
    URL_SAFE_NO_PAD.decode(text).map_err(|error| match error {
        _ if text.contains('=') => Fault::Padded,
        DecodeError::InvalidLastSymbol(..) => Fault::NotCanonical,
        _ => Fault::Invalid,
    })
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
            ("QR", Err(Fault::NotCanonical)),
            ("QUJ", Err(Fault::NotCanonical)),
            ("QQ==", Err(Fault::Padded)),
            ("QQ=", Err(Fault::Padded)),
            ("=", Err(Fault::Padded)),
            ("Q", Err(Fault::Invalid)),
            ("+/8", Err(Fault::Invalid)),
            ("QQ\n", Err(Fault::Invalid)),
            ("Q Q", Err(Fault::Invalid)),
            ("QÄ", Err(Fault::Invalid)),
        ] {
            assert_eq!(decode(text).as_deref(), expected.as_ref().map(|bytes| *bytes), "{text:?}");
        }
    }
}
