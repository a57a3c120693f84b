//! The JOSE header (RFC 7515 section 4, RFC 8725 sections 3.1 and 3.11).

use super::{Case, SECOND_KEY_ID};
use crate::{
    keys::{OTHER_RSA_2048, RSA_2048, jwks},
    minting::{Draft, KEY_ID},
};
use aws_lc_rs::hmac;
use poolgate_core::Algorithm;

pub(super) fn cases() -> Vec<Case> {
    [grammar(), algorithm(), extensions(), key_id()].into_iter().flatten().collect()
}

fn access() -> Draft {
    Draft::access(&RSA_2048)
}

fn grammar() -> Vec<Case> {
    let text = String::from_utf8(access().header_bytes()).expect("text");
    let raw = |bytes: &[u8]| access().raw_header(bytes);
    let nested = |levels: usize| access().header("x", format!("{}{}", "[".repeat(levels), "]".repeat(levels)));
    vec![
        Case::allowed("whitespace_in_the_header_is_accepted", raw(format!(" \t{text}\r\n").as_bytes())),
        Case::denied("a_header_that_is_an_array_is_rejected", "header-malformed", raw(b"[]")),
        Case::denied("a_header_that_is_a_string_is_rejected", "header-malformed", raw(br#""RS256""#)),
        Case::denied("a_header_that_is_null_is_rejected", "header-malformed", raw(b"null")),
        Case::denied(
            "a_header_that_ends_early_is_rejected",
            "header-malformed",
            raw(&text.as_bytes()[..text.len() - 1]),
        ),
        Case::denied(
            "a_header_with_a_byte_order_mark_is_rejected",
            "header-malformed",
            raw(format!("\u{feff}{text}").as_bytes()),
        ),
        Case::denied("a_header_that_is_not_utf8_is_rejected", "header-malformed", {
            raw(&[&text.as_bytes()[..text.len() - 1], &b",\"x\":\"\xff\"}"[..]].concat())
        }),
        Case::denied("a_header_with_a_comment_is_rejected", "header-malformed", raw(format!("/**/{text}").as_bytes())),
        Case::denied(
            "a_header_with_a_trailing_comma_is_rejected",
            "header-malformed",
            raw(text.replace('}', ",}").as_bytes()),
        ),
        Case::denied(
            "a_lone_surrogate_in_the_header_is_rejected",
            "header-malformed",
            access().header("x", r#""\ud800""#),
        ),
        Case::denied(
            "a_second_object_after_the_header_is_rejected",
            "header-trailing-bytes",
            raw(format!("{text}{{}}").as_bytes()),
        ),
        Case::denied(
            "a_nul_after_the_header_is_rejected",
            "header-trailing-bytes",
            raw(format!("{text}\0").as_bytes()),
        ),
        Case::denied("a_second_alg_is_rejected", "header-duplicate-member", access().header_again("alg", "\"none\"")),
        Case::denied(
            "the_same_alg_twice_is_rejected",
            "header-duplicate-member",
            access().header_again("alg", "\"RS256\""),
        ),
        Case::denied(
            "a_second_alg_behind_an_escape_is_rejected",
            "header-duplicate-member",
            access().header_again(r"\u0061lg", "\"none\""),
        ),
        Case::denied("a_second_kid_is_rejected", "header-duplicate-member", {
            access().header_again("kid", format!("\"{SECOND_KEY_ID}\""))
        }),
        Case::denied(
            "duplicates_deep_in_the_header_are_rejected",
            "header-duplicate-member",
            access().header("x", r#"[{"y":{"a":1,"\u0061":1}}]"#),
        ),
        Case::allowed("a_header_as_deep_as_the_limit_is_accepted", nested(15)),
        Case::denied("a_header_deeper_than_the_limit_is_rejected", "header-too-deep", nested(16)),
        Case::denied("an_unclosed_deep_header_is_rejected_for_its_depth", "header-too-deep", {
            raw(format!("{{\"x\":{}", "[".repeat(2_000)).as_bytes())
        }),
    ]
}

fn algorithm() -> Vec<Case> {
    let alg = |value: &str| access().header("alg", value);
    let unsigned = |value: &str| alg(value).compact_with(&[]);
    let public_jwk = RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID);
    vec![
        Case::denied("a_header_without_alg_is_rejected", "algorithm-missing", access().without_header("alg")),
        Case::denied("an_alg_that_is_null_is_rejected", "algorithm-missing", alg("null")),
        Case::denied("an_alg_that_is_a_number_is_rejected", "algorithm-missing", alg("256")),
        Case::denied("an_alg_that_is_an_array_is_rejected", "algorithm-missing", alg(r#"["RS256"]"#)),
        Case::denied("none_is_rejected", "algorithm-none", unsigned("\"none\"")),
        Case::denied("none_is_rejected_in_capitals", "algorithm-none", unsigned("\"NONE\"")),
        Case::denied("none_is_rejected_in_mixed_case", "algorithm-none", unsigned("\"nOnE\"")),
        Case::denied("none_is_rejected_behind_an_escape", "algorithm-none", unsigned(r#""\u006eone""#)),
        Case::denied("none_is_rejected_with_a_valid_signature", "algorithm-none", alg("\"none\"")),
        Case::denied("an_alg_like_none_is_rejected", "algorithm-not-allowed", unsigned("\"none \"")),
        Case::denied("an_empty_alg_is_rejected", "algorithm-not-allowed", unsigned("\"\"")),
        Case::denied("hs256_with_the_public_pem_as_secret_is_rejected", "algorithm-symmetric", {
            hmac_signed("HS256", hmac::HMAC_SHA256, RSA_2048.public_pem().as_bytes())
        }),
        Case::denied("hs256_with_the_public_jwk_as_secret_is_rejected", "algorithm-symmetric", {
            hmac_signed("HS256", hmac::HMAC_SHA256, public_jwk.to_string().as_bytes())
        }),
        Case::denied("hs384_with_the_jwk_set_as_secret_is_rejected", "algorithm-symmetric", {
            hmac_signed("HS384", hmac::HMAC_SHA384, jwks(&[public_jwk]).as_bytes())
        }),
        Case::denied("hs512_with_an_empty_secret_is_rejected", "algorithm-symmetric", {
            hmac_signed("HS512", hmac::HMAC_SHA512, b"")
        }),
        Case::denied("hs256_is_rejected_in_small_letters", "algorithm-symmetric", alg("\"hs256\"")),
        Case::denied("rs256_in_small_letters_is_rejected", "algorithm-not-allowed", alg("\"rs256\"")),
        Case::denied("an_unknown_alg_is_rejected", "algorithm-not-allowed", alg("\"ES256K\"")),
        Case::denied("an_encryption_alg_is_rejected", "algorithm-not-allowed", alg("\"RSA-OAEP\"")),
        Case::denied("ed25519_is_rejected_if_only_rs256_is_allowed", "algorithm-not-allowed", alg("\"Ed25519\"")),
    ]
}

fn extensions() -> Vec<Case> {
    let with = |name: &str, value: &str| access().header(name, value);
    let attacker = Draft::access(&OTHER_RSA_2048);
    vec![
        Case::denied("an_unknown_crit_is_rejected", "critical-header", with("crit", r#"["zzz"]"#).header("zzz", "1")),
        Case::denied("an_empty_crit_is_rejected", "critical-header", with("crit", "[]")),
        Case::denied("a_crit_that_is_null_is_rejected", "critical-header", with("crit", "null")),
        Case::denied("a_crit_that_names_exp_is_rejected", "critical-header", with("crit", r#"["exp"]"#)),
        Case::denied(
            "a_crit_that_names_b64_is_rejected",
            "critical-header",
            with("crit", r#"["b64"]"#).header("b64", "true"),
        ),
        Case::denied("b64_false_is_rejected", "unencoded-payload", with("b64", "false")),
        Case::denied("b64_true_is_rejected", "unencoded-payload", with("b64", "true")),
        Case::denied("a_key_in_the_header_is_rejected", "embedded-key", {
            attacker.clone().header("jwk", OTHER_RSA_2048.jwk(KEY_ID))
        }),
        Case::denied("the_url_of_a_key_set_in_the_header_is_rejected", "embedded-key", {
            attacker.clone().header("jku", "\"https://evil.example/jwks.json\"")
        }),
        Case::denied("the_url_of_a_certificate_in_the_header_is_rejected", "embedded-key", {
            attacker.clone().header("x5u", "\"https://evil.example/cert.pem\"")
        }),
        Case::denied("a_certificate_in_the_header_is_rejected", "embedded-key", attacker.header("x5c", r#"["MIIB"]"#)),
        Case::denied("an_embedded_key_is_rejected_even_if_the_signature_is_valid", "embedded-key", with("jwk", "{}")),
        Case::allowed("a_thumbprint_in_the_header_is_ignored", with("x5t#S256", "\"AAAA\"")),
        Case::denied("a_thumbprint_that_is_an_array_is_rejected", "header-malformed", with("x5t", "[]")),
        Case::denied("a_content_type_that_is_null_is_rejected", "header-malformed", with("cty", "null")),
        Case::allowed("typ_jwt_is_accepted", with("typ", "\"JWT\"")),
        Case::allowed("typ_is_compared_without_case", with("typ", "\"jwt\"")),
        Case::allowed("typ_of_an_access_token_is_accepted", with("typ", "\"at+jwt\"")),
        Case::allowed("typ_as_a_whole_media_type_is_accepted", with("typ", "\"application/at+jwt\"")),
        Case::denied("typ_of_a_logout_token_is_rejected", "type-not-allowed", with("typ", "\"logout+jwt\"")),
        Case::denied("typ_of_a_proof_of_possession_is_rejected", "type-not-allowed", with("typ", "\"dpop+jwt\"")),
        Case::denied("typ_jose_is_rejected", "type-not-allowed", with("typ", "\"JOSE\"")),
        Case::denied("typ_that_is_a_number_is_rejected", "type-not-allowed", with("typ", "1")),
        Case::denied("typ_that_is_null_is_rejected", "type-not-allowed", with("typ", "null")),
        Case::denied("typ_that_is_empty_is_rejected", "type-not-allowed", with("typ", "\"\"")),
    ]
}

fn key_id() -> Vec<Case> {
    let kid = |value: &str| access().header("kid", value);
    let longest = "k".repeat(256);
    vec![
        Case::denied("a_header_without_kid_is_rejected", "key-id-missing", access().without_header("kid")),
        Case::denied("a_kid_that_is_a_number_is_rejected", "key-id-invalid", kid("1")),
        Case::denied("a_kid_that_is_null_is_rejected", "key-id-invalid", kid("null")),
        Case::denied("a_kid_that_is_an_array_is_rejected", "key-id-invalid", kid(&format!("[\"{KEY_ID}\"]"))),
        Case::denied("an_empty_kid_is_rejected", "key-id-invalid", kid("\"\"")),
        Case::allowed("a_kid_of_256_bytes_is_accepted", kid(&format!("\"{longest}\"")))
            .with_keys(&[RSA_2048.jwk(&longest)]),
        Case::denied("a_kid_of_257_bytes_is_rejected", "key-id-too-long", kid(&format!("\"k{longest}\""))),
        Case::denied("a_kid_is_measured_in_bytes", "key-id-too-long", kid(&format!("\"{}\"", "é".repeat(129)))),
        Case::allowed("a_kid_behind_escapes_is_the_same_kid", kid(&format!("\"\\u006b{}\"", &KEY_ID[1..]))),
    ]
}

/// The classic key confusion (RFC 8725 section 2.1): a public key used as the secret of an HMAC.
fn hmac_signed(name: &str, algorithm: hmac::Algorithm, secret: &[u8]) -> String {
    let draft = access().header("alg", format!("\"{name}\""));
    let tag = hmac::sign(&hmac::Key::new(algorithm, secret), draft.signing_input().as_bytes());
    draft.compact_with(tag.as_ref())
}
