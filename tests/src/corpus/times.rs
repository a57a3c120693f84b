//! `exp`, `nbf`, `iat` and the maximum age (RFC 7519 sections 2 and 4.1.4 to 4.1.6).

use super::Case;
use crate::{
    keys::RSA_2048,
    minting::{Draft, NOW},
};
use poolgate_core::Pool;

pub(super) fn cases() -> Vec<Case> {
    [expiry(), not_before(), issued_at(), age()].into_iter().flatten().collect()
}

fn access() -> Draft {
    Draft::access(&RSA_2048)
}

fn leeway(seconds: u32) -> impl FnOnce(&mut Pool) {
    move |pool| pool.leeway = seconds
}

fn no_skew(pool: &mut Pool) {
    pool.issued_at_skew = 0;
}

fn expiry() -> Vec<Case> {
    let exp = |value: &str| access().claim("exp", value);
    let at = |second: u64| access().claim("exp", second);
    vec![
        Case::denied("a_token_without_exp_is_rejected", "expiry-missing", access().without_claim("exp")),
        Case::denied("an_exp_that_is_null_is_missing", "expiry-missing", exp("null")),
        Case::denied("an_exp_that_is_a_string_is_rejected", "expiry-invalid", exp("\"1700003600\"")),
        Case::denied("an_exp_that_is_a_boolean_is_rejected", "expiry-invalid", exp("true")),
        Case::denied("an_exp_that_is_an_array_is_rejected", "expiry-invalid", exp("[1700003600]")),
        Case::denied("an_exp_that_is_an_object_is_rejected", "expiry-invalid", exp("{}")),
        Case::denied("a_negative_exp_is_rejected", "expiry-out-of-range", exp("-1")),
        Case::denied("an_exp_of_1e300_is_rejected", "expiry-out-of-range", exp("1e300")),
        Case::denied("an_exp_of_1e999_is_rejected", "payload-malformed", exp("1e999")),
        Case::denied("an_exp_of_two_to_the_64_is_rejected", "expiry-out-of-range", exp("18446744073709551616")),
        Case::denied("an_exp_of_the_greatest_u64_is_rejected", "expiry-out-of-range", at(u64::MAX)),
        Case::denied("an_exp_in_milliseconds_is_rejected", "expiry-out-of-range", at(NOW * 1_000)),
        Case::denied("an_exp_in_the_year_10000_is_rejected", "expiry-out-of-range", exp("253402300800")),
        Case::allowed("an_exp_in_the_year_9999_is_accepted", exp("253402300799")),
        Case::allowed("an_exp_in_scientific_notation_is_accepted", exp("1.7000036e9")),
        Case::denied("a_token_is_expired_at_the_second_of_exp", "expired", at(NOW)),
        Case::denied("a_token_is_expired_after_exp", "expired", at(NOW - 1)),
        Case::denied("an_exp_of_zero_is_expired", "expired", exp("0")),
        Case::denied("an_exp_of_minus_zero_is_expired", "expired", exp("-0")),
        Case::denied("a_fraction_does_not_lengthen_a_token", "expired", exp("1700000000.9")),
        Case::allowed("a_token_lives_one_second_before_exp", at(NOW + 1)),
        Case::denied("without_leeway_a_second_late_is_late", "expired", at(NOW + 9)).at(NOW + 10),
        Case::allowed("leeway_stretches_exp", at(NOW - 59)).with_pool(leeway(60)),
        Case::denied("leeway_ends_sharp", "expired", at(NOW - 60)).with_pool(leeway(60)),
        Case::denied("the_end_of_time_is_late", "expired", access()).at(u64::MAX),
    ]
}

fn not_before() -> Vec<Case> {
    let nbf = |value: &str| access().claim("nbf", value);
    let at = |second: u64| access().claim("nbf", second);
    vec![
        Case::allowed("an_nbf_of_now_is_accepted", at(NOW)),
        Case::allowed("an_nbf_within_the_skew_is_accepted", at(NOW + 60)),
        Case::denied("an_nbf_beyond_the_skew_is_rejected", "not-yet-valid", at(NOW + 61)),
        Case::denied("an_nbf_half_a_second_beyond_the_skew_is_rejected", "not-yet-valid", nbf("1700000060.5")),
        Case::denied("without_skew_an_nbf_in_a_second_is_rejected", "not-yet-valid", at(NOW + 1)).with_pool(no_skew),
        Case::denied("without_skew_an_nbf_in_half_a_second_is_rejected", "not-yet-valid", nbf("1700000000.5"))
            .with_pool(no_skew),
        Case::denied("an_nbf_in_2093_is_rejected", "not-yet-valid", nbf("3900000000")),
        Case::allowed("a_longer_leeway_counts_for_nbf_too", at(NOW + 120)).with_pool(leeway(120)),
        Case::denied("a_longer_leeway_ends_for_nbf_too", "not-yet-valid", at(NOW + 121)).with_pool(leeway(120)),
        Case::denied("an_nbf_that_is_a_string_is_rejected", "not-before-invalid", nbf("\"1\"")),
        Case::allowed("an_nbf_that_is_null_is_absent", nbf("null")),
        Case::denied("a_negative_nbf_is_rejected", "not-before-invalid", nbf("-1")),
        Case::denied("an_nbf_of_1e300_is_rejected", "not-before-invalid", nbf("1e300")),
    ]
}

fn issued_at() -> Vec<Case> {
    let iat = |value: &str| access().claim("iat", value);
    let at = |second: u64| access().claim("iat", second);
    vec![
        Case::allowed("a_token_without_iat_is_accepted_if_no_age_is_required", access().without_claim("iat")),
        Case::allowed("an_iat_within_the_skew_is_accepted", at(NOW + 60)),
        Case::denied("an_iat_beyond_the_skew_is_rejected", "issued-in-future", at(NOW + 61)),
        Case::denied("without_skew_an_iat_in_a_second_is_rejected", "issued-in-future", at(NOW + 1)).with_pool(no_skew),
        Case::allowed("a_longer_leeway_counts_for_iat_too", at(NOW + 120)).with_pool(leeway(120)),
        Case::denied("a_longer_leeway_ends_for_iat_too", "issued-in-future", at(NOW + 121)).with_pool(leeway(120)),
        Case::denied("an_iat_that_is_a_string_is_rejected", "issued-at-invalid", iat("\"1700000000\"")),
        Case::allowed("an_iat_that_is_null_is_absent", iat("null")),
        Case::denied("a_negative_iat_is_rejected", "issued-at-invalid", iat("-1")),
        Case::denied("an_iat_of_1e300_is_rejected", "issued-at-invalid", iat("1e300")),
    ]
}

fn age() -> Vec<Case> {
    let limited = |pool: &mut Pool| pool.max_age = Some(300);
    let aged = |seconds: u64| access().claim("iat", NOW - seconds);
    vec![
        Case::allowed("a_token_of_the_greatest_age_is_accepted", aged(300)).with_pool(limited),
        Case::denied("a_token_over_the_greatest_age_is_rejected", "too-old", aged(301)).with_pool(limited),
        Case::denied(
            "a_token_without_iat_is_rejected_if_an_age_is_required",
            "issued-at-missing",
            access().without_claim("iat"),
        )
        .with_pool(limited),
        Case::denied("an_iat_that_is_null_has_no_age", "issued-at-missing", access().claim("iat", "null"))
            .with_pool(limited),
        Case::allowed("leeway_stretches_the_age", aged(310)).with_pool(|pool| {
            pool.max_age = Some(300);
            pool.leeway = 10;
        }),
        Case::denied("leeway_of_the_age_ends_sharp", "too-old", aged(311)).with_pool(|pool| {
            pool.max_age = Some(300);
            pool.leeway = 10;
        }),
        Case::denied("an_age_of_zero_rejects_a_token_after_a_second", "too-old", aged(1))
            .with_pool(|pool| pool.max_age = Some(0)),
    ]
}
