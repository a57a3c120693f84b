//! A public key on P-256 in PEM (RFC 7468 sections 3 and 13), as a SubjectPublicKeyInfo (RFC 5280 section 4.1, RFC 5480 section 2).

use super::{base64, der};
use num_bigint::BigUint;

/// The reader accepts one block and nothing else but whitespace, around it and at the end of a line. Its lines end with LF or CRLF, and may have any
/// length.
pub(crate) fn block(body: &[u8]) -> Option<Vec<u8>> {
    let text = without_space_at_end(body);
    let text = &text[text.iter().take_while(|byte| is_space(**byte)).count()..];
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').map(without_space_at_end).collect();
    match lines.as_slice() {
        [b"-----BEGIN PUBLIC KEY-----", base64 @ .., b"-----END PUBLIC KEY-----"] => {
            base64::decode_standard(str::from_utf8(&base64.concat()).ok()?)
        }
        _ => None,
    }
}

fn without_space_at_end(text: &[u8]) -> &[u8] {
    let spaces = text.iter().rev().take_while(|byte| is_space(**byte)).count();
    &text[..text.len() - spaces]
}

/// Space, tab, and the characters that end lines and pages.
fn is_space(byte: u8) -> bool {
    [b' ', b'\t', b'\n', b'\r', 0x0c].contains(&byte)
}

/// Reads `SEQUENCE { SEQUENCE { OID id-ecPublicKey, OID secp256r1 }, BIT STRING }` whose bits are an uncompressed point (SEC 1 section 2.3.3).
/// Returns its coordinates.
pub(crate) fn point(spki: &[u8]) -> Option<[Vec<u8>; 2]> {
    let info = der::only(der::SEQUENCE, spki)?;
    let (algorithm, rest) = der::first(der::SEQUENCE, info)?;
    let (kind, curve) = der::first(der::OBJECT_IDENTIFIER, algorithm)?;
    let curve = der::only(der::OBJECT_IDENTIFIER, curve)?;
    let bits = der::only(der::BIT_STRING, rest)?;
    if der::arcs(kind)? != [1, 2, 840, 10045, 2, 1] || der::arcs(curve)? != [1, 2, 840, 10045, 3, 1, 7] {
        return None;
    }
    let [0, 4, coordinates @ ..] = bits else { return None };
    let (x, y) = coordinates.split_at_checked(32).filter(|(_, y)| y.len() == 32)?;
    is_on_curve(x, y).then(|| [x.to_vec(), y.to_vec()])
}

/// y² = x³ − 3x + b (SEC 2 section 2.4.2; FIPS 186-4 appendix D.1.2.3).
fn is_on_curve(x: &[u8], y: &[u8]) -> bool {
    const P: &[u8] = b"ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
    const B: &[u8] = b"5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b";
    let number = |hexadecimal: &[u8]| BigUint::parse_bytes(hexadecimal, 16).expect("a constant");
    let (p, b) = (number(P), number(B));
    let (x, y) = (BigUint::from_bytes_be(x), BigUint::from_bytes_be(y));
    // p − 3 is −3.
    x < p && y < p && (&y * &y) % &p == (&x * &x * &x + (&p - 3u32) * &x + b) % &p
}
