//! The lookup of a key by `kid`, and every kind of published key that is rejected (RFC 7517, RFC 7518 section 6, RFC 8037 section 2).

use super::{Case, SECOND_KEY_ID};
use crate::{
    handmade_rsa::{BITS_1024, EXPONENT_1, EXPONENT_LONG},
    keys::{ED25519, OTHER_RSA_2048, P256, RSA_2048, TestKey, jwks, rsa_jwk},
    minting::{Draft, ISSUER, KEY_ID, NOW, base64url},
};
use poolgate_core::{Algorithm, KeyError};
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    [lookup(), purpose(), numbers(), sets()].into_iter().flatten().collect()
}

fn access() -> Draft {
    Draft::access(&RSA_2048)
}

/// A token with a valid signature that is rejected because of its key.
fn rejected(name: &'static str, fault: KeyError, member: &'static str, key: &'static TestKey, jwk: Value) -> Case {
    let case = Case::denied(name, "key-refused", Draft::access(&RSA_2048).signed_by(key));
    case.with_keys(&[jwk]).with_key_error(fault, member)
}

/// The key of the pool with another member.
fn with(name: &str, value: Value) -> Value {
    let mut jwk = RSA_2048.jwk(KEY_ID);
    jwk[name] = value;
    jwk
}

fn lookup() -> Vec<Case> {
    let kid = |name: &str| access().header("kid", format!("\"{name}\""));
    let mut unseeded = Case::denied("a_pool_without_keys_can_not_judge", "keys-unavailable", access());
    unseeded.seeds.clear();
    vec![
        Case::allowed("the_second_key_of_a_set_is_found", {
            Draft::access(&OTHER_RSA_2048).header("kid", format!("\"{SECOND_KEY_ID}\""))
        }),
        Case::denied(
            "the_kid_of_another_key_of_the_set_is_rejected",
            "signature-invalid",
            kid(SECOND_KEY_ID).with_signature_below(&OTHER_RSA_2048),
        ),
        Case::denied("an_unknown_kid_is_rejected", "key-unknown", kid("unknown")),
        Case::denied("a_kid_that_looks_alike_is_rejected", "key-unknown", kid(&KEY_ID.replace('M', "М"))),
        Case::denied("a_kid_in_another_case_is_rejected", "key-unknown", kid(&KEY_ID.to_lowercase())),
        Case::denied("a_kid_with_a_space_is_rejected", "key-unknown", kid(&format!("{KEY_ID} "))),
        Case::denied("a_kid_with_a_nul_is_rejected", "key-unknown", kid(&format!("{KEY_ID}\\u0000"))),
        Case::denied("a_kid_that_is_a_path_is_just_a_name", "key-unknown", kid("../../dev/null")),
        Case::denied("another_normal_form_of_a_kid_is_another_kid", "key-unknown", kid("cle\u{301}"))
            .with_keys(&[RSA_2048.jwk("cl\u{e9}")]),
        unseeded,
    ]
}

fn purpose() -> Vec<Case> {
    let own = |name, fault, member, jwk| rejected(name, fault, member, &RSA_2048, jwk);
    let whole = |name, fault, jwk: Value| {
        Case::denied(name, "key-refused", access()).with_keys(&[jwk]).with_error_of_whole_key(fault)
    };
    let text = RSA_2048.jwk(KEY_ID).to_string();
    vec![
        Case::allowed("a_key_without_alg_is_used_for_its_family", access()).with_keys(&[RSA_2048.jwk(KEY_ID)]),
        Case::allowed("a_key_whose_operations_have_verify_is_used", access())
            .with_keys(&[with("key_ops", json!(["verify"]))]),
        Case::allowed("unknown_members_of_a_key_are_ignored", access()).with_keys(&[with("x5t", json!("AAAA"))]),
        own("a_key_for_encryption_is_rejected", KeyError::NotForSignatures, "use", with("use", json!("enc"))),
        own(
            "a_key_without_the_operation_verify_is_rejected",
            KeyError::NotForSignatures,
            "key_ops",
            with("key_ops", json!(["sign"])),
        ),
        own("a_use_that_is_no_string_is_rejected", KeyError::Malformed, "use", with("use", json!(["sig"]))),
        own("a_key_for_another_family_is_rejected", KeyError::AlgorithmMismatch, "alg", with("alg", json!("ES256"))),
        own(
            "a_key_for_an_unknown_algorithm_is_rejected",
            KeyError::AlgorithmMismatch,
            "alg",
            with("alg", json!("RSA-OAEP")),
        ),
        own("a_key_for_hs256_is_rejected", KeyError::AlgorithmMismatch, "alg", with("alg", json!("HS256"))),
        own("a_key_with_its_private_exponent_is_rejected", KeyError::PrivateMember, "d", with("d", json!("AQAB"))),
        own("a_key_with_a_prime_is_rejected", KeyError::PrivateMember, "p", with("p", json!("AQAB"))),
        whole("a_symmetric_key_is_rejected", KeyError::Symmetric, json!({"kty": "oct", "kid": KEY_ID, "k": "AAAA"})),
        own("a_key_of_unknown_type_is_rejected", KeyError::UnsupportedKeyType, "kty", with("kty", json!("AKP"))),
        own("a_key_type_in_small_letters_is_rejected", KeyError::UnsupportedKeyType, "kty", with("kty", json!("rsa"))),
        whole("a_key_without_kty_is_rejected", KeyError::NoKeyType, json!({"kid": KEY_ID, "n": "AQAB", "e": "AQAB"})),
        Case::denied("a_key_with_two_moduli_is_no_key", "keys-unavailable", access())
            .with_jwks(format!("{{\"keys\":[{},\"n\":\"AQAB\"}}]}}", &text[..text.len() - 1])),
    ]
}

fn numbers() -> Vec<Case> {
    let modulus = RSA_2048.modulus();
    let with_modulus = |bytes: &[u8]| with("n", json!(base64url(bytes)));
    let with_exponent = |bytes: &[u8]| with("e", json!(base64url(bytes)));
    let own = |name, fault, member, jwk| rejected(name, fault, member, &RSA_2048, jwk);
    let even = [&modulus[..255], &[modulus[255] & 0xfe]].concat();
    let point = |member: &str, value: Value| {
        let mut jwk = P256.jwk(KEY_ID);
        jwk[member] = value;
        jwk
    };
    let ec_case = |name, jwk| {
        let case = Case::denied(name, "key-refused", access().signed_with(&P256, Algorithm::Es256));
        case.with_pool(|pool| pool.algorithms = vec![Algorithm::Es256]).with_keys(&[jwk])
    };
    let ec = |name, fault, member, jwk| ec_case(name, jwk).with_key_error(fault, member);
    let bad_point = |name, jwk| ec_case(name, jwk).with_error_of_whole_key(KeyError::BadPoint);
    let ed25519 = |name, fault, x: &[u8]| {
        let jwk = json!({"kty": "OKP", "kid": KEY_ID, "crv": "Ed25519", "x": base64url(x)});
        let case = Case::denied(name, "key-refused", access().signed_with(&ED25519, Algorithm::EdDsa));
        case.with_pool(|pool| pool.algorithms = vec![Algorithm::EdDsa]).with_keys(&[jwk]).with_key_error(fault, "x")
    };
    vec![
        rejected("a_key_of_1024_bits_is_rejected", KeyError::ModulusTooSmall, "n", &BITS_1024, {
            BITS_1024.jwk(KEY_ID)
        }),
        own("a_modulus_of_2047_bits_is_rejected", KeyError::ModulusTooSmall, "n", {
            with_modulus(&[&[0x7f], &modulus[1..]].concat())
        }),
        own("a_modulus_of_8200_bits_is_rejected", KeyError::ModulusTooLarge, "n", with_modulus(&[0xff; 1025])),
        own("an_even_modulus_is_rejected", KeyError::ModulusEven, "n", with_modulus(&even)),
        rejected("an_exponent_of_1_is_rejected", KeyError::BadExponent, "e", &EXPONENT_1, EXPONENT_1.jwk(KEY_ID)),
        own("an_exponent_of_2_is_rejected", KeyError::BadExponent, "e", with_exponent(&[2])),
        own("an_even_exponent_is_rejected", KeyError::BadExponent, "e", with_exponent(&[1, 0, 0])),
        own("an_exponent_of_0_is_rejected", KeyError::BadExponent, "e", with_exponent(&[0])),
        // With a modulus of 8,192 bits, an exponent of as many takes a third of a second of every token that names the key.
        own("an_exponent_of_65_bits_is_rejected", KeyError::BadExponent, "e", {
            with_exponent(&[1, 0, 0, 0, 0, 0, 0, 0, 13])
        }),
        rejected(
            "an_exponent_of_129_bits_is_rejected",
            KeyError::BadExponent,
            "e",
            &EXPONENT_LONG,
            EXPONENT_LONG.jwk(KEY_ID),
        ),
        own("an_exponent_above_the_modulus_is_rejected", KeyError::BadExponent, "e", {
            rsa_jwk(KEY_ID, &modulus, &[&modulus[..], &[1]].concat())
        }),
        own("an_exponent_equal_to_the_modulus_is_rejected", KeyError::BadExponent, "e", with_exponent(&modulus)),
        own("an_empty_modulus_is_rejected", KeyError::ModulusTooSmall, "n", with("n", json!(""))),
        own("a_modulus_that_is_a_number_is_rejected", KeyError::Malformed, "n", with("n", json!(65537))),
        own(
            "a_key_without_modulus_is_rejected",
            KeyError::MissingMember,
            "n",
            json!({"kty": "RSA", "kid": KEY_ID, "e": "AQAB"}),
        ),
        bad_point("a_point_off_the_curve_is_rejected", point("y", json!(base64url(&[1; 32])))),
        bad_point("the_point_zero_zero_is_rejected", {
            json!({"kty": "EC", "kid": KEY_ID, "crv": "P-256", "x": base64url(&[0; 32]), "y": base64url(&[0; 32])})
        }),
        bad_point("a_shorter_number_is_another_point", point("x", json!(base64url(&[1; 31])))),
        ec("a_coordinate_that_is_too_long_is_rejected", KeyError::BadEncoding, "x", {
            point("x", json!(base64url(&[1; 33])))
        }),
        ec(
            "a_curve_that_no_algorithm_uses_is_rejected",
            KeyError::UnsupportedKeyType,
            "crv",
            point("crv", json!("secp256k1")),
        ),
        bad_point("a_point_of_another_curve_is_rejected", point("crv", json!("P-384"))),
        ed25519("an_ed25519_key_of_small_order_is_rejected", KeyError::BadPoint, &[&[1], &[0; 31][..]].concat()),
        ed25519("an_ed25519_key_of_31_bytes_is_rejected", KeyError::BadEncoding, &[1; 31]),
    ]
}

fn sets() -> Vec<Case> {
    let own = || RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID);
    let mut broken = own();
    broken["n"] = json!("!");
    broken["kid"] = json!("broken");
    let unnamed = json!({"kty": "RSA", "n": own()["n"], "e": "AQAB"});
    let newer = |jwks: String, case: Case| {
        let mut case = case;
        case.seeds.push(super::Seed { issuer: ISSUER.into(), jwks, fetched_at: NOW });
        case
    };
    vec![
        Case::allowed("an_unusable_key_does_not_affect_the_usable_ones", access()).with_keys(&[
            json!(7),
            json!({}),
            broken,
            unnamed,
            own(),
        ]),
        Case::denied("a_set_of_unusable_keys_has_no_kid", "keys-unavailable", access().header("kid", "\"other\""))
            .with_keys(&[BITS_1024.jwk(KEY_ID)]),
        newer(jwks(&[own()]), Case::allowed("newer_keys_replace_older_ones", access())),
        newer(
            jwks(&[OTHER_RSA_2048.jwk(SECOND_KEY_ID)]),
            Case::denied("a_key_that_is_no_longer_published_is_unknown", "key-unknown", access()),
        ),
    ]
}
