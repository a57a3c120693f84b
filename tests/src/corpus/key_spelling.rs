//! Numbers of keys that are spelled differently from RFC 7518. They are judged by their value, because the issuer publishes them. A member that is
//! `null` is absent. EdDSA has two names.

use super::Case;
use crate::{
    handmade_rsa::BITS_1024,
    keys::{ED25519, P256, RSA_2048, TestKey},
    minting::{Draft, KEY_ID, base64url, unbase64url, with_unused_bit},
};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING,
    EcdsaSigningAlgorithm,
};
use poolgate_core::{Algorithm, KeyError};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// Keys with a coordinate that begins with a zero.
static SHORT_P256: LazyLock<TestKey> = LazyLock::new(|| short("P-256", &ECDSA_P256_SHA256_FIXED_SIGNING));
static SHORT_P384: LazyLock<TestKey> = LazyLock::new(|| short("P-384", &ECDSA_P384_SHA384_FIXED_SIGNING));
static SHORT_P521: LazyLock<TestKey> = LazyLock::new(|| short("P-521", &ECDSA_P521_SHA512_FIXED_SIGNING));

pub(super) fn cases() -> Vec<Case> {
    [leading_zeros(), alphabets(), coordinates(), nulls(), certificates(), names_of_eddsa()]
        .into_iter()
        .flatten()
        .collect()
}

fn accepted(name: &'static str, key: &'static TestKey, algorithm: Algorithm, jwk: Value) -> Case {
    let case = Case::allowed(name, Draft::access(key).signed_with(key, algorithm));
    case.with_pool(|pool| pool.algorithms = vec![algorithm]).with_keys(&[jwk])
}

fn rsa(name: &'static str, jwk: Value) -> Case {
    accepted(name, &RSA_2048, Algorithm::Rs256, jwk)
}

fn rejected(name: &'static str, fault: KeyError, member: &'static str, jwk: Value) -> Case {
    Case::denied(name, "key-refused", Draft::access(&RSA_2048)).with_keys(&[jwk]).with_key_error(fault, member)
}

/// The key of the pool with another member.
fn with(member: &str, value: impl Into<Value>) -> Value {
    with_member(&RSA_2048, member, value)
}

fn with_member(key: &TestKey, member: &str, value: impl Into<Value>) -> Value {
    let mut jwk = key.jwk(KEY_ID);
    jwk[member] = value.into();
    jwk
}

fn text(key: &TestKey, member: &str) -> String {
    key.jwk("")[member].as_str().expect("a member").to_owned()
}

fn short(curve: &'static str, algorithm: &'static EcdsaSigningAlgorithm) -> TestKey {
    let starts_with_zero = |key: &TestKey| ["x", "y"].iter().any(|name| unbase64url(&text(key, name))[0] == 0);
    (0..).map(|_| TestKey::ec(curve, algorithm)).find(starts_with_zero).expect("one key in 128")
}

fn leading_zeros() -> Vec<Case> {
    let zeros = |count: usize, number: &[u8]| base64url(&[&vec![0; count][..], number].concat());
    let modulus = RSA_2048.modulus();
    vec![
        rsa("a_modulus_with_a_leading_zero_is_accepted", with("n", zeros(1, &modulus))),
        rsa("a_modulus_with_many_leading_zeros_is_accepted", with("n", zeros(300, &modulus))),
        rsa("an_exponent_with_a_leading_zero_is_accepted", with("e", zeros(1, &[1, 0, 1]))),
        rsa("an_exponent_of_eleven_bytes_with_leading_zeros_is_accepted", with("e", zeros(8, &[1, 0, 1]))),
        Case::denied("leading_zeros_do_not_lengthen_a_signature", "signature-length", {
            let draft = Draft::access(&RSA_2048);
            draft.compact_with(&[&[0][..], &draft.signature()].concat())
        })
        .with_keys(&[with("n", zeros(1, &modulus))]),
        Case::denied(
            "leading_zeros_do_not_lengthen_a_short_modulus",
            "key-refused",
            Draft::access(&RSA_2048).signed_by(&BITS_1024),
        )
        .with_keys(&[with_member(&BITS_1024, "n", zeros(128, &BITS_1024.modulus()))])
        .with_key_error(KeyError::ModulusTooSmall, "n"),
        rejected("a_modulus_of_zeros_is_rejected", KeyError::ModulusTooSmall, "n", with("n", zeros(256, &[]))),
        rejected("leading_zeros_do_not_hide_an_exponent_of_1", KeyError::BadExponent, "e", with("e", zeros(2, &[1]))),
        rejected("leading_zeros_do_not_hide_a_long_exponent", KeyError::BadExponent, "e", {
            with("e", zeros(2, &[1, 0, 0, 0, 0, 0, 0, 0, 13]))
        }),
        rejected("leading_zeros_do_not_hide_a_long_modulus", KeyError::ModulusTooLarge, "n", {
            with("n", zeros(1, &[0xff; 1025]))
        }),
        rejected("zeros_after_a_modulus_are_part_of_it", KeyError::ModulusEven, "n", {
            with("n", base64url(&[&modulus[..], &[0]].concat()))
        }),
    ]
}

fn alphabets() -> Vec<Case> {
    let n = text(&RSA_2048, "n");
    let standard = n.replace('-', "+").replace('_', "/");
    let bad = |name, value: String| rejected(name, KeyError::BadEncoding, "n", with("n", value));
    let (left, right) = n.split_at(100);
    vec![
        rsa("a_padded_modulus_is_accepted", with("n", format!("{n}=="))),
        rsa("a_padded_exponent_is_accepted", with("e", "AQAB=")),
        rsa("a_modulus_in_the_standard_alphabet_is_accepted", with("n", standard.clone())),
        rsa("a_padded_modulus_in_the_standard_alphabet_is_accepted", with("n", format!("{standard}=="))),
        accepted("a_padded_coordinate_is_accepted", &P256, Algorithm::Es256, {
            with_member(&P256, "x", format!("{}=", text(&P256, "x")))
        }),
        accepted("a_padded_ed25519_key_is_accepted", &ED25519, Algorithm::EdDsa, {
            with_member(&ED25519, "x", format!("{}=", text(&ED25519, "x")))
        }),
        bad("a_modulus_with_three_padding_characters_is_rejected", format!("{n}===")),
        bad("a_modulus_with_padding_within_is_rejected", format!("{left}={right}")),
        bad("a_modulus_with_a_space_is_rejected", format!("{left} {right}")),
        bad("a_modulus_with_a_final_newline_is_rejected", format!("{n}\n")),
        bad("a_modulus_of_an_impossible_length_is_rejected", format!("{n}AAA")),
        bad("a_modulus_with_an_unused_bit_is_rejected", with_unused_bit(&n).expect("256 bytes leave unused bits")),
        bad("a_modulus_in_hexadecimal_with_a_prefix_is_rejected", "0x:c0ffee".to_owned()),
        rejected("an_exponent_outside_the_alphabet_is_rejected", KeyError::BadEncoding, "e", with("e", "AQ*B")),
    ]
}

fn coordinates() -> Vec<Case> {
    let trimmed = |key: &TestKey| {
        let mut jwk = key.jwk(KEY_ID);
        for name in ["x", "y"] {
            let bytes = unbase64url(&text(key, name));
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            jwk[name] = base64url(&bytes[zeros..]).into();
        }
        jwk
    };
    let extended = |key: &TestKey, name: &str| base64url(&[&[0][..], &unbase64url(&text(key, name))].concat());
    let ed25519 = |name, x: Vec<u8>| {
        Case::denied(name, "key-refused", Draft::access(&ED25519).signed_with(&ED25519, Algorithm::EdDsa))
            .with_pool(|pool| pool.algorithms = vec![Algorithm::EdDsa])
            .with_keys(&[with_member(&ED25519, "x", base64url(&x))])
            .with_key_error(KeyError::BadEncoding, "x")
    };
    let x = unbase64url(&text(&ED25519, "x"));
    vec![
        accepted("a_short_coordinate_on_p256_is_accepted", &SHORT_P256, Algorithm::Es256, trimmed(&SHORT_P256)),
        accepted("a_short_coordinate_on_p384_is_accepted", &SHORT_P384, Algorithm::Es384, trimmed(&SHORT_P384)),
        accepted("a_short_coordinate_on_p521_is_accepted", &SHORT_P521, Algorithm::Es512, trimmed(&SHORT_P521)),
        accepted("a_coordinate_with_a_leading_zero_is_accepted", &P256, Algorithm::Es256, {
            with_member(&P256, "y", extended(&P256, "y"))
        }),
        ed25519("an_ed25519_key_with_a_leading_zero_is_rejected", [&[0][..], &x].concat()),
        ed25519("an_ed25519_key_with_a_final_zero_is_rejected", [&x[..], &[0]].concat()),
    ]
}

fn nulls() -> Vec<Case> {
    const OPTIONAL: [&str; 14] =
        ["use", "key_ops", "alg", "x5u", "x5c", "x5t", "x5t#S256", "d", "p", "q", "dp", "dq", "qi", "oth"];
    let missing = |name, member| rejected(name, KeyError::MissingMember, member, with(member, Value::Null));
    let mut of_p256 = P256.jwk_for(Algorithm::Es256, KEY_ID);
    ["d", "k", "n", "e", "key_ops"].iter().for_each(|name| of_p256[name] = Value::Null);
    vec![
        rsa("optional_members_of_a_key_that_are_null_are_absent", {
            OPTIONAL.iter().fold(RSA_2048.jwk(KEY_ID), |mut jwk, name| {
                jwk[name] = Value::Null;
                jwk
            })
        }),
        accepted("members_of_other_families_that_are_null_are_absent", &P256, Algorithm::Es256, of_p256),
        missing("a_modulus_that_is_null_is_missing", "n"),
        missing("an_exponent_that_is_null_is_missing", "e"),
        Case::denied("a_curve_that_is_null_is_missing", "key-refused", {
            Draft::access(&P256).signed_with(&P256, Algorithm::Es256)
        })
        .with_pool(|pool| pool.algorithms = vec![Algorithm::Es256])
        .with_keys(&[with_member(&P256, "crv", Value::Null)])
        .with_key_error(KeyError::MissingMember, "crv"),
        Case::denied("a_kty_that_is_null_is_missing", "key-refused", Draft::access(&RSA_2048))
            .with_keys(&[with("kty", Value::Null)])
            .with_error_of_whole_key(KeyError::NoKeyType),
        Case::denied("a_kid_of_a_key_that_is_null_is_missing", "keys-unavailable", Draft::access(&RSA_2048))
            .with_keys(&[with("kid", Value::Null)])
            .with_error_of_whole_key(KeyError::NoKeyId),
        rejected("a_private_member_of_any_other_type_is_rejected", KeyError::PrivateMember, "d", with("d", false)),
        rejected("an_empty_private_member_is_rejected", KeyError::PrivateMember, "d", with("d", "")),
    ]
}

fn certificates() -> Vec<Case> {
    let chain = json!(["MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"]);
    let mut only = json!({"kty": "RSA", "kid": KEY_ID, "use": "sig"});
    only["x5c"] = chain.clone();
    let mut of_p256 = json!({"kty": "EC", "kid": KEY_ID, "crv": "P-256"});
    of_p256["x5c"] = chain.clone();
    let mut null = json!({"kty": "RSA", "kid": KEY_ID, "e": "AQAB"});
    null["x5c"] = Value::Null;
    vec![
        rsa("a_certificate_beside_the_numbers_is_ignored", with("x5c", chain)),
        rejected("a_key_with_a_certificate_alone_is_rejected", KeyError::CertificateOnly, "n", only),
        rejected("an_ec_key_with_a_certificate_alone_is_rejected", KeyError::CertificateOnly, "x", of_p256),
        rejected("a_certificate_that_is_null_is_none", KeyError::MissingMember, "n", null),
    ]
}

/// RFC 9864 section 2.2: `Ed25519` is the fully specified name of what RFC 8037 calls `EdDSA`.
fn names_of_eddsa() -> Vec<Case> {
    let token = |alg: &str| {
        let draft = Draft::access(&ED25519).signed_with(&ED25519, Algorithm::EdDsa);
        draft.header("alg", format!("\"{alg}\""))
    };
    let published =
        |case: Case, jwk: Value| case.with_pool(|pool| pool.algorithms = vec![Algorithm::EdDsa]).with_keys(&[jwk]);
    let named = |alg: &str| with_member(&ED25519, "alg", alg);
    vec![
        published(Case::allowed("ed25519_is_a_name_of_eddsa_in_tokens", token("Ed25519")), ED25519.jwk(KEY_ID)),
        published(Case::allowed("a_token_of_ed25519_fits_a_key_for_eddsa", token("Ed25519")), named("EdDSA")),
        published(Case::allowed("a_token_of_eddsa_fits_a_key_for_ed25519", token("EdDSA")), named("Ed25519")),
        published(Case::allowed("a_token_of_ed25519_fits_a_key_for_ed25519", token("Ed25519")), named("Ed25519")),
        published(
            Case::denied("ed448_is_rejected", "algorithm-not-allowed", token("Ed448")),
            with_member(&ED25519, "crv", "Ed448"),
        ),
        published(
            Case::denied("ed25519_in_small_letters_is_rejected", "algorithm-not-allowed", token("ed25519")),
            ED25519.jwk(KEY_ID),
        ),
        published(
            Case::denied("a_key_on_the_curve_ed448_is_rejected", "key-refused", token("EdDSA")),
            with_member(&ED25519, "crv", "Ed448"),
        )
        .with_key_error(KeyError::UnsupportedKeyType, "crv"),
        published(
            Case::denied("ed25519_with_the_kid_of_an_rsa_key_is_rejected", "algorithm-mismatch", token("Ed25519")),
            RSA_2048.jwk(KEY_ID),
        ),
        rejected("an_rsa_key_for_ed25519_is_rejected", KeyError::AlgorithmMismatch, "alg", with("alg", "Ed25519")),
    ]
}
