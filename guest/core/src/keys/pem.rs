//! Parses a public key in PEM (RFC 7468 section 13), as Application Load Balancers publish their keys: one block with a key on P-256.

use super::{key_set::KeySet, key_set_error::KeySetError};
use crate::{
    config::Limits,
    signature::{PreparedKey, PublicNumbers},
};
use alloc::vec::Vec;
use base64::{Engine, engine::general_purpose::STANDARD};

const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";

/// What precedes both coordinates of an uncompressed point on P-256 in a SubjectPublicKeyInfo (RFC 5480 section 2). DER has no other encoding of
/// it: SEQUENCE { SEQUENCE { id-ecPublicKey, secp256r1 }, BIT STRING { 4, x, y } }.
const P256: [u8; 27] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];

/// The length of a coordinate, in bytes.
const COORDINATE: usize = 32;

/// Parses a body that must be one key, and nothing else but whitespace around it and at the end of a line (RFC 7468 section 2: parsers should
/// ignore it).
///
/// # Errors
/// [`KeySetError::TooLarge`], [`KeySetError::Malformed`] if it is not one PEM block with the label `PUBLIC KEY`, and
/// [`KeySetError::NoUsableKey`] if the block is not a key on P-256.
pub(super) fn parse(body: &[u8], limits: &Limits) -> Result<KeySet, KeySetError> {
    if body.len() > limits.jwks_bytes as usize {
        return Err(KeySetError::TooLarge);
    }
    let spki = decode(body).ok_or(KeySetError::Malformed)?;
    let (x, y) = coordinates(&spki).ok_or(KeySetError::NoUsableKey)?;
    let numbers = PublicNumbers::Ec { curve: "P-256", x, y };
    let key = PreparedKey::new(numbers, None).map_err(|_| KeySetError::NoUsableKey)?;
    Ok(KeySet::of_one(key))
}

/// Decodes the only block of a text.
fn decode(body: &[u8]) -> Option<Vec<u8>> {
    let mut lines = str::from_utf8(body).ok()?.trim_ascii().lines().map(str::trim_ascii_end);
    if lines.next() != Some(BEGIN) || lines.next_back() != Some(END) {
        return None;
    }
    // A line with anything but base64 is found by the decoder; a padding in the middle, too.
    STANDARD.decode(lines.collect::<Vec<_>>().concat()).ok()
}

fn coordinates(spki: &[u8]) -> Option<(&[u8], &[u8])> {
    let point = spki.strip_prefix(&P256)?;
    let (x, y) = point.split_at_checked(COORDINATE)?;
    (y.len() == COORDINATE).then_some((x, y))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Algorithm, keys::UnnamedKeys};
    use alloc::{format, string::String};

    /// The base point of P-256 (SEC 2 section 2.4.2), as a public key.
    const KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt\n6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\n";

    fn pem(label: &str, base64: &str) -> String {
        format!("-----BEGIN {label}-----\n{base64}-----END {label}-----\n")
    }

    fn error(text: &str) -> Option<KeySetError> {
        parse(text.as_bytes(), &Limits::default()).err()
    }

    #[test]
    fn a_key_on_p256_is_usable_for_es256_alone() {
        let good = pem("PUBLIC KEY", KEY);
        for text in [
            good.clone(),
            good.trim_end().into(),
            good.replace('\n', "\r\n"),
            good.replace('\n', " \t\n"),
            good.replace('\n', "\n\n"),
            format!("\n {good}\r\n\r\n"),
            pem("PUBLIC KEY", &KEY.replacen('\n', "", 1)),
        ] {
            let set = parse(text.as_bytes(), &Limits::default()).unwrap();
            assert!(set.find(Some("any"), Algorithm::Es256, UnnamedKeys::Accepted).is_ok(), "{text}");
            assert!(set.find(Some("any"), Algorithm::Es384, UnnamedKeys::Accepted).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_not_one_block_is_malformed() {
        let good = pem("PUBLIC KEY", KEY);
        for text in [
            String::new(),
            "{}".into(),
            KEY.into(),
            good.repeat(2),
            format!("x{good}"),
            format!("{good}x"),
            format!("{good}\u{a0}"),
            format!("{good}\0"),
            good.replace('\n', "\n "),
            good.replace('\n', "\r"),
            good.replace("END PUBLIC", "END  PUBLIC"),
            format!("Subject: x\n{good}"),
            format!("\u{feff}{good}"),
            pem("EC PRIVATE KEY", KEY),
            pem("CERTIFICATE", KEY),
            pem("public key", KEY),
            pem("PUBLIC KEY ", KEY),
            good.replace("-----END PUBLIC KEY-----", "-----END CERTIFICATE-----"),
            good.replace("-----END PUBLIC KEY-----\n", ""),
            good.replace("-----BEGIN PUBLIC KEY-----\n", ""),
            pem("PUBLIC KEY", "*AAA\n"),
            pem("PUBLIC KEY", &KEY.replace("==", "")),
            pem("PUBLIC KEY", &KEY.replace("9Q==", "9R==")),
            pem("PUBLIC KEY", &KEY.replace("/hp/", "_hp_")),
            pem("PUBLIC KEY", &KEY.replacen('M', "M ", 1)),
        ] {
            assert_eq!(error(&text), Some(KeySetError::Malformed), "{text:?}");
        }
    }

    #[test]
    fn another_kind_of_key_is_not_usable() {
        let der = STANDARD.decode(KEY.replace('\n', "")).unwrap();
        let with = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut der = der.clone();
            change(&mut der);
            pem("PUBLIC KEY", &format!("{}\n", STANDARD.encode(der)))
        };
        for text in [
            pem("PUBLIC KEY", ""),
            // secp256k1: another object identifier.
            with(&|der| der[22] = 0x0a),
            // The point at infinity has no coordinates, and this is no point of the curve.
            with(&|der| der[90] ^= 1),
            with(&|der| der.push(0)),
            with(&|der| der.truncate(90)),
            // A compressed point.
            with(&|der| der[26] = 2),
            with(&|der| der[25] = 1),
        ] {
            assert_eq!(error(&text), Some(KeySetError::NoUsableKey), "{text:?}");
        }
    }

    #[test]
    fn a_body_over_the_limit_is_not_read() {
        let limits = Limits { jwks_bytes: 10, ..Limits::default() };
        assert_eq!(parse(pem("PUBLIC KEY", KEY).as_bytes(), &limits).err(), Some(KeySetError::TooLarge));
    }
}
