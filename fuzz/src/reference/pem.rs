//! A public key on P-256 in PEM (RFC 7468 sections 3 and 13), as a SubjectPublicKeyInfo (RFC 5280 section 4.1, RFC 5480 section 2).

use super::{base64, der};
use num_bigint::BigUint;

/// The reader accepts one block and nothing else. Its lines end with LF or CRLF, and may have any length.
pub(crate) fn block(body: &[u8]) -> Option<Vec<u8>> {
    let body = std::str::from_utf8(body).ok()?;
    let body = body.strip_suffix('\n').map_or(body, |body| body.strip_suffix('\r').unwrap_or(body));
    let mut lines: Vec<&str> = body.split('\n').collect();
    let last = lines.pop()?;
    let lines: Vec<&str> = lines.into_iter().map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
    let (first, middle) = lines.split_first()?;
    if *first != "-----BEGIN PUBLIC KEY-----" || last != "-----END PUBLIC KEY-----" {
        return None;
    }
    base64::decode_standard(&middle.concat())
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
