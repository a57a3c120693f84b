//! base64url without padding (RFC 4648 section 5), a bit at a time.

use poolgate_core::Reason;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Decodes a canonical encoding.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, Reason> {
    if text.contains('=') {
        return Err(Reason::EncodingPadded);
    }
    let mut bits = Vec::new();
    for byte in text.bytes() {
        let value = ALPHABET.iter().position(|letter| *letter == byte).ok_or(Reason::EncodingInvalid)?;
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

/// Encodes bytes.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let bits: Vec<bool> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1)).collect();
    let letter = |bits: &[bool]| {
        let value = (0..6).fold(0, |value, at| value << 1 | usize::from(bits.get(at).copied().unwrap_or(false)));
        char::from(ALPHABET[value])
    };
    bits.chunks(6).map(letter).collect()
}
