//! Signatures: length, range and encodings (RFC 8017 section 8.2.2, RFC 7518 section 3.4, RFC 8032).

use super::Case;
use crate::{
    handmade_rsa::{EXPONENT_3, second_spelling},
    keys::{ED25519, OTHER_RSA_2048, P256, P521, RSA_2048, TestKey},
    minting::{Draft, KEY_ID, SUBJECT, base64url},
};
use poolgate_core::Algorithm;

pub(super) fn cases() -> Vec<Case> {
    [content(), rsa(), ecdsa(), eddsa()].into_iter().flatten().collect()
}

fn content() -> Vec<Case> {
    let draft = Draft::access(&RSA_2048);
    let signature = draft.signature();
    let flipped = |index: usize| {
        let mut bytes = signature.clone();
        bytes[index] ^= 1;
        bytes
    };
    vec![
        Case::denied(
            "a_flipped_bit_of_the_signature_is_rejected",
            "signature-invalid",
            draft.compact_with(&flipped(255)),
        ),
        Case::denied(
            "a_flipped_bit_within_the_signature_is_rejected",
            "signature-invalid",
            draft.compact_with(&flipped(128)),
        ),
        Case::denied("a_changed_claim_is_rejected", "signature-invalid", {
            draft.clone().claim("sub", format!("\"{}\"", SUBJECT.replace('a', "b"))).compact_with(&signature)
        }),
        Case::denied("an_added_claim_is_rejected", "signature-invalid", {
            draft.clone().claim("custom:role", "\"admin\"").compact_with(&signature)
        }),
        Case::denied("a_changed_space_is_rejected", "signature-invalid", {
            draft.clone().raw_payload([&draft.payload_bytes()[..], b" "].concat()).compact_with(&signature)
        }),
        Case::denied("a_changed_header_is_rejected", "signature-invalid", {
            draft.clone().header("typ", "\"JWT\"").compact_with(&signature)
        }),
        Case::denied(
            "another_key_under_the_same_kid_is_rejected",
            "signature-invalid",
            Draft::access(&OTHER_RSA_2048).with_signature_below(&RSA_2048),
        ),
        Case::denied("the_signature_of_another_token_is_rejected", "signature-invalid", {
            draft.compact_with(&Draft::id(&RSA_2048).signature())
        }),
        Case::denied("a_signature_over_the_decoded_parts_is_rejected", "signature-invalid", {
            let decoded = [&draft.header_bytes()[..], b".", &draft.payload_bytes()].concat();
            draft.compact_with(&RSA_2048.sign(Algorithm::Rs256, &decoded))
        }),
    ]
}

fn rsa() -> Vec<Case> {
    let draft = Draft::access(&RSA_2048);
    let signature = draft.signature();
    let modulus = RSA_2048.modulus();
    let minus_one = [&modulus[..255], &[modulus[255] - 1]].concat();
    let with = |bytes: &[u8]| draft.compact_with(bytes);
    let same = |name, reason, token| Case::denied(name, reason, token);
    vec![
        same("a_signature_one_byte_short_is_rejected", "signature-length", with(&signature[..255])),
        same("a_signature_one_byte_long_is_rejected", "signature-length", with(&[&signature[..], &[0]].concat())),
        same("a_signature_with_a_leading_zero_is_rejected", "signature-length", with(&[&[0], &signature[..]].concat())),
        same("a_signature_twice_over_is_rejected", "signature-length", with(&signature.repeat(2))),
        same("the_signature_zero_is_rejected", "signature-invalid", with(&[0; 256])),
        same("the_signature_one_is_rejected", "signature-invalid", with(&[&[0; 255][..], &[1]].concat())),
        same("the_signature_n_minus_1_is_rejected", "signature-invalid", with(&minus_one)),
        same("the_signature_n_is_rejected", "signature-out-of-range", with(&modulus)),
        same("the_greatest_signature_is_rejected", "signature-out-of-range", with(&[0xff; 256])),
        same("a_signature_plus_n_is_rejected", "signature-out-of-range", signature_plus_modulus())
            .with_keys(&[EXPONENT_3.jwk(KEY_ID)]),
        same("a_signature_as_text_in_text_is_rejected", "signature-length", with(base64url(&signature).as_bytes())),
    ]
}

/// s + n is the same number modulo n. A verifier that does not compare with n accepts it as a second valid signature.
fn signature_plus_modulus() -> String {
    let modulus = EXPONENT_3.modulus();
    (0..)
        .map(|n| Draft::access(&EXPONENT_3).claim("jti", format!("\"{n}\"")))
        .find_map(|draft| second_spelling(&draft.signature(), &modulus).map(|signature| draft.compact_with(&signature)))
        .expect("every second signature has a second spelling")
}

fn ecdsa() -> Vec<Case> {
    let es256 = |name, expected: Option<&'static str>, signature: &dyn Fn(&[u8]) -> Vec<u8>| {
        of_algorithm(name, expected, &P256, Algorithm::Es256, signature)
    };
    let n = p256_order();
    vec![
        es256("an_ecdsa_signature_of_63_bytes_is_rejected", Some("signature-length"), &|rs| rs[..63].to_vec()),
        es256("an_ecdsa_signature_of_65_bytes_is_rejected", Some("signature-length"), &|rs| [rs, &[0]].concat()),
        es256("an_ecdsa_signature_in_asn1_is_rejected", Some("signature-length"), &|rs| {
            [&[0x30, 68, 2, 32][..], &rs[..32], &[2, 32], &rs[32..]].concat()
        }),
        es256("the_ecdsa_signature_zero_zero_is_rejected", Some("signature-invalid"), &|_| vec![0; 64]),
        es256("an_ecdsa_signature_with_r_zero_is_rejected", Some("signature-invalid"), &|rs| {
            [&[0; 32], &rs[32..]].concat()
        }),
        es256("an_ecdsa_signature_with_s_zero_is_rejected", Some("signature-invalid"), &|rs| {
            [&rs[..32], &[0; 32]].concat()
        }),
        es256("an_ecdsa_signature_with_r_and_s_equal_to_n_is_rejected", Some("signature-invalid"), &|_| n.repeat(2)),
        es256("an_ecdsa_signature_with_r_and_s_swapped_is_rejected", Some("signature-invalid"), &|rs| {
            [&rs[32..], &rs[..32]].concat()
        }),
        // RFC 7518 section 3.4 does not require "low s": (r, n - s) is as valid as (r, s), so a signature does not identify a token.
        es256("the_second_ecdsa_signature_of_a_token_is_accepted", None, &|rs| {
            [&rs[..32], &difference(&n, &rs[32..])].concat()
        }),
        of_algorithm(
            "an_es512_signature_of_131_bytes_is_rejected",
            Some("signature-length"),
            &P521,
            Algorithm::Es512,
            &|rs| rs[1..].to_vec(),
        ),
    ]
}

fn eddsa() -> Vec<Case> {
    let eddsa = |name, reason, signature: &dyn Fn(&[u8]) -> Vec<u8>| {
        of_algorithm(name, Some(reason), &ED25519, Algorithm::EdDsa, signature)
    };
    vec![
        eddsa("an_ed25519_signature_of_63_bytes_is_rejected", "signature-length", &|rs| rs[..63].to_vec()),
        eddsa("an_ed25519_signature_of_65_bytes_is_rejected", "signature-length", &|rs| [rs, &[0]].concat()),
        eddsa("the_ed25519_signature_zero_is_rejected", "signature-invalid", &|_| vec![0; 64]),
        // RFC 8032 section 5.1.7: S must be below L. Otherwise S + L would be a second encoding.
        eddsa("an_ed25519_signature_with_s_plus_l_is_rejected", "signature-invalid", &|rs| {
            [&rs[..32], &little_endian_sum(&rs[32..], &ED25519_ORDER)].concat()
        }),
    ]
}

/// L = 2^252 + 27742317777372353535851937790883648493, little-endian (RFC 8032 section 5.1).
const ED25519_ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// A token of this key with a changed signature.
fn of_algorithm(
    name: &'static str,
    expected: Option<&'static str>,
    key: &'static TestKey,
    algorithm: Algorithm,
    change: &dyn Fn(&[u8]) -> Vec<u8>,
) -> Case {
    let draft = Draft::access(key).signed_with(key, algorithm);
    let token = draft.compact_with(&change(&draft.signature()));
    let case = match expected {
        Some(reason) => Case::denied(name, reason, token),
        None => Case::allowed(name, token),
    };
    case.with_pool(|pool| pool.algorithms = vec![algorithm]).with_keys(&[key.jwk_for(algorithm, KEY_ID)])
}

/// n of P-256 (SEC 2 section 2.4.2).
fn p256_order() -> Vec<u8> {
    let n: [u64; 4] = [0xffff_ffff_0000_0000, 0xffff_ffff_ffff_ffff, 0xbce6_faad_a717_9e84, 0xf3b9_cac2_fc63_2551];
    n.iter().flat_map(|limb| limb.to_be_bytes()).collect()
}

/// minuend − subtrahend of two big-endian numbers of one length.
fn difference(minuend: &[u8], subtrahend: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut digits: Vec<u8> = minuend
        .iter()
        .zip(subtrahend)
        .rev()
        .map(|(left, right)| {
            let value = i16::from(*left) - i16::from(*right) - borrow;
            borrow = i16::from(value < 0);
            value.rem_euclid(256) as u8
        })
        .collect();
    digits.reverse();
    digits
}

fn little_endian_sum(left: &[u8], right: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    left.iter()
        .zip(right)
        .map(|(left, right)| {
            let total = u16::from(*left) + u16::from(*right) + carry;
            carry = total >> 8;
            (total & 0xff) as u8
        })
        .collect()
}
