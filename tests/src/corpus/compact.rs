//! The compact serialization and its base64url (RFC 7515 sections 2 and 7.1, RFC 4648 section 3.5).

use super::Case;
use crate::{
    keys::RSA_2048,
    minting::{Draft, base64url, with_unused_bit},
};

pub(super) fn cases() -> Vec<Case> {
    let access = || unaligned(Draft::access(&RSA_2048));
    let draft = access();
    let token = draft.compact();
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("three parts") };
    let swapped = |from: &str, to: &str| token.replacen(from, to, 1);
    vec![
        Case::allowed("an_access_token_of_cognito_is_accepted", Draft::access(&RSA_2048)),
        Case::denied("an_empty_token_is_rejected", "token-empty", ""),
        Case::denied("one_part_is_rejected", "token-not-three-parts", header),
        Case::denied("two_parts_are_rejected", "token-not-three-parts", format!("{header}.{payload}")),
        Case::denied("four_parts_are_rejected", "token-not-three-parts", format!("{token}.{signature}")),
        Case::denied("five_parts_are_called_encrypted", "token-encrypted", format!("{token}.{signature}.{payload}")),
        Case::denied("five_empty_parts_are_called_encrypted", "token-encrypted", "...."),
        Case::denied("six_parts_are_rejected", "token-not-three-parts", format!("{token}.{token}")),
        Case::denied("a_final_dot_is_rejected", "token-not-three-parts", format!("{token}.")),
        Case::denied("three_empty_parts_are_rejected", "header-malformed", ".."),
        Case::denied("an_empty_header_is_rejected", "header-malformed", format!(".{payload}.{signature}")),
        Case::denied("an_empty_payload_is_rejected", "payload-malformed", draft.clone().raw_payload("")),
        Case::denied("an_empty_signature_is_rejected", "signature-length", draft.compact_with(&[])),
        Case::denied(
            "a_token_cut_in_the_payload_is_rejected",
            "token-not-three-parts",
            &token[..header.len() + payload.len() / 2],
        ),
        Case::denied(
            "header_and_payload_swapped_are_rejected",
            "algorithm-missing",
            format!("{payload}.{header}.{signature}"),
        ),
        Case::denied("a_leading_bearer_is_rejected", "encoding-invalid", format!("Bearer {token}")),
        Case::denied("a_leading_space_is_rejected", "encoding-invalid", format!(" {token}")),
        Case::denied("a_final_newline_is_rejected", "encoding-invalid", format!("{token}\n")),
        Case::denied("a_final_nul_is_rejected", "encoding-invalid", format!("{token}\0")),
        Case::denied("a_newline_within_the_payload_is_rejected", "encoding-invalid", {
            let (left, right) = payload.split_at(20);
            draft.compact_of(header, &format!("{left}\n{right}"))
        }),
        Case::denied("letters_outside_ascii_are_rejected", "encoding-invalid", swapped(payload, "eyJé")),
        Case::denied("the_standard_alphabet_is_rejected", "encoding-invalid", {
            // "???>" contains both "/" and "+" in the standard alphabet.
            let text = base64url(br#"{"sub":"???>>>???"}"#).replace('-', "+").replace('_', "/");
            draft.compact_of(header, &text)
        }),
        Case::denied("an_impossible_length_is_rejected", "encoding-invalid", {
            draft.compact_of(header, &format!("{payload}{}", &"AAA"[..(5 - payload.len() % 4) % 4]))
        }),
        Case::denied("a_padded_header_is_rejected", "encoding-padded", draft.compact_of(&padded(header), payload)),
        Case::denied("a_padded_payload_is_rejected", "encoding-padded", draft.compact_of(header, &padded(payload))),
        Case::denied("a_padded_signature_is_rejected", "encoding-padded", padded(&token)),
        Case::denied("a_flipped_unused_bit_of_the_header_is_rejected", "encoding-not-canonical", {
            draft.compact_of(&with_unused_bit(header).expect("unused bits"), payload)
        }),
        Case::denied("a_flipped_unused_bit_of_the_payload_is_rejected", "encoding-not-canonical", {
            draft.compact_of(header, &with_unused_bit(payload).expect("unused bits"))
        }),
        Case::denied(
            "a_flipped_unused_bit_of_the_signature_is_rejected",
            "encoding-not-canonical",
            format!("{header}.{payload}.{}", with_unused_bit(signature).expect("unused bits")),
        ),
        Case::allowed("a_token_of_exactly_the_limit_is_accepted", of_length(16_384)),
        Case::denied("a_token_one_byte_over_the_limit_is_rejected", "token-too-large", of_length(16_385)),
        Case::denied("a_megabyte_is_rejected_for_its_size_alone", "token-too-large", "A".repeat(1 << 20)),
        Case::denied("a_lower_limit_of_size_holds", "token-too-large", of_length(4_097))
            .with_limits(|limits| limits.token_bytes = 4_096),
    ]
}

/// A token whose header and payload both have unused bits in their last character.
fn unaligned(mut draft: Draft) -> Draft {
    for n in 1.. {
        if !draft.header_bytes().len().is_multiple_of(3) {
            break;
        }
        draft = draft.header("x", "1".repeat(n));
    }
    for n in 1.. {
        if !draft.payload_bytes().len().is_multiple_of(3) {
            break;
        }
        draft = draft.claim("x", "1".repeat(n));
    }
    draft
}

fn padded(part: &str) -> String {
    let part_length = part.rsplit('.').next().map_or(0, str::len);
    format!("{part}{}", "=".repeat((4 - part_length % 4) % 4))
}

/// An otherwise valid token with this number of bytes.
fn of_length(length: usize) -> String {
    let encoded = |bytes: usize| (bytes * 4).div_ceil(3);
    let signature = encoded(256);
    for header_padding in 0..4 {
        let draft =
            Draft::access(&RSA_2048).header("x", format!("\"{}\"", "x".repeat(header_padding))).claim("x", "\"\"");
        let fixed = encoded(draft.header_bytes().len()) + signature + 2;
        let payload = draft.payload_bytes().len();
        for padding in (length - fixed) * 3 / 4 - payload - 2..(length - fixed) * 3 / 4 - payload + 2 {
            if fixed + encoded(payload + padding) == length {
                let token = draft.claim("x", format!("\"{}\"", "x".repeat(padding))).compact();
                assert_eq!(token.len(), length);
                return token;
            }
        }
    }
    panic!("no token of {length} bytes")
}
