//! The first room: the compact serialization (RFC 7515 section 7.1), split and nothing more.

use crate::{Reason, base64url};
use alloc::vec::Vec;

/// A token of exactly three parts within the size limit. The parts are not decoded yet.
#[derive(Clone, Copy)]
pub struct CompactJws<'a> {
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
    signing_input: &'a str,
}

impl<'a> CompactJws<'a> {
    /// Splits a token of at most `limit` bytes.
    ///
    /// # Errors
    /// [`Reason::TokenEmpty`], [`Reason::TokenTooLarge`], [`Reason::TokenEncrypted`] for five parts, and
    /// [`Reason::TokenNotThreeParts`] for any other number but three.
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
        Ok(Self { header, payload, signature, signing_input })
    }

    /// The decoded JOSE header.
    pub fn header(&self) -> Result<Vec<u8>, Reason> {
        decode(self.header)
    }

    /// The decoded payload.
    pub fn payload(&self) -> Result<Vec<u8>, Reason> {
        decode(self.payload)
    }

    /// The decoded signature.
    pub fn signature(&self) -> Result<Vec<u8>, Reason> {
        decode(self.signature)
    }

    /// What was signed: the first two parts with the dot between them (RFC 7515 section 5.2, step 8).
    pub fn signing_input(&self) -> &'a [u8] {
        self.signing_input.as_bytes()
    }
}

/// What is before the first dot, and what is behind it.
fn split_at_dot(text: &str) -> Option<(&str, &str)> {
    let (before, rest) = text.split_at_checked(first_dot(text)?)?;
    Some((before, rest.strip_prefix('.')?))
}

/// Where the first dot is, looked for in eight bytes at a time: on wasm32 a library's search takes several times as long.
fn first_dot(text: &str) -> Option<usize> {
    const ONES: u64 = u64::MAX / 0xff;
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let has_dot = |word: &[u8; 8]| {
        // A dot becomes a zero; what is tested then is whether any byte is zero (Warren, "Hacker's Delight", section 6-1).
        let word = u64::from_le_bytes(*word) ^ ONES.wrapping_mul(b'.'.into());
        word.wrapping_sub(ONES) & !word & (ONES << 7) != 0
    };
    let (start, bytes) = match words.iter().position(has_dot) {
        Some(number) => (number.saturating_mul(8), words.get(number)?.as_slice()),
        None => (words.len().saturating_mul(8), rest),
    };
    Some(start.saturating_add(bytes.iter().position(|byte| *byte == b'.')?))
}

fn decode(part: &str) -> Result<Vec<u8>, Reason> {
    base64url::decode(part).map_err(|fault| match fault {
        base64url::DecodeError::Invalid => Reason::EncodingInvalid,
        base64url::DecodeError::Padded => Reason::EncodingPadded,
        base64url::DecodeError::NotCanonical => Reason::EncodingNotCanonical,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    #[test]
    fn the_first_dot_is_found_wherever_it_is_and_whatever_is_around_it() {
        for length in 0..40 {
            // Neighbours of the dot in every way that a borrow or a bit could mistake, and characters of two and four bytes.
            for around in ["-", "/", "\0", "\u{1}", "\u{7f}", "\u{ae}", "\u{12b2e}"] {
                let text = around.repeat(length);
                assert_eq!(split_at_dot(&text), None);
                for place in 0..=length {
                    let before = around.repeat(place);
                    for after in [around.repeat(length - place), String::from("."), String::from("..x.")] {
                        let text = [&before, ".", &after].concat();
                        assert_eq!(split_at_dot(&text), Some((before.as_str(), after.as_str())), "{text:?}");
                    }
                }
            }
        }
    }
}
