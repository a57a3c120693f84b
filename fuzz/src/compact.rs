//! The compact serialization, compared with a simple reference.
//!
//! Oracles: the number of parts, each decoded part and the reason for a rejection are those of the reference. A token that decodes is the
//! only encoding of its bytes, so encoding them results in the same token.

use crate::reference::base64url::{decode, encode};
use poolgate_core::{Reason, compact::CompactJws};

/// The input is a limit of two bytes, little-endian, followed by a token. Bytes that are not UTF-8 are replaced.
pub fn run(data: &[u8]) {
    let Some((limit, token)) = data.split_first_chunk::<2>() else { return };
    let limit = usize::from(u16::from_le_bytes(*limit));
    let token = &*String::from_utf8_lossy(token);
    let parts: Vec<&str> = token.split('.').collect();
    let expected = match parts.as_slice() {
        _ if token.is_empty() => Err(Reason::TokenEmpty),
        _ if token.len() > limit => Err(Reason::TokenTooLarge),
        [header, payload, signature] => Ok([*header, *payload, *signature]),
        [_, _, _, _, _] => Err(Reason::TokenEncrypted),
        _ => Err(Reason::TokenNotThreeParts),
    };
    let (jws, parts) = match (CompactJws::split(token, limit), expected) {
        (Ok(jws), Ok(parts)) => (jws, parts),
        (came, expected) => {
            assert_eq!(came.err(), expected.err(), "{token:?} within {limit} bytes");
            return;
        }
    };
    let signing_input = format!("{}.{}", parts[0], parts[1]);
    assert_eq!(jws.signing_input(), signing_input.as_bytes(), "the signing input of {token:?}");
    let decoded = [jws.header(), jws.payload(), jws.signature()];
    for (part, came) in parts.iter().zip(&decoded) {
        assert_eq!(*came, decode(part), "{part:?}");
    }
    if let [Ok(header), Ok(payload), Ok(signature)] = &decoded {
        let again = [header, payload, signature].map(|bytes| encode(bytes)).join(".");
        assert_eq!(again, token, "another encoding of the same bytes");
    }
}
