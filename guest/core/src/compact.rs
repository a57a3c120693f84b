//! Splits the compact serialization (RFC 7515 section 7.1) into its parts.

use crate::{base64url, reason::Reason};
use alloc::vec::Vec;

/// A token with exactly three parts, within the size limit. The parts are not decoded yet.
#[derive(Clone, Copy)]
pub struct CompactJws<'a> {
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
    signing_input: &'a str,
    padding: Padding,
}

/// The grammar of the parts.
#[derive(Clone, Copy)]
enum Padding {
    /// RFC 7515 section 2.
    Forbidden,
    /// Exactly as much as is needed, as load balancers write it.
    #[cfg(feature = "ecdsa")]
    Required,
}

impl<'a> CompactJws<'a> {
    /// Splits a token of at most `limit` bytes.
    ///
    /// # Errors
    /// [`Reason::TokenEmpty`], [`Reason::TokenTooLarge`], [`Reason::TokenEncrypted`] for five parts, and [`Reason::TokenNotThreeParts`] for
    /// any other number than three.
    pub fn split(token: &'a str, limit: usize) -> Result<Self, Reason> {
        if token.is_empty() {
            return Err(Reason::TokenEmpty);
        }
        if token.len() > limit {
            return Err(Reason::TokenTooLarge);
        }
        let (header, rest) = split_at_dot(token).ok_or(Reason::TokenNotThreeParts)?;
        let (payload, signature) = split_at_dot(rest).ok_or(Reason::TokenNotThreeParts)?;
        if split_at_dot(signature).is_some() {
            let is_encrypted = token.split('.').count() == 5;
            return Err(if is_encrypted { Reason::TokenEncrypted } else { Reason::TokenNotThreeParts });
        }
        let second_dot = header.len().saturating_add(1).saturating_add(payload.len());
        let signing_input = token.get(..second_dot).ok_or(Reason::TokenNotThreeParts)?;
        Ok(Self { header, payload, signature, signing_input, padding: Padding::Forbidden })
    }

    /// Like [`split`](Self::split), for a token of an Application Load Balancer: each part is base64url with exactly the padding (`=`) that it needs
    /// (RFC 4648 section 3.2).
    ///
    /// # Errors
    /// Those of [`split`](Self::split).
    #[cfg(feature = "ecdsa")]
    pub fn split_padded(token: &'a str, limit: usize) -> Result<Self, Reason> {
        Ok(Self { padding: Padding::Required, ..Self::split(token, limit)? })
    }

    /// Decodes the JOSE header.
    pub fn header(&self) -> Result<Vec<u8>, Reason> {
        self.decode(self.header)
    }

    /// Decodes the payload.
    pub fn payload(&self) -> Result<Vec<u8>, Reason> {
        self.decode(self.payload)
    }

    /// Decodes the signature.
    pub fn signature(&self) -> Result<Vec<u8>, Reason> {
        self.decode(self.signature)
    }

    /// Returns the signing input: the first two parts with the dot between them (RFC 7515 section 5.2, step 8).
    pub fn signing_input(&self) -> &'a [u8] {
        self.signing_input.as_bytes()
    }

    fn decode(&self, part: &str) -> Result<Vec<u8>, Reason> {
        let decoded = match self.padding {
            Padding::Forbidden => base64url::decode(part),
            #[cfg(feature = "ecdsa")]
            Padding::Required => base64url::decode_padded(part),
        };
        decoded.map_err(|error| match error {
            base64url::DecodeError::Invalid => Reason::EncodingInvalid,
            base64url::DecodeError::Padded => Reason::EncodingPadded,
            base64url::DecodeError::NotCanonical => Reason::EncodingNotCanonical,
        })
    }
}

/// Returns the text before the first dot, and the text after it.
fn split_at_dot(text: &str) -> Option<(&str, &str)> {
    let (before, rest) = text.split_at_checked(first_dot(text)?)?;
    Some((before, rest.strip_prefix('.')?))
}

/// Returns the index of the first dot. It searches eight bytes at a time; on wasm32, the search of the standard library takes several times
/// as long.
fn first_dot(text: &str) -> Option<usize> {
    const ONES: u64 = u64::MAX / 0xff;
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let has_dot = |word: &[u8; 8]| {
        // A dot becomes a zero byte. The test for a zero byte is from Warren, "Hacker's Delight", section 6-1.
        let word = u64::from_le_bytes(*word) ^ ONES.wrapping_mul(b'.'.into());
        word.wrapping_sub(ONES) & !word & (ONES << 7) != 0
    };
    let (start, bytes) = match words.iter().position(has_dot) {
        Some(number) => (number.saturating_mul(8), words.get(number)?.as_slice()),
        None => (words.len().saturating_mul(8), rest),
    };
    Some(start.saturating_add(bytes.iter().position(|byte| *byte == b'.')?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    #[test]
    fn the_first_dot_is_found_at_any_index_and_between_any_bytes() {
        for length in 0..40 {
            // Bytes that differ from a dot by one bit or by a borrow, and characters of two and four bytes.
            for around in ["-", "/", "\0", "\u{1}", "\u{7f}", "\u{ae}", "\u{12b2e}"] {
                let text = around.repeat(length);
                assert_eq!(split_at_dot(&text), None);
                for index in 0..=length {
                    let before = around.repeat(index);
                    for after in [around.repeat(length - index), String::from("."), String::from("..x.")] {
                        let text = [&before, ".", &after].concat();
                        assert_eq!(split_at_dot(&text), Some((before.as_str(), after.as_str())), "{text:?}");
                    }
                }
            }
        }
    }
}
