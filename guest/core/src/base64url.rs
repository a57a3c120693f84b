//! base64url in its canonical encoding (RFC 4648 sections 5 and 3.5): without padding (RFC 7515 section 2), or with exactly the padding that is
//! needed.

use alloc::{string::String, vec::Vec};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
#[cfg(feature = "ecdsa")]
use core::cmp::Ordering;

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

/// Decodes base64url that is padded with `=` to a multiple of four characters (RFC 4648 section 3.2), no less and no more.
#[cfg(feature = "ecdsa")]
pub(crate) fn decode_padded(text: &str) -> Result<Vec<u8>, DecodeError> {
    let unpadded = text.trim_end_matches('=');
    let padding = text.len().saturating_sub(unpadded.len());
    // The length modulo 4 of an encoding without padding is 0, 2 or 3.
    let needed = match unpadded.len() % 4 {
        0 => 0,
        remainder => 4_usize.saturating_sub(remainder),
    };
    match padding.cmp(&needed) {
        Ordering::Less => Err(DecodeError::Invalid),
        Ordering::Equal => decode(unpadded),
        Ordering::Greater => Err(DecodeError::Padded),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "ecdsa")]
    #[test]
    fn a_padded_text_has_exactly_the_padding_that_it_needs() {
        for (text, expected) in [
            ("", Ok(&b""[..])),
            ("QQ==", Ok(b"A")),
            ("-_8=", Ok(b"\xfb\xff")),
            ("QUJD", Ok(b"ABC")),
            ("QQ", Err(DecodeError::Invalid)),
            ("QQ=", Err(DecodeError::Invalid)),
            ("-_8", Err(DecodeError::Invalid)),
            ("QQ===", Err(DecodeError::Padded)),
            ("-_8==", Err(DecodeError::Padded)),
            ("QUJD=", Err(DecodeError::Padded)),
            ("QUJD====", Err(DecodeError::Padded)),
            ("=", Err(DecodeError::Padded)),
            ("====", Err(DecodeError::Padded)),
            ("QR==", Err(DecodeError::NotCanonical)),
            ("QUI=QUI=", Err(DecodeError::Padded)),
            ("Q===", Err(DecodeError::Invalid)),
            ("Q", Err(DecodeError::Invalid)),
            ("+/8=", Err(DecodeError::Invalid)),
            ("QQ==\n", Err(DecodeError::Invalid)),
        ] {
            assert_eq!(decode_padded(text).as_deref(), expected.as_ref().map(|bytes| *bytes), "{text:?}");
        }
    }

    #[cfg(feature = "ecdsa")]
    #[test]
    fn every_short_text_is_decoded_as_by_a_strict_decoder() {
        use base64::engine::general_purpose::URL_SAFE;
        // The unused bits of Q are not set, those of R are; + is in the standard alphabet only.
        const LETTERS: [char; 6] = ['A', 'Q', 'R', '-', '+', '='];
        let mut texts = alloc::vec![alloc::string::String::new()];
        for _ in 0..6 {
            let longer = texts.iter().flat_map(|text| LETTERS.map(|letter| alloc::format!("{text}{letter}")));
            texts = longer.chain([alloc::string::String::new()]).collect();
            for text in &texts {
                assert_eq!(decode_padded(text).ok(), URL_SAFE.decode(text).ok(), "{text:?}");
            }
        }
    }

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
