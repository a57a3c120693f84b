//! A JWK Set with usable and spoiled keys of every type, which random bytes would hardly ever form.

use crate::drawing as arbitrary;
use crate::reference::base64::encode;
use ::arbitrary::{Arbitrary, Unstructured};
use derive_arbitrary::Arbitrary;

#[derive(Arbitrary)]
struct Plan {
    entries: Vec<Entry>,
    extra: Option<Extra>,
}

#[derive(Arbitrary)]
enum Extra {
    Unknown,
    Duplicate,
    KeysTwice,
}

#[derive(Arbitrary)]
struct Entry {
    kind: Kind,
    name: Name,
    flaws: Vec<Flaw>,
}

#[derive(Arbitrary)]
enum Kind {
    Rsa {
        bytes: u16,
        top: u8,
        low: u8,
        exponent: Exponent,
    },
    P256,
    P384,
    P521,
    Ed25519,
    /// Any point.
    AnyEd25519([u8; 32]),
    Oct,
    NoObject,
}

#[derive(Arbitrary)]
enum Exponent {
    Usual,
    Small(u8),
    Any(Vec<u8>),
}

#[derive(Arbitrary)]
enum Name {
    /// One of a few, so that some are equal.
    Short(u8),
    Long(u16),
    Empty,
    None,
    Number,
}

#[derive(Arbitrary)]
enum Flaw {
    Algorithm(u8),
    Use(u8),
    Operations(u8),
    Private(u8),
    Twice(u8),
    Nested(u8),
}

/// Returns the text of the set.
pub(super) fn set(input: &mut Unstructured<'_>) -> String {
    let Ok(plan) = Plan::arbitrary(input) else { return String::new() };
    let entries: Vec<String> = plan.entries.iter().take(14).map(text).collect();
    let extra = match plan.extra {
        None => "",
        Some(Extra::Unknown) => r#","x":[{"a":1}]"#,
        Some(Extra::Duplicate) => r#","x":[{"a":1,"a":1}]"#,
        Some(Extra::KeysTwice) => r#","keys":[]"#,
    };
    format!("{{\"keys\":[{}]{extra}}}", entries.join(","))
}

fn text(entry: &Entry) -> String {
    let mut members = match &entry.kind {
        Kind::NoObject => return "7".to_owned(),
        Kind::Oct => r#""kty":"oct","k":"AAAA""#.to_owned(),
        Kind::Rsa { bytes, top, low, exponent } => {
            // Close to the limits, and the sizes that have a kernel.
            let sizes = [256, 384, 512, 255, 257, 1_024, 1_025, 128, usize::from(*bytes) % 1_100];
            let mut modulus = vec![0xab; sizes[usize::from(*bytes) % sizes.len()]];
            if let (Some(first), true) = (modulus.first_mut(), *top > 3) {
                *first = *top;
            }
            if let Some(last) = modulus.last_mut() {
                *last = *low;
            }
            let exponent = match exponent {
                Exponent::Usual => vec![1, 0, 1],
                Exponent::Small(number) => vec![*number],
                Exponent::Any(bytes) => bytes.clone(),
            };
            format!(r#""kty":"RSA","n":"{}","e":"{}""#, encode(&modulus), encode(&exponent))
        }
        // The base points: NIST SP 800-186 section 3.2.1, RFC 8032 section 5.1.
        Kind::P256 => ec(
            "P-256",
            "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
            "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
        ),
        Kind::P384 => ec(
            "P-384",
            "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
            "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
        ),
        Kind::P521 => ec(
            "P-521",
            "00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66",
            "011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650",
        ),
        Kind::Ed25519 => okp(&bytes("5866666666666666666666666666666666666666666666666666666666666666")),
        Kind::AnyEd25519(point) => okp(point),
    };
    match &entry.name {
        Name::Short(number) => members += &format!(r#","kid":"{}""#, number % 6),
        Name::Long(length) => members += &format!(r#","kid":"{}""#, "k".repeat(usize::from(*length) % 300)),
        Name::Empty => members += r#","kid":"""#,
        Name::None => (),
        Name::Number => members += r#","kid":1"#,
    }
    for flaw in entry.flaws.iter().take(4) {
        members += &match flaw {
            Flaw::Algorithm(number) => {
                let names = ["RS256", "PS512", "ES256", "ES384", "ES512", "EdDSA", "HS256", "none"];
                format!(r#","alg":"{}""#, names[usize::from(*number) % names.len()])
            }
            Flaw::Use(number) => format!(r#","use":{}"#, [r#""sig""#, r#""enc""#, "1"][usize::from(*number) % 3]),
            Flaw::Operations(number) => {
                let lists = [r#"["verify"]"#, r#"["sign","verify"]"#, r#"["encrypt"]"#, "[]", "{}", r#"["verify",1]"#];
                format!(r#","key_ops":{}"#, lists[usize::from(*number) % lists.len()])
            }
            Flaw::Private(number) => {
                let names = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
                format!(r#","{}":"AA""#, names[usize::from(*number) % names.len()])
            }
            Flaw::Twice(number) => {
                let names = ["kty", "kid", "n", "x", "unknown"];
                format!(r#","{0}":"a","{0}":"b""#, names[usize::from(*number) % names.len()])
            }
            Flaw::Nested(depth) => {
                let depth = usize::from(*depth) % 10;
                format!(r#","x5c":{}{}"#, "[".repeat(depth + 1), "]".repeat(depth + 1))
            }
        };
    }
    format!("{{{members}}}")
}

fn ec(curve: &str, x: &str, y: &str) -> String {
    format!(r#""kty":"EC","crv":"{curve}","x":"{}","y":"{}""#, encode(&bytes(x)), encode(&bytes(y)))
}

fn okp(x: &[u8]) -> String {
    format!(r#""kty":"OKP","crv":"Ed25519","x":"{}""#, encode(x))
}

/// Decodes hexadecimal digits.
fn bytes(digits: &str) -> Vec<u8> {
    digits
        .as_bytes()
        .chunks(2)
        .map(|pair| {
            let digit =
                |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or(0);
            pair.iter().fold(0, |value, byte| value << 4 | digit(*byte))
        })
        .collect()
}
