//! The choice among several keys: keys with the same `kid`, keys for encryption, keys without `alg`, and keys or tokens without `kid` (RFC 7517
//! section 4.5, OpenID Connect Core 1.0 section 10.1). The order of the keys never matters.

use super::{Case, SECOND_KEY_ID};
use crate::{
    handmade_rsa::BITS_1024,
    keys::{ED25519, OTHER_RSA_2048, P256, RSA_2048, RSA_3072, TestKey},
    minting::{Draft, KEY_ID, base64url},
};
use poolgate_core::{Algorithm, IssuerRule, KeyError};
use serde_json::{Value, json};

const ISSUER: &str = "https://login.example.com/";

pub(super) fn cases() -> Vec<Case> {
    [same_key_id(), ambiguous(), purposes(), tokens_without_key_id(), keys_without_key_id()]
        .into_iter()
        .flatten()
        .collect()
}

fn access() -> Draft {
    Draft::access(&RSA_2048)
}

fn any_algorithm(case: Case) -> Case {
    case.with_pool(|pool| pool.algorithms = Algorithm::ALL.to_vec())
}

fn with(key: &TestKey, key_id: &str, members: Value) -> Value {
    let mut jwk = key.jwk(key_id);
    for (name, value) in members.as_object().expect("members") {
        jwk[name] = value.clone();
    }
    jwk
}

/// A key for encryption, as Keycloak publishes one beside the key for signatures.
fn for_encryption(key_id: &str) -> Value {
    with(&OTHER_RSA_2048, key_id, json!({"use": "enc", "alg": "RSA-OAEP"}))
}

fn same_key_id() -> Vec<Case> {
    let signed = |key: &'static TestKey, algorithm| Draft::access(key).signed_with(key, algorithm);
    let own = || RSA_2048.jwk(KEY_ID);
    let families = || [P256.jwk(KEY_ID), own(), ED25519.jwk(KEY_ID)];
    let purposes = || {
        [
            RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID),
            OTHER_RSA_2048.jwk_for(Algorithm::Ps256, KEY_ID),
            RSA_3072.jwk_for(Algorithm::Rs512, KEY_ID),
        ]
    };
    vec![
        Case::allowed("a_key_for_encryption_does_not_shadow_the_key_after_it", access())
            .with_keys(&[for_encryption(KEY_ID), own()])
            .with_key_error(KeyError::NotForSignatures, "use"),
        Case::allowed("a_key_for_encryption_does_not_shadow_the_key_before_it", access())
            .with_keys(&[own(), for_encryption(KEY_ID)]),
        Case::denied(
            "a_key_for_encryption_does_not_sign_beside_another",
            "signature-invalid",
            access().signed_by(&OTHER_RSA_2048).with_signature_below(&RSA_2048),
        )
        .with_keys(&[for_encryption(KEY_ID), own()]),
        Case::allowed("a_usable_key_is_used_beside_an_unusable_one_with_its_kid", access())
            .with_keys(&[BITS_1024.jwk(KEY_ID), own()])
            .with_key_error(KeyError::ModulusTooSmall, "n"),
        Case::denied(
            "an_unusable_key_does_not_sign_beside_a_usable_one_with_its_kid",
            "signature-length",
            access().signed_by(&BITS_1024),
        )
        .with_keys(&[BITS_1024.jwk(KEY_ID), own()]),
        any_algorithm(Case::allowed("of_one_kid_the_rsa_key_verifies_rs256", access()).with_keys(&families())),
        any_algorithm(
            Case::allowed("of_one_kid_the_ec_key_verifies_es256", signed(&P256, Algorithm::Es256))
                .with_keys(&families()),
        ),
        any_algorithm(
            Case::allowed("of_one_kid_the_okp_key_verifies_eddsa", signed(&ED25519, Algorithm::EdDsa))
                .with_keys(&families()),
        ),
        any_algorithm(
            Case::denied("of_one_kid_no_key_verifies_es384", "algorithm-mismatch", {
                signed(&P256, Algorithm::Es256).header("alg", "\"ES384\"")
            })
            .with_keys(&families()),
        ),
        any_algorithm(
            Case::allowed("of_one_kid_the_key_for_rs256_verifies_rs256", signed(&RSA_2048, Algorithm::Rs256))
                .with_keys(&purposes()),
        ),
        any_algorithm(
            Case::allowed("of_one_kid_the_key_for_ps256_verifies_ps256", signed(&OTHER_RSA_2048, Algorithm::Ps256))
                .with_keys(&purposes()),
        ),
        any_algorithm(
            Case::denied("of_one_kid_the_key_for_rs256_does_not_verify_ps256", "signature-invalid", {
                signed(&RSA_2048, Algorithm::Ps256).with_signature_below(&OTHER_RSA_2048)
            })
            .with_keys(&purposes()),
        ),
        any_algorithm(
            Case::denied("of_one_kid_no_key_verifies_rs384", "algorithm-mismatch", {
                signed(&RSA_2048, Algorithm::Rs384)
            })
            .with_keys(&purposes()),
        ),
        Case::allowed("the_same_key_twice_is_one_key", access()).with_keys(&[own(), own()]),
        Case::allowed("the_same_key_in_two_spellings_is_one_key", access()).with_keys(&[
            own(),
            with(&RSA_2048, KEY_ID, json!({"n": base64url(&[&[0][..], &RSA_2048.modulus()].concat()), "e": "AAEAAQ"})),
        ]),
        Case::allowed("the_same_key_with_and_without_alg_is_one_key", access())
            .with_keys(&[own(), RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID)]),
    ]
}

fn ambiguous() -> Vec<Case> {
    let own = || RSA_2048.jwk(KEY_ID);
    let other = || OTHER_RSA_2048.jwk(KEY_ID);
    let denied = |name, draft: Draft, keys: &[Value]| {
        Case::denied(name, "key-ambiguous", draft).with_keys(keys).with_key_error(KeyError::DuplicateKeyId, "kid")
    };
    vec![
        denied("of_two_keys_with_one_kid_the_first_is_not_used", access(), &[own(), other()]),
        denied("of_two_keys_with_one_kid_the_second_is_not_used", access(), &[other(), own()]),
        denied("a_third_key_with_the_same_kid_changes_nothing", access(), &[other(), own(), own()]),
        denied(
            "a_key_without_alg_competes_with_a_key_for_rs256",
            access(),
            &[RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID), other()],
        ),
        denied(
            "keys_that_differ_only_in_the_exponent_are_two",
            access(),
            &[own(), with(&RSA_2048, KEY_ID, json!({"e": "Aw"}))],
        ),
        denied("a_forged_token_gets_no_second_try_with_another_key", access().signed_by(&RSA_3072), &[own(), other()]),
        any_algorithm(
            Case::allowed("two_keys_that_compete_for_one_algorithm_do_not_for_another", {
                Draft::access(&OTHER_RSA_2048).signed_with(&OTHER_RSA_2048, Algorithm::Ps256)
            })
            .with_keys(&[RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID), other()])
            .with_key_error(KeyError::DuplicateKeyId, "kid"),
        ),
        Case::allowed("two_keys_with_one_kid_do_not_affect_another_kid", {
            access().header("kid", format!("\"{SECOND_KEY_ID}\""))
        })
        .with_keys(&[other(), RSA_3072.jwk(KEY_ID), RSA_2048.jwk(SECOND_KEY_ID)])
        .with_key_error(KeyError::DuplicateKeyId, "kid"),
    ]
}

fn purposes() -> Vec<Case> {
    let of_own = |members: Value| with(&RSA_2048, KEY_ID, members);
    let not_for_signatures = |name, member, members: Value| {
        Case::denied(name, "key-refused", access())
            .with_keys(&[of_own(members)])
            .with_key_error(KeyError::NotForSignatures, member)
    };
    let ps256 = || access().signed_with(&RSA_2048, Algorithm::Ps256);
    vec![
        Case::allowed("a_key_with_several_operations_is_used", access())
            .with_keys(&[of_own(json!({"key_ops": ["sign", "verify"]}))]),
        Case::allowed("a_key_without_use_and_operations_is_used", access())
            .with_keys(&[of_own(json!({"use": null, "key_ops": null}))]),
        not_for_signatures("a_key_without_operations_is_rejected", "key_ops", json!({"key_ops": []})),
        not_for_signatures("use_does_not_replace_the_operation_verify", "key_ops", {
            json!({"use": "sig", "key_ops": ["encrypt", "wrapKey"]})
        }),
        not_for_signatures("the_operation_verify_does_not_replace_use", "use", {
            json!({"use": "enc", "key_ops": ["verify"]})
        }),
        not_for_signatures("use_is_compared_with_case", "use", json!({"use": "SIG"})),
        not_for_signatures("an_empty_use_is_rejected", "use", json!({"use": ""})),
        Case::denied("operations_that_are_a_string_are_rejected", "key-refused", access())
            .with_keys(&[of_own(json!({"key_ops": "verify"}))])
            .with_key_error(KeyError::Malformed, "key_ops"),
        Case::denied("a_kid_with_only_a_key_for_encryption_is_rejected", "key-refused", access())
            .with_keys(&[with(&RSA_2048, KEY_ID, json!({"use": "enc"})), OTHER_RSA_2048.jwk(SECOND_KEY_ID)])
            .with_key_error(KeyError::NotForSignatures, "use"),
        Case::allowed("a_key_without_alg_verifies_ps256_if_the_pool_lists_it", ps256())
            .with_pool(|pool| pool.algorithms = vec![Algorithm::Ps256])
            .with_keys(&[RSA_2048.jwk(KEY_ID)]),
        Case::denied("a_key_without_alg_does_not_widen_the_list_of_the_pool", "algorithm-not-allowed", ps256())
            .with_keys(&[RSA_2048.jwk(KEY_ID)]),
        Case::denied("a_key_for_ps256_does_not_widen_the_list_of_the_pool", "algorithm-not-allowed", ps256())
            .with_keys(&[RSA_2048.jwk_for(Algorithm::Ps256, KEY_ID)]),
    ]
}

/// A token of an issuer that is no user pool, without a `kid`.
fn unnamed(key: &'static TestKey, algorithm: Algorithm) -> Draft {
    Draft::of_issuer(key, ISSUER).signed_with(key, algorithm).without_header("kid")
}

fn of_issuer(case: Case, keys: &[Value]) -> Case {
    case.of_issuer(ISSUER, |pool| pool.algorithms = vec![Algorithm::Rs256, Algorithm::Es256]).with_keys(keys)
}

fn tokens_without_key_id() -> Vec<Case> {
    let token = || unnamed(&RSA_2048, Algorithm::Rs256);
    let own = || RSA_2048.jwk("a");
    let second = || OTHER_RSA_2048.jwk("b");
    vec![
        of_issuer(Case::allowed("a_token_without_kid_is_verified_with_the_only_key", token()), &[own()]),
        of_issuer(
            Case::allowed("a_token_without_kid_is_verified_with_the_only_key_of_its_family", token()),
            &[P256.jwk("b"), own()],
        ),
        of_issuer(
            Case::allowed("a_token_of_es256_without_kid_is_verified_with_the_ec_key", unnamed(&P256, Algorithm::Es256)),
            &[own(), P256.jwk("b")],
        ),
        of_issuer(
            Case::allowed("a_token_without_kid_ignores_a_key_for_encryption", token()),
            &[for_encryption("b"), own()],
        ),
        of_issuer(
            Case::allowed("a_token_without_kid_ignores_a_key_for_another_algorithm", token()),
            &[OTHER_RSA_2048.jwk_for(Algorithm::Ps256, "b"), own()],
        ),
        of_issuer(
            Case::allowed("a_token_without_kid_is_verified_with_one_key_under_two_names", token()),
            &[own(), RSA_2048.jwk("b")],
        ),
        of_issuer(
            Case::denied("a_token_without_kid_is_rejected_if_two_keys_fit", "key-id-missing", token()),
            &[own(), second()],
        ),
        of_issuer(
            Case::denied("a_token_without_kid_is_rejected_if_two_keys_of_one_kid_fit", "key-id-missing", token()),
            &[own(), OTHER_RSA_2048.jwk("a")],
        ),
        of_issuer(
            Case::denied("a_token_without_kid_is_rejected_if_none_of_several_keys_fits", "key-id-missing", {
                unnamed(&P256, Algorithm::Es256)
            }),
            &[own(), second()],
        ),
        of_issuer(
            Case::denied("a_token_without_kid_is_rejected_if_the_only_key_does_not_fit", "algorithm-mismatch", {
                unnamed(&P256, Algorithm::Es256)
            }),
            &[own()],
        ),
        of_issuer(
            Case::denied(
                "a_token_without_kid_of_an_algorithm_outside_the_list_is_rejected",
                "algorithm-not-allowed",
                unnamed(&RSA_2048, Algorithm::Ps256),
            ),
            &[own()],
        ),
        of_issuer(
            Case::denied("a_forged_token_without_kid_is_rejected", "signature-invalid", {
                token().signed_by(&OTHER_RSA_2048).with_signature_below(&RSA_2048)
            }),
            &[own()],
        ),
        of_issuer(
            Case::denied("a_kid_that_is_null_is_not_absent", "key-id-invalid", token().header("kid", "null")),
            &[own()],
        ),
        of_issuer(
            Case::denied("a_kid_that_is_empty_is_not_absent", "key-id-invalid", token().header("kid", "\"\"")),
            &[own()],
        ),
        of_issuer(Case::allowed("where_iss_is_unchecked_a_token_without_kid_is_accepted", token()), &[own()])
            .with_pool(|pool| pool.issuer = IssuerRule::Unchecked)
            .with_keys_for(""),
        Case::denied(
            "a_token_of_a_user_pool_without_kid_is_rejected_even_if_there_is_one_key",
            "key-id-missing",
            access().without_header("kid"),
        )
        .with_keys(&[own()]),
    ]
}

fn keys_without_key_id() -> Vec<Case> {
    let named = || Draft::of_issuer(&RSA_2048, ISSUER);
    let nameless = |key: &TestKey| with(key, "", json!({"kid": null}));
    let own = || nameless(&RSA_2048);
    vec![
        of_issuer(Case::allowed("the_only_key_verifies_every_token_if_it_has_no_kid", named()), &[own()]),
        of_issuer(
            Case::allowed(
                "the_only_key_without_kid_verifies_a_token_without_kid",
                unnamed(&RSA_2048, Algorithm::Rs256),
            ),
            &[own()],
        ),
        of_issuer(Case::allowed("an_empty_kid_of_a_key_is_none", named()), &[RSA_2048.jwk("")]),
        of_issuer(
            Case::allowed("the_only_usable_key_verifies_every_token_if_it_has_no_kid", named()),
            &[own(), for_encryption("other")],
        ),
        of_issuer(
            Case::denied("a_key_without_kid_does_not_replace_an_unusable_one", "key-refused", named()),
            &[own(), for_encryption(KEY_ID)],
        ),
        of_issuer(
            Case::denied("beside_a_named_key_a_key_without_kid_verifies_no_named_token", "key-unknown", named()),
            &[own(), OTHER_RSA_2048.jwk("other")],
        ),
        of_issuer(
            Case::denied("two_keys_without_kid_verify_no_named_token", "key-unknown", named()),
            &[own(), nameless(&OTHER_RSA_2048)],
        ),
        of_issuer(
            Case::denied("a_forged_token_is_rejected_by_a_key_without_kid", "signature-invalid", {
                named().signed_by(&OTHER_RSA_2048).with_signature_below(&RSA_2048)
            }),
            &[own()],
        ),
        Case::denied("a_key_of_a_user_pool_without_kid_is_not_used", "keys-unavailable", access())
            .with_keys(&[own()])
            .with_error_of_whole_key(KeyError::NoKeyId),
    ]
}
