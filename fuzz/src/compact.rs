//! The compact serialization in both of its grammars, compared with a simple reference: without padding (RFC 7515 section 2), and with exactly
//! the padding that each part needs, as load balancers write it.
//!
//! Oracles: the number of parts, each decoded part and the reason for a rejection are those of the reference. A token that decodes is the
//! only encoding of its bytes in its grammar, so encoding them results in the same token. In the other grammar, the same bytes have another
//! token, unless no part needs padding.

use crate::reference::base64::{decode, decode_padded, encode, encode_padded};
use poolgate_core::{Reason, compact::CompactJws};

/// How a grammar is implemented, and its reference.
struct Grammar {
    name: &'static str,
    split: for<'t> fn(&'t str, usize) -> Result<CompactJws<'t>, Reason>,
    decode: fn(&str) -> Result<Vec<u8>, Reason>,
    encode: fn(&[u8]) -> String,
}

const UNPADDED: Grammar =
    Grammar { name: "unpadded", split: |token, limit| CompactJws::split(token, limit), decode, encode };
const PADDED: Grammar = Grammar {
    name: "padded",
    split: |token, limit| CompactJws::split_padded(token, limit),
    decode: decode_padded,
    encode: encode_padded,
};

/// The input is a limit of two bytes, little-endian, followed by a token. Bytes that are not UTF-8 are replaced.
pub fn run(data: &[u8]) {
    let Some((limit, token)) = data.split_first_chunk::<2>() else { return };
    let limit = usize::from(u16::from_le_bytes(*limit));
    let token = &*String::from_utf8_lossy(token);
    for (grammar, other) in [(UNPADDED, PADDED), (PADDED, UNPADDED)] {
        let Some(parts) = decoded(&grammar, token, limit) else { continue };
        let again = parts.each_ref().map(|bytes| (grammar.encode)(bytes)).join(".");
        assert_eq!(again, token, "another encoding of the same bytes, {}", grammar.name);
        let counterpart = parts.each_ref().map(|bytes| (other.encode)(bytes)).join(".");
        let in_other = decoded(&other, &counterpart, usize::MAX);
        assert_eq!(in_other.as_ref(), Some(&parts), "{counterpart:?}, {}", other.name);
        if counterpart != token {
            let accepted = decoded(&other, token, usize::MAX);
            assert_eq!(accepted, None, "{token:?} is accepted in both grammars");
        }
    }
}

/// Returns the three parts of a token, if it is in the grammar. Checks that this is the result of the reference.
fn decoded(grammar: &Grammar, token: &str, limit: usize) -> Option<[Vec<u8>; 3]> {
    let name = grammar.name;
    let parts: Vec<&str> = token.split('.').collect();
    let expected = match parts.as_slice() {
        _ if token.is_empty() => Err(Reason::TokenEmpty),
        _ if token.len() > limit => Err(Reason::TokenTooLarge),
        [header, payload, signature] => Ok([*header, *payload, *signature]),
        [_, _, _, _, _] => Err(Reason::TokenEncrypted),
        _ => Err(Reason::TokenNotThreeParts),
    };
    let (jws, parts) = match ((grammar.split)(token, limit), expected) {
        (Ok(jws), Ok(parts)) => (jws, parts),
        (came, expected) => {
            assert_eq!(came.err(), expected.err(), "{token:?} within {limit} bytes, {name}");
            return None;
        }
    };
    let signing_input = format!("{}.{}", parts[0], parts[1]);
    assert_eq!(jws.signing_input(), signing_input.as_bytes(), "the signing input of {token:?}, {name}");
    let decoded = [jws.header(), jws.payload(), jws.signature()];
    for (part, came) in parts.iter().zip(&decoded) {
        assert_eq!(*came, (grammar.decode)(part), "{part:?}, {name}");
    }
    let [Ok(header), Ok(payload), Ok(signature)] = decoded else { return None };
    Some([header, payload, signature])
}
