//! base64url (RFC 4648 section 5) and base64 (section 4), a bit at a time.

use poolgate_core::Reason;
use std::cmp::Ordering;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Decodes a canonical encoding without padding.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, Reason> {
    decode_with(ALPHABET, text)
}

/// Decodes a canonical encoding that is padded to a multiple of four characters.
pub(crate) fn decode_padded(text: &str) -> Result<Vec<u8>, Reason> {
    decode_padded_with(ALPHABET, text)
}

/// Decodes canonical and padded base64. It returns `None` for anything else.
pub(crate) fn decode_standard(text: &str) -> Option<Vec<u8>> {
    decode_padded_with(STANDARD, text).ok()
}

fn decode_padded_with(alphabet: &[u8; 64], text: &str) -> Result<Vec<u8>, Reason> {
    let letters = text.trim_end_matches('=');
    match text.len().cmp(&letters.len().next_multiple_of(4)) {
        Ordering::Less => Err(Reason::EncodingInvalid),
        Ordering::Equal => decode_with(alphabet, letters),
        Ordering::Greater => Err(Reason::EncodingPadded),
    }
}

fn decode_with(alphabet: &[u8; 64], text: &str) -> Result<Vec<u8>, Reason> {
    if text.contains('=') {
        return Err(Reason::EncodingPadded);
    }
    let mut bits = Vec::new();
    for byte in text.bytes() {
        let value = alphabet.iter().position(|letter| *letter == byte).ok_or(Reason::EncodingInvalid)?;
        bits.extend((0..6).rev().map(|bit| value >> bit & 1 == 1));
    }
    let octets = bits.chunks_exact(8);
    match octets.remainder() {
        // A complete character that belongs to no byte.
        rest if rest.len() >= 6 => Err(Reason::EncodingInvalid),
        rest if rest.contains(&true) => Err(Reason::EncodingNotCanonical),
        _ => Ok(octets.map(|octet| octet.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit))).collect()),
    }
}

/// Encodes bytes without padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    encode_with(ALPHABET, bytes)
}

/// Encodes bytes with padding.
pub(crate) fn encode_padded(bytes: &[u8]) -> String {
    padded(&encode(bytes))
}

/// Encodes bytes as padded base64.
pub(crate) fn encode_standard(bytes: &[u8]) -> String {
    padded(&encode_with(STANDARD, bytes))
}

/// Pads a text to a multiple of four characters.
pub(crate) fn padded(text: &str) -> String {
    let missing = text.len().next_multiple_of(4) - text.len();
    format!("{text}{}", "=".repeat(missing))
}

fn encode_with(alphabet: &[u8; 64], bytes: &[u8]) -> String {
    let bits: Vec<bool> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1)).collect();
    let letter = |bits: &[bool]| {
        let value = (0..6).fold(0, |value, at| value << 1 | usize::from(bits.get(at).copied().unwrap_or(false)));
        char::from(alphabet[value])
    };
    bits.chunks(6).map(letter).collect()
}
