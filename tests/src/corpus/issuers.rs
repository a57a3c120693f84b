//! Issuers: both forms of a user pool, every AWS partition, and several issuers in one verifier.

use super::{Case, Seed, pool};
use crate::{
    keys::{OTHER_RSA_2048, RSA_2048, jwks},
    minting::{Draft, ISSUER, KEY_ID, NOW},
};
use poolgate_core::{Algorithm, IssuerRule, Pool, TokenUseRule};

const OTHER_ISSUER: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE02";

pub(super) fn cases() -> Vec<Case> {
    [claim(), partitions(), several()].into_iter().flatten().collect()
}

fn access() -> Draft {
    Draft::access(&RSA_2048)
}

fn from(issuer: &str) -> Draft {
    access().claim("iss", format!("\"{issuer}\""))
}

fn claim() -> Vec<Case> {
    let rejected = |name, issuer: &str| Case::denied(name, "issuer-unknown", from(issuer));
    let unchecked = |case: Case| case.with_pool(|pool| pool.issuer = IssuerRule::Unchecked).with_keys_for("");
    vec![
        Case::denied("a_token_without_iss_is_rejected", "issuer-missing", access().without_claim("iss")),
        Case::denied("an_iss_that_is_null_is_missing", "issuer-missing", access().claim("iss", "null")),
        Case::denied("an_iss_that_is_a_number_is_rejected", "issuer-invalid", access().claim("iss", 1)),
        Case::denied(
            "an_iss_that_is_an_array_is_rejected",
            "issuer-invalid",
            access().claim("iss", format!("[\"{ISSUER}\"]")),
        ),
        rejected("an_empty_iss_is_rejected", ""),
        rejected("another_pool_of_the_region_is_rejected", OTHER_ISSUER),
        rejected("an_iss_with_a_final_slash_is_rejected", &format!("{ISSUER}/")),
        rejected("an_iss_over_plain_http_is_rejected", &ISSUER.replace("https", "http")),
        rejected("an_iss_in_capitals_is_rejected", &ISSUER.to_uppercase()),
        rejected("an_iss_that_only_starts_right_is_rejected", &format!("{ISSUER}.evil.example")),
        rejected("an_iss_with_another_user_part_is_rejected", &ISSUER.replace("https://", "https://evil.example@")),
        rejected("an_iss_in_another_region_is_rejected", &ISSUER.replacen("eu-west-1", "eu-west-2", 1)),
        Case::allowed(
            "the_second_form_of_the_issuer_is_accepted",
            from(&ISSUER.replace("cognito-idp", "issuer-cognito-idp")),
        ),
        Case::allowed("keys_loaded_for_the_second_form_are_used_for_the_first", access())
            .with_keys_for(&ISSUER.replace("cognito-idp", "issuer-cognito-idp")),
        Case::allowed("an_issuer_given_exactly_is_accepted", from("http://127.0.0.1:9229/local_abc"))
            .with_pool(|pool| pool.issuer = IssuerRule::Exactly("http://127.0.0.1:9229/local_abc".into()))
            .with_keys_for("http://127.0.0.1:9229/local_abc"),
        unchecked(Case::allowed("where_iss_is_unchecked_any_is_accepted", from("https://any.example"))),
        unchecked(Case::allowed("where_iss_is_unchecked_none_is_accepted", access().without_claim("iss"))),
        unchecked(Case::denied(
            "where_iss_is_unchecked_it_must_still_be_a_string",
            "issuer-invalid",
            access().claim("iss", 1),
        )),
    ]
}

fn partitions() -> Vec<Case> {
    let accepted = |name, region: &str, suffix: &str| {
        let id = format!("{region}_Ab1");
        let issuer = format!("https://cognito-idp.{region}.{suffix}/{id}");
        Case::allowed(name, from(&issuer))
            .with_pool(|pool| pool.issuer = IssuerRule::UserPool { id, region: None })
            .with_keys_for(&issuer)
    };
    let replica = |case: Case| {
        let rule = IssuerRule::UserPool { id: "us-east-1_Ab1".into(), region: Some("us-west-2".into()) };
        case.with_pool(|pool| pool.issuer = rule)
            .with_keys_for("https://cognito-idp.us-west-2.amazonaws.com/us-east-1_Ab1")
    };
    let chinese = "https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_Ab1";
    vec![
        accepted("the_issuer_of_partition_aws_is_right", "us-east-1", "amazonaws.com"),
        accepted("the_issuer_of_partition_aws_us_gov_is_right", "us-gov-west-1", "amazonaws.com"),
        accepted("the_issuer_of_partition_aws_cn_is_right", "cn-north-1", "amazonaws.com.cn"),
        accepted("the_issuer_of_partition_aws_eusc_is_right", "eusc-de-east-1", "amazonaws.eu"),
        accepted("the_issuer_of_partition_aws_iso_is_right", "us-iso-east-1", "c2s.ic.gov"),
        accepted("the_issuer_of_partition_aws_iso_b_is_right", "us-isob-east-1", "sc2s.sgov.gov"),
        accepted("the_issuer_of_partition_aws_iso_e_is_right", "eu-isoe-west-1", "cloud.adc-e.uk"),
        accepted("the_issuer_of_partition_aws_iso_f_is_right", "us-isof-south-1", "csp.hci.ic.gov"),
        Case::denied(
            "the_suffix_of_another_partition_is_rejected",
            "issuer-unknown",
            from("https://cognito-idp.cn-north-1.amazonaws.com/cn-north-1_Ab1"),
        )
        .with_pool(|pool| pool.issuer = IssuerRule::UserPool { id: "cn-north-1_Ab1".into(), region: None })
        .with_keys_for(chinese),
        replica(Case::allowed(
            "a_replica_region_replaces_the_one_in_the_pool_id",
            from("https://cognito-idp.us-west-2.amazonaws.com/us-east-1_Ab1"),
        )),
        replica(Case::allowed(
            "the_second_form_of_a_replica_has_the_primary_region",
            from("https://issuer-cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab1"),
        )),
        replica(Case::allowed(
            "the_second_form_of_a_replica_may_have_its_own_region",
            from("https://issuer-cognito-idp.us-west-2.amazonaws.com/us-east-1_Ab1"),
        )),
        replica(Case::denied(
            "the_first_form_of_a_replica_does_not_have_the_primary_region",
            "issuer-unknown",
            from("https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab1"),
        )),
        replica(Case::denied(
            "a_third_region_of_a_replica_is_rejected",
            "issuer-unknown",
            from("https://issuer-cognito-idp.eu-west-1.amazonaws.com/us-east-1_Ab1"),
        )),
    ]
}

/// Two pools with the same `kid` and different keys. The second pool is for ID tokens.
fn several() -> Vec<Case> {
    let other_pool = || Pool {
        issuer: IssuerRule::UserPool { id: "eu-west-1_EXAMPLE02".into(), region: None },
        token_use: TokenUseRule::Id,
        ..pool()
    };
    let other_seed = || Seed {
        issuer: OTHER_ISSUER.into(),
        jwks: jwks(&[OTHER_RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID)]),
        fetched_at: NOW,
    };
    let both = |case: Case| case.with_another_pool(other_pool(), other_seed());
    let other_iss = format!("\"{OTHER_ISSUER}\"");
    vec![
        both(Case::allowed("with_two_pools_the_first_is_accepted", access())),
        both(Case::allowed(
            "with_two_pools_the_second_is_accepted",
            Draft::id(&OTHER_RSA_2048).claim("iss", &other_iss),
        )),
        both(Case::denied(
            "the_key_of_one_pool_does_not_sign_for_another",
            "signature-invalid",
            Draft::access(&OTHER_RSA_2048).with_signature_below(&RSA_2048),
        )),
        both(Case::denied(
            "the_key_of_the_first_pool_does_not_sign_for_the_second",
            "signature-invalid",
            Draft::id(&RSA_2048).claim("iss", &other_iss).with_signature_below(&OTHER_RSA_2048),
        )),
        both(Case::denied(
            "each_pool_has_its_own_policy",
            "token-use-mismatch",
            Draft::access(&OTHER_RSA_2048).claim("iss", &other_iss),
        )),
    ]
}
