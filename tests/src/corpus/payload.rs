//! The syntax of the payload (RFC 7519 section 4, RFC 8725 section 2.4) and the types of the claims that are read.

use super::Case;
use crate::{
    keys::RSA_2048,
    minting::{Draft, NOW},
};

const LITERAL: &str = "$serde_json::private::Number";

pub(super) fn cases() -> Vec<Case> {
    let text = String::from_utf8(access().payload_bytes()).expect("text");
    let raw = |bytes: &[u8]| access().raw_payload(bytes);
    let nested = |levels: usize| access().claim("x", format!("{}{}", "[".repeat(levels), "]".repeat(levels)));
    let open = &text[..text.len() - 1];
    vec![
        Case::allowed("whitespace_in_the_payload_is_accepted", raw(format!("\n {text} \t").as_bytes())),
        Case::allowed(
            "unknown_claims_of_any_type_are_accepted",
            access().claim("x", r#"[null,true,-1.5e-3,{"y":"é😀"}]"#),
        ),
        Case::denied("a_payload_that_is_an_array_is_rejected", "payload-malformed", raw(b"[]")),
        Case::denied("a_payload_that_is_a_string_is_rejected", "payload-malformed", raw(b"\"sub\"")),
        Case::denied("a_payload_that_is_no_json_is_rejected", "payload-malformed", raw(b"sub=ada")),
        Case::denied("a_payload_that_ends_early_is_rejected", "payload-malformed", raw(open.as_bytes())),
        Case::denied(
            "a_payload_with_a_byte_order_mark_is_rejected",
            "payload-malformed",
            raw(format!("\u{feff}{text}").as_bytes()),
        ),
        Case::denied("a_payload_that_is_not_utf8_is_rejected", "payload-malformed", {
            raw(&[open.as_bytes(), &b",\"x\":\"\xc3\x28\"}"[..]].concat())
        }),
        Case::denied("an_overlong_encoding_of_utf8_is_rejected", "payload-malformed", {
            raw(&[open.as_bytes(), &b",\"x\":\"\xc0\xaf\"}"[..]].concat())
        }),
        Case::denied("a_payload_in_utf16_is_rejected", "payload-malformed", {
            raw(&text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>())
        }),
        Case::denied("a_bare_nan_is_rejected", "payload-malformed", access().claim("x", "NaN")),
        Case::denied("a_number_that_no_double_holds_is_rejected", "payload-malformed", access().claim("x", "1e999")),
        Case::denied("a_number_with_a_leading_zero_is_rejected", "payload-malformed", access().claim("x", "01")),
        Case::denied("a_number_in_hexadecimal_is_rejected", "payload-malformed", access().claim("x", "0x10")),
        Case::denied(
            "a_lone_surrogate_in_the_payload_is_rejected",
            "payload-malformed",
            access().claim("x", r#""\udc00""#),
        ),
        Case::denied(
            "a_control_character_in_a_string_is_rejected",
            "payload-malformed",
            access().claim("x", "\"\u{1}\""),
        ),
        Case::denied(
            "a_nul_after_the_payload_is_rejected",
            "payload-trailing-bytes",
            raw(format!("{text}\0").as_bytes()),
        ),
        Case::denied("a_second_object_after_the_payload_is_rejected", "payload-trailing-bytes", {
            raw(format!("{text}{{\"exp\":{}}}", NOW + 9).as_bytes())
        }),
        Case::denied(
            "a_bracket_after_the_payload_is_rejected",
            "payload-trailing-bytes",
            raw(format!("{text}}}").as_bytes()),
        ),
        Case::denied("a_second_exp_is_rejected", "payload-duplicate-member", access().claim_again("exp", NOW + 9_999)),
        Case::denied("a_second_iss_is_rejected", "payload-duplicate-member", access().claim_again("iss", "\"x\"")),
        Case::denied(
            "a_second_token_use_is_rejected",
            "payload-duplicate-member",
            access().claim_again("token_use", "\"id\""),
        ),
        Case::denied("a_second_list_of_groups_is_rejected", "payload-duplicate-member", {
            access().claim_again("cognito:groups", "[\"admins\"]")
        }),
        Case::denied("a_second_list_of_groups_behind_an_escape_is_rejected", "payload-duplicate-member", {
            access().claim_again(r"cognito\u003Agroups", "[\"admins\"]")
        }),
        Case::denied("a_second_unknown_claim_is_rejected", "payload-duplicate-member", {
            access().claim("custom:role", "\"user\"").claim_again("custom:role", "\"admin\"")
        }),
        Case::denied("duplicates_deep_in_the_payload_are_rejected", "payload-duplicate-member", {
            access().claim("address", r#"{"a":[[{"country":"A","country":"B"}]]}"#)
        }),
        Case::denied("duplicates_among_very_many_members_are_found", "payload-duplicate-member", {
            (0..200).fold(access(), |draft, n| draft.claim(&format!("c{n}"), n)).claim_again("c137", 0)
        }),
        Case::allowed(
            "the_same_name_in_different_objects_is_no_duplicate",
            access().claim("x", r#"{"sub":1,"y":{"sub":2}}"#),
        ),
        Case::allowed("a_name_that_differs_in_case_is_no_duplicate", access().claim("EXP", 1)),
        Case::allowed("a_payload_as_deep_as_the_limit_is_accepted", nested(15)),
        Case::denied("a_payload_deeper_than_the_limit_is_rejected", "payload-too-deep", nested(16)),
        Case::denied("a_lower_limit_of_depth_holds", "payload-too-deep", nested(4))
            .with_limits(|limits| limits.json_depth = 4),
        Case::allowed("a_fraction_at_the_deepest_level_is_accepted", {
            access().claim("x", format!("{}-1.5e-3{}", "[".repeat(15), "]".repeat(15)))
        }),
        // What serde_json makes of numbers inside a program that has its feature `arbitrary_precision` on, sent by a caller.
        Case::allowed("a_parsers_private_name_is_a_name", access().claim("x", format!("{{\"{LITERAL}\":\"1\"}}"))),
        Case::denied("a_date_in_a_parsers_private_form_is_rejected", "expiry-invalid", {
            access().claim("exp", format!("{{\"{LITERAL}\":\"{}\"}}", NOW + 9))
        }),
        Case::denied("a_date_within_a_parsers_private_name_is_rejected", "expiry-invalid", {
            access().claim("exp", format!("{{\"{LITERAL}\":{}.5}}", NOW + 9))
        }),
        Case::denied("a_parsers_private_form_opens_a_level", "payload-too-deep", {
            access().claim("x", format!("{}{{\"{LITERAL}\":1.5}}{}", "[".repeat(15), "]".repeat(15)))
        }),
        Case::denied("a_sub_that_is_a_number_is_rejected", "claim-invalid", access().claim("sub", 1)),
        Case::denied("a_sub_that_is_null_is_missing", "subject-missing", access().claim("sub", "null")),
        Case::denied("a_username_that_is_an_object_is_rejected", "claim-invalid", access().claim("username", "{}")),
        Case::denied("a_username_of_an_id_token_that_is_an_array_is_rejected", "claim-invalid", {
            access().claim("cognito:username", "[\"ada\"]")
        }),
        Case::denied("a_jti_that_is_a_number_is_rejected", "claim-invalid", access().claim("jti", 7)),
        Case::denied(
            "an_origin_jti_that_is_a_boolean_is_rejected",
            "claim-invalid",
            access().claim("origin_jti", true),
        ),
        Case::denied(
            "an_auth_time_that_is_a_string_is_rejected",
            "claim-invalid",
            access().claim("auth_time", "\"1\""),
        ),
        Case::denied("an_auth_time_that_is_negative_is_rejected", "claim-invalid", access().claim("auth_time", -1)),
        Case::allowed("optional_claims_that_are_null_are_absent", {
            ["username", "cognito:username", "jti", "origin_jti", "auth_time", "scp", "azp", "tid"]
                .into_iter()
                .fold(access(), |draft, name| draft.claim(name, "null"))
        }),
        Case::denied("a_second_claim_that_is_null_is_a_duplicate", "payload-duplicate-member", {
            access().claim_again("exp", "null")
        }),
        Case::denied("a_claim_after_the_same_claim_as_null_is_a_duplicate", "payload-duplicate-member", {
            access().claim("nbf", "null").claim_again("nbf", NOW - 9)
        }),
    ]
}

fn access() -> Draft {
    Draft::access(&RSA_2048)
}
