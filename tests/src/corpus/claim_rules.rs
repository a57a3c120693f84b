//! Claim rules: every test, every selector and every type. A claim of the wrong type, a claim with too many values and an absent claim do not fit.

use super::{Case, names};
use crate::{
    keys::{OTHER_RSA_2048, RSA_2048},
    minting::Draft,
};
use poolgate_core::{ClaimRule, ClaimSelector, ClaimTest, ClaimValue, Membership};

pub(super) fn cases() -> Vec<Case> {
    [
        any_of(),
        all_of(),
        none_of(),
        affixes(),
        ranges(),
        exact_numbers(),
        existence(),
        absence(),
        paths(),
        names_of_claims(),
        splits(),
        keys(),
        each(),
        many_values(),
        lists(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn rule(claim: &str, test: ClaimTest) -> ClaimRule {
    ClaimRule {
        name: None,
        claim: claim.into(),
        path: Vec::new(),
        selector: ClaimSelector::Value,
        test,
        fits_if_absent: false,
    }
}

fn role(test: ClaimTest) -> ClaimRule {
    rule("role", test)
}

fn at(path: &[&str], rule: ClaimRule) -> ClaimRule {
    ClaimRule { path: names(path), ..rule }
}

fn selecting(selector: ClaimSelector, rule: ClaimRule) -> ClaimRule {
    ClaimRule { selector, ..rule }
}

fn or_absent(rule: ClaimRule) -> ClaimRule {
    ClaimRule { fits_if_absent: true, ..rule }
}

fn text(text: &str) -> ClaimValue {
    ClaimValue::Text(text.into())
}

fn texts(values: &[&str]) -> Vec<ClaimValue> {
    values.iter().map(|value| text(value)).collect()
}

fn one_of(values: &[&str]) -> ClaimTest {
    ClaimTest::AnyOf(texts(values))
}

fn all_of_these(values: &[&str]) -> ClaimTest {
    ClaimTest::AllOf(texts(values))
}

fn not(values: &[&str]) -> ClaimTest {
    ClaimTest::NoneOf(texts(values))
}

fn number(number: f64) -> ClaimTest {
    ClaimTest::AnyOf(vec![ClaimValue::Number(number)])
}

fn range(at_least: Option<f64>, at_most: Option<f64>) -> ClaimTest {
    ClaimTest::Range { at_least, at_most }
}

/// A token whose claim has this value, which is JSON.
fn fits(name: &'static str, rule: ClaimRule, value: &str) -> Case {
    with_rules(Case::allowed(name, Draft::access(&RSA_2048).claim(&rule.claim, value)), vec![rule])
}

fn misfits(name: &'static str, rule: ClaimRule, value: &str) -> Case {
    let token = Draft::access(&RSA_2048).claim(&rule.claim, value);
    with_rules(Case::denied(name, "claim-mismatch", token), vec![rule])
}

fn with_rules(case: Case, rules: Vec<ClaimRule>) -> Case {
    case.with_pool(|pool| pool.claims = rules)
}

fn any_of() -> Vec<Case> {
    let admin = || role(one_of(&["admin", "owner"]));
    let verified = || role(ClaimTest::AnyOf(vec![ClaimValue::Boolean(true), text("true")]));
    vec![
        fits("any_of_fits_a_text", admin(), "\"admin\""),
        fits("any_of_fits_the_second_of_its_values", admin(), "\"owner\""),
        fits("any_of_fits_an_array_with_one_of_its_values", admin(), "[\"user\",\"owner\"]"),
        fits("any_of_fits_a_text_behind_an_escape", admin(), r#""\u0061dmin""#),
        fits("any_of_fits_an_array_of_several_types", admin(), "[1,true,\"admin\"]"),
        fits("any_of_fits_an_empty_text_if_it_is_listed", role(one_of(&[""])), "\"\""),
        misfits("any_of_rejects_another_text", admin(), "\"user\""),
        misfits("any_of_compares_with_case", admin(), "\"Admin\""),
        misfits("any_of_does_not_trim", admin(), "\" admin\""),
        misfits("any_of_does_not_split", admin(), "\"admin owner\""),
        misfits("any_of_does_not_fit_a_longer_text", admin(), "\"administrator\""),
        misfits("any_of_does_not_normalize", role(one_of(&["cl\u{e9}"])), "\"cle\u{301}\""),
        misfits("any_of_rejects_an_empty_array", admin(), "[]"),
        misfits("any_of_rejects_an_object", admin(), "{\"admin\":true}"),
        misfits("any_of_rejects_an_array_with_an_object", admin(), "[\"admin\",{}]"),
        misfits("any_of_rejects_an_array_with_an_array", admin(), "[\"admin\",[]]"),
        misfits("any_of_rejects_an_array_with_null", admin(), "[\"admin\",null]"),
        misfits("any_of_rejects_a_nested_array", admin(), "[[\"admin\"]]"),
        misfits("any_of_rejects_a_text_like_an_array", admin(), r#""[\"admin\"]""#),
        fits("any_of_fits_a_boolean", verified(), "true"),
        fits("any_of_fits_a_text_that_looks_like_a_boolean_if_listed", verified(), "\"true\""),
        misfits(
            "any_of_does_not_take_a_text_for_a_boolean",
            role(ClaimTest::AnyOf(vec![ClaimValue::Boolean(true)])),
            "\"true\"",
        ),
        misfits("any_of_does_not_take_a_number_for_a_boolean", verified(), "1"),
        misfits("any_of_does_not_take_false_for_true", verified(), "false"),
        fits("any_of_fits_a_number", role(number(2.0)), "2"),
        fits("any_of_fits_a_number_in_another_spelling", role(number(2.0)), "20e-1"),
        fits("any_of_fits_a_negative_number", role(number(-2.5)), "-2.5"),
        misfits("any_of_does_not_take_a_text_for_a_number", role(number(2.0)), "\"2\""),
        misfits("any_of_does_not_take_a_number_for_a_text", role(one_of(&["2"])), "2"),
        misfits("any_of_rejects_a_number_nearby", role(number(2.0)), "2.0000001"),
    ]
}

fn all_of() -> Vec<Case> {
    let both = || role(all_of_these(&["read", "write"]));
    vec![
        fits("all_of_fits_an_array_with_all_values", both(), "[\"write\",\"x\",\"read\"]"),
        fits("all_of_fits_a_text_if_it_has_one_value", role(all_of_these(&["read"])), "\"read\""),
        misfits("all_of_rejects_an_array_without_one_value", both(), "[\"write\",\"x\"]"),
        misfits("all_of_rejects_one_value_twice", both(), "[\"write\",\"write\"]"),
        misfits("all_of_rejects_a_text_with_both_values", both(), "\"read write\""),
        misfits("all_of_rejects_an_empty_array", both(), "[]"),
        misfits("all_of_rejects_an_array_with_an_object", both(), "[\"write\",\"read\",{\"a\":1}]"),
        misfits("all_of_rejects_an_object", both(), "{\"read\":1,\"write\":1}"),
        fits(
            "all_of_fits_values_of_several_types",
            role(ClaimTest::AllOf(vec![text("1"), ClaimValue::Number(1.0), ClaimValue::Boolean(true)])),
            "[true,1,\"1\"]",
        ),
        misfits(
            "all_of_does_not_mix_types",
            role(ClaimTest::AllOf(vec![text("1"), ClaimValue::Number(1.0)])),
            "[\"1\",\"1\"]",
        ),
    ]
}

fn none_of() -> Vec<Case> {
    let active = || role(not(&["pending", "blocked"]));
    vec![
        fits("none_of_fits_another_text", active(), "\"active\""),
        fits("none_of_fits_an_array_of_other_texts", active(), "[\"active\",\"new\"]"),
        fits("none_of_fits_an_empty_array", active(), "[]"),
        fits("none_of_compares_with_case", active(), "\"Pending\""),
        misfits("none_of_rejects_a_listed_text", active(), "\"blocked\""),
        misfits("none_of_rejects_an_array_with_a_listed_text", active(), "[\"active\",\"pending\"]"),
        misfits("none_of_rejects_a_number", active(), "5"),
        misfits("none_of_rejects_a_boolean", active(), "false"),
        misfits("none_of_rejects_an_object", active(), "{\"status\":\"active\"}"),
        misfits("none_of_rejects_an_array_with_an_object", active(), "[\"active\",{}]"),
        misfits("none_of_rejects_an_array_with_a_number", active(), "[\"active\",5]"),
        misfits("none_of_rejects_an_array_with_null", active(), "[\"active\",null]"),
        misfits("none_of_rejects_a_nested_listed_text", active(), "[[\"pending\"]]"),
        misfits(
            "none_of_booleans_rejects_a_text",
            role(ClaimTest::NoneOf(vec![ClaimValue::Boolean(true)])),
            "\"true\"",
        ),
        fits(
            "none_of_booleans_fits_the_other_boolean",
            role(ClaimTest::NoneOf(vec![ClaimValue::Boolean(true)])),
            "false",
        ),
        fits(
            "none_of_several_types_fits_any_of_them",
            role(ClaimTest::NoneOf(vec![ClaimValue::Boolean(true), text("true")])),
            "\"false\"",
        ),
        misfits(
            "none_of_numbers_rejects_a_number_that_is_not_exact",
            role(ClaimTest::NoneOf(vec![ClaimValue::Number(1.0)])),
            "9007199254740993",
        ),
    ]
}

fn affixes() -> Vec<Case> {
    let prefix = || role(ClaimTest::Prefix(names(&["repo:octo-org/", "team:"])));
    let suffix = || role(ClaimTest::Suffix(names(&["@example.com"])));
    vec![
        fits("prefix_fits_a_text_that_begins_with_it", prefix(), "\"repo:octo-org/app:ref:main\""),
        fits("prefix_fits_a_text_that_begins_with_another_of_its_texts", prefix(), "\"team:a\""),
        fits("prefix_fits_the_prefix_itself", prefix(), "\"team:\""),
        misfits("prefix_rejects_a_text_that_contains_it", prefix(), "\"x team:a\""),
        misfits("prefix_rejects_a_name_that_only_begins_alike", prefix(), "\"repo:octo-org-evil/app\""),
        misfits("prefix_compares_with_case", prefix(), "\"Team:a\""),
        misfits("prefix_rejects_an_array", prefix(), "[\"team:a\"]"),
        misfits("prefix_rejects_a_number", role(ClaimTest::Prefix(names(&["1"]))), "12"),
        misfits("prefix_rejects_an_empty_text", prefix(), "\"\""),
        misfits("prefix_rejects_an_object", prefix(), "{\"team:\":1}"),
        fits("suffix_fits_a_text_that_ends_with_it", suffix(), "\"ada@example.com\""),
        misfits("suffix_rejects_a_text_that_contains_it", suffix(), "\"ada@example.com.evil.example\""),
        misfits("suffix_compares_with_case", suffix(), "\"ada@EXAMPLE.com\""),
        misfits("suffix_rejects_an_array", suffix(), "[\"ada@example.com\"]"),
        misfits("suffix_rejects_a_boolean", role(ClaimTest::Suffix(names(&["e"]))), "true"),
        misfits("suffix_rejects_a_final_newline", suffix(), "\"ada@example.com\\n\""),
    ]
}

fn ranges() -> Vec<Case> {
    let adult = || role(range(Some(18.0), None));
    let percent = || role(range(Some(0.0), Some(100.0)));
    vec![
        fits("at_least_fits_its_bound", adult(), "18"),
        fits("at_least_fits_a_greater_number", adult(), "18.5"),
        misfits("at_least_rejects_a_smaller_number", adult(), "17.999"),
        misfits("at_least_rejects_a_text", adult(), "\"20\""),
        misfits("at_least_rejects_an_array", adult(), "[20]"),
        misfits("at_least_rejects_a_boolean", role(range(Some(0.0), None)), "true"),
        misfits("at_least_rejects_an_object", adult(), "{}"),
        misfits("at_least_rejects_a_number_that_is_not_exact", adult(), "1e300"),
        fits("at_most_fits_its_bound", role(range(None, Some(-1.0))), "-1"),
        misfits("at_most_rejects_a_greater_number", role(range(None, Some(-1.0))), "0"),
        misfits("at_most_rejects_a_number_that_is_not_exact", role(range(None, Some(-1.0))), "-1e300"),
        fits("two_bounds_fit_a_number_between", percent(), "50"),
        fits("two_bounds_fit_minus_zero", percent(), "-0"),
        misfits("two_bounds_reject_a_number_below", percent(), "-1"),
        misfits("two_bounds_reject_a_number_above", percent(), "100.5"),
        misfits("bounds_in_the_wrong_order_fit_nothing", role(range(Some(2.0), Some(1.0))), "1.5"),
    ]
}

/// A double represents every integer before 2^53, and from there on stands for several.
fn exact_numbers() -> Vec<Case> {
    const LIMIT: f64 = 9_007_199_254_740_992.0;
    vec![
        fits("the_integer_before_2_to_the_53_is_exact", role(number(LIMIT - 1.0)), "9007199254740991"),
        misfits("the_integer_2_to_the_53_is_not_exact", role(range(Some(1.0), None)), "9007199254740992"),
        misfits("the_integer_after_2_to_the_53_is_not_exact", role(range(Some(1.0), None)), "9007199254740993"),
        misfits("the_integer_two_before_2_to_the_53_is_another", role(number(LIMIT - 1.0)), "9007199254740990"),
        fits("the_integer_after_minus_2_to_the_53_is_exact", role(number(1.0 - LIMIT)), "-9007199254740991"),
        misfits(
            "the_integer_minus_2_to_the_53_may_have_been_rounded",
            role(range(None, Some(0.0))),
            "-9007199254740992",
        ),
        misfits(
            "2_to_the_53_with_an_exponent_may_have_been_rounded",
            role(range(Some(1.0), None)),
            "9007199254740993e0",
        ),
        misfits("a_number_of_64_bits_is_not_exact", role(range(Some(0.0), None)), "18446744073709551615"),
        misfits("an_array_with_a_number_that_is_not_exact_is_rejected", role(number(1.0)), "[1,9007199254740993]"),
        fits("a_number_that_is_not_exact_exists", role(ClaimTest::Exists(true)), "9007199254740993"),
    ]
}

fn existence() -> Vec<Case> {
    let there = || role(ClaimTest::Exists(true));
    let absent = || role(ClaimTest::Exists(false));
    let without = |case: Case, rule: ClaimRule| with_rules(case, vec![rule]);
    let token = || Draft::access(&RSA_2048);
    vec![
        fits("exists_fits_a_text", there(), "\"\""),
        fits("exists_fits_false", there(), "false"),
        fits("exists_fits_zero", there(), "0"),
        fits("exists_fits_an_object", there(), "{}"),
        fits("exists_fits_an_array_with_null", there(), "[null]"),
        misfits("exists_rejects_null", there(), "null"),
        without(Case::denied("exists_rejects_an_absent_claim", "claim-mismatch", token()), there()),
        without(Case::allowed("exists_false_fits_an_absent_claim", token()), absent()),
        fits("exists_false_fits_null", absent(), "null"),
        misfits("exists_false_rejects_false", absent(), "false"),
        misfits("exists_false_rejects_an_empty_array", absent(), "[]"),
        fits("exists_follows_a_path", at(&["a", "b"], there()), r#"{"a":{"b":0}}"#),
        misfits("exists_rejects_null_at_the_end_of_a_path", at(&["a"], there()), r#"{"a":null}"#),
        fits("exists_false_fits_null_at_the_end_of_a_path", at(&["a"], absent()), r#"{"a":null}"#),
        fits("exists_false_fits_a_path_that_ends_early", at(&["a", "b"], absent()), r#"{"a":{}}"#),
        misfits("exists_false_rejects_a_path_into_a_text", at(&["a"], absent()), "\"a\""),
        misfits("exists_false_rejects_a_path_into_an_array", at(&["sub"], absent()), r#"[{"sub":"x"}]"#),
        misfits("exists_rejects_a_path_into_a_text", at(&["a"], there()), "\"a\""),
        misfits("exists_rejects_a_path_into_an_array", at(&["0"], there()), "[1]"),
    ]
}

fn absence() -> Vec<Case> {
    let token = || Draft::access(&RSA_2048);
    let denied = |name, rule| with_rules(Case::denied(name, "claim-mismatch", token()), vec![rule]);
    let allowed = |name, rule| with_rules(Case::allowed(name, token()), vec![rule]);
    vec![
        denied("any_of_rejects_an_absent_claim", role(one_of(&["admin"]))),
        denied("all_of_rejects_an_absent_claim", role(all_of_these(&["admin"]))),
        denied("none_of_rejects_an_absent_claim", role(not(&["admin"]))),
        denied("prefix_rejects_an_absent_claim", role(ClaimTest::Prefix(names(&["a"])))),
        denied("suffix_rejects_an_absent_claim", role(ClaimTest::Suffix(names(&["a"])))),
        denied("at_least_rejects_an_absent_claim", role(range(Some(0.0), None))),
        denied("at_most_rejects_an_absent_claim", role(range(None, Some(0.0)))),
        denied("a_claim_of_another_case_is_another_claim", rule("Username", one_of(&["ada"]))),
        misfits("any_of_rejects_null", role(one_of(&["null", ""])), "null"),
        misfits("none_of_rejects_null", role(not(&["admin"])), "null"),
        misfits("at_most_rejects_null", role(range(None, Some(0.0))), "null"),
        allowed("any_of_fits_an_absent_claim_if_absence_passes", or_absent(role(one_of(&["admin"])))),
        allowed("none_of_fits_an_absent_claim_if_absence_passes", or_absent(role(not(&["pending"])))),
        allowed("a_range_fits_an_absent_claim_if_absence_passes", or_absent(role(range(Some(1.0), None)))),
        fits("null_is_absent_if_absence_passes", or_absent(role(not(&["pending"]))), "null"),
        misfits("if_absence_passes_a_listed_text_is_still_rejected", or_absent(role(not(&["pending"]))), "\"pending\""),
        misfits("if_absence_passes_a_wrong_type_is_still_rejected", or_absent(role(not(&["pending"]))), "{}"),
        misfits("if_absence_passes_an_empty_array_is_still_present", or_absent(role(one_of(&["admin"]))), "[]"),
        fits(
            "if_absence_passes_a_path_may_end_early",
            or_absent(at(&["a", "b"], role(one_of(&["admin"])))),
            r#"{"a":{}}"#,
        ),
        misfits(
            "if_absence_passes_a_path_into_a_text_is_still_rejected",
            or_absent(at(&["a", "b"], role(not(&["admin"])))),
            r#"{"a":"admin"}"#,
        ),
    ]
}

fn paths() -> Vec<Case> {
    let roles = || at(&["roles"], rule("realm_access", one_of(&["admin"])));
    let deep = ["1", "2", "3", "4", "5", "6", "7", "8"];
    let nested = format!("{}\"admin\"{}", deep.map(|step| format!("{{\"{step}\":")).concat(), "}".repeat(8));
    vec![
        fits("a_path_leads_to_an_array", roles(), r#"{"roles":["user","admin"]}"#),
        fits("a_path_leads_to_a_text", roles(), r#"{"roles":"admin"}"#),
        fits("a_path_of_eight_steps_is_followed", at(&deep, role(one_of(&["admin"]))), &nested),
        misfits("a_path_leads_to_a_value_that_does_not_fit", roles(), r#"{"roles":["user"]}"#),
        misfits("a_path_that_ends_early_is_rejected", roles(), r#"{"groups":["admin"]}"#),
        misfits("a_path_to_null_is_rejected", roles(), r#"{"roles":null}"#),
        misfits("a_path_into_an_array_is_rejected", roles(), r#"[{"roles":["admin"]}]"#),
        misfits("a_path_into_a_text_is_rejected", roles(), "\"admin\""),
        misfits("a_path_into_a_number_is_rejected", roles(), "1"),
        misfits("none_of_rejects_a_path_into_a_text", at(&["roles"], role(not(&["admin"]))), "\"user\""),
        misfits("none_of_rejects_a_path_that_ends_early", at(&["roles"], role(not(&["admin"]))), "{}"),
        misfits("the_value_above_a_path_does_not_count", at(&["roles"], role(one_of(&["roles"]))), "\"roles\""),
        misfits("a_path_does_not_look_deeper_than_it_says", roles(), r#"{"x":{"roles":["admin"]}}"#),
    ]
}

fn names_of_claims() -> Vec<Case> {
    let namespace = || at(&["namespace"], rule("kubernetes.io", one_of(&["prod"])));
    let url = || rule("https://example.com/roles", one_of(&["admin"]));
    let token = |name: &str, value: &str| Draft::access(&RSA_2048).claim(name, value);
    let denied = |name, token, rule| with_rules(Case::denied(name, "claim-mismatch", token), vec![rule]);
    vec![
        fits("a_name_with_a_dot_is_one_name", namespace(), r#"{"namespace":"prod"}"#),
        denied("a_name_with_a_dot_is_no_path", token("kubernetes", r#"{"io":{"namespace":"prod"}}"#), namespace()),
        fits("a_step_with_a_dot_is_one_name", at(&["app.kubernetes.io/name"], role(one_of(&["web"]))), {
            r#"{"app.kubernetes.io/name":"web"}"#
        }),
        fits("a_name_like_a_url_is_one_name", url(), "[\"admin\"]"),
        denied("a_name_like_a_url_is_compared_exactly", token("http://example.com/roles", "[\"admin\"]"), url()),
        with_rules(
            Case::allowed("a_name_behind_an_escape_is_the_same", token(r"\u0072ole", "\"admin\"")),
            vec![role(one_of(&["admin"]))],
        ),
        with_rules(
            Case::denied("a_second_claim_behind_an_escape_is_a_duplicate", "payload-duplicate-member", {
                token("role", "\"user\"").claim(r"\u0072ole", "\"admin\"")
            }),
            vec![role(one_of(&["admin"]))],
        ),
        fits("a_name_with_a_colon_is_one_name", rule("custom:tenant", one_of(&["a"])), "\"a\""),
        fits(
            "a_claim_with_a_check_of_its_own_may_have_a_rule_too",
            rule("client_id", ClaimTest::Suffix(names(&["exampleapp"]))),
            &format!("\"{}\"", crate::minting::CLIENT_ID),
        ),
        misfits("a_rule_for_the_groups_is_judged_by_the_claim", rule("cognito:groups", not(&["guests"])), {
            "[\"guests\"]"
        }),
    ]
}

fn splits() -> Vec<Case> {
    let part = |separator: char, test| selecting(ClaimSelector::Split(separator), role(test));
    let manage = || part(',', one_of(&["manage"]));
    vec![
        fits("split_finds_a_part", manage(), "\"read,manage,write\""),
        fits("split_finds_the_only_part", manage(), "\"manage\""),
        fits("split_finds_all_parts", part(' ', all_of_these(&["b", "a"])), "\"a  b\""),
        fits("split_finds_no_listed_part", part(' ', not(&["c"])), "\"a b\""),
        fits("split_by_a_character_outside_ascii_finds_a_part", part('·', one_of(&["b"])), "\"a·b\""),
        fits("split_of_an_empty_text_has_no_parts", part(',', not(&["a"])), "\"\""),
        misfits("split_does_not_trim", manage(), "\"read, manage\""),
        misfits("split_rejects_a_longer_part", manage(), "\"management\""),
        misfits("split_rejects_a_listed_part", part(',', not(&["b"])), "\"a,b\""),
        misfits("split_rejects_an_array", manage(), "[\"manage\"]"),
        misfits("split_with_none_of_rejects_an_array", part(',', not(&["b"])), "[\"a\"]"),
        misfits("split_rejects_a_number", part('.', one_of(&["1"])), "1.5"),
        misfits("split_rejects_an_object", manage(), "{\"manage\":1}"),
        fits("split_follows_a_path", at(&["per"], manage()), r#"{"per":"read,manage"}"#),
    ]
}

fn keys() -> Vec<Case> {
    let keyed = |test| selecting(ClaimSelector::Keys, role(test));
    let admin = || keyed(one_of(&["admin"]));
    vec![
        fits("keys_finds_the_name_of_a_member", admin(), r#"{"user":{},"admin":{"org":"x"}}"#),
        fits("keys_finds_a_member_whose_value_is_false", admin(), r#"{"admin":false}"#),
        fits("keys_finds_all_names", keyed(all_of_these(&["a", "b"])), r#"{"b":1,"a":1}"#),
        fits("keys_finds_no_listed_name", keyed(not(&["blocked"])), r#"{"user":1}"#),
        fits("keys_of_an_empty_object_are_none", keyed(not(&["blocked"])), "{}"),
        misfits("keys_rejects_an_object_without_the_name", admin(), r#"{"user":"admin"}"#),
        misfits("keys_does_not_look_deeper", admin(), r#"{"x":{"admin":1}}"#),
        misfits("keys_rejects_a_listed_name", keyed(not(&["blocked"])), r#"{"user":1,"blocked":1}"#),
        misfits("keys_does_not_find_a_member_that_is_null", admin(), r#"{"admin":null}"#),
        misfits("keys_rejects_an_array", admin(), "[\"admin\"]"),
        misfits("keys_rejects_an_array_of_objects", admin(), r#"[{"admin":1}]"#),
        misfits("keys_rejects_a_text", admin(), "\"admin\""),
        misfits("keys_with_none_of_rejects_a_text", keyed(not(&["blocked"])), "\"user\""),
        misfits("keys_of_an_empty_object_fit_no_name", admin(), "{}"),
        fits("keys_follows_a_path", at(&["a"], admin()), r#"{"a":{"admin":1}}"#),
    ]
}

fn each() -> Vec<Case> {
    let provider = |test| selecting(ClaimSelector::Each(names(&["providerName"])), rule("identities", test));
    let okta = || provider(one_of(&["Okta"]));
    vec![
        fits("each_finds_a_value_in_an_element", okta(), {
            r#"[{"providerName":"Google","issuer":null},{"providerName":"Okta"}]"#
        }),
        fits("each_finds_all_values", provider(all_of_these(&["a", "b"])), {
            r#"[{"providerName":"b"},{"providerName":"a"}]"#
        }),
        fits("each_finds_no_listed_value", provider(not(&["Google"])), r#"[{"providerName":"Okta"}]"#),
        fits(
            "each_follows_a_path_of_several_steps",
            selecting(ClaimSelector::Each(names(&["a", "b"])), role(one_of(&["x"]))),
            r#"[{"a":{"b":"x"}},{"a":{"b":"y"}}]"#,
        ),
        misfits("each_rejects_other_values", okta(), r#"[{"providerName":"Google"}]"#),
        misfits("each_rejects_a_listed_value", provider(not(&["Google"])), {
            r#"[{"providerName":"Okta"},{"providerName":"Google"}]"#
        }),
        misfits("each_rejects_an_element_without_a_value", okta(), r#"[{"providerName":"Okta"},{}]"#),
        misfits("each_with_none_of_rejects_an_element_without_a_value", provider(not(&["Google"])), {
            r#"[{"providerName":"Okta"},{}]"#
        }),
        misfits("each_rejects_an_element_whose_value_is_null", okta(), {
            r#"[{"providerName":"Okta"},{"providerName":null}]"#
        }),
        misfits("each_rejects_an_element_that_is_a_text", okta(), r#"[{"providerName":"Okta"},"Okta"]"#),
        misfits("each_rejects_an_element_whose_value_is_an_array", okta(), r#"[{"providerName":["Okta"]}]"#),
        misfits("each_rejects_an_object", okta(), r#"{"providerName":"Okta"}"#),
        misfits("each_rejects_a_text_with_json", okta(), r#""[{\"providerName\":\"Okta\"}]""#),
        misfits("each_rejects_an_empty_array", okta(), "[]"),
    ]
}

/// At most 1,024 values of a claim are looked at.
fn many_values() -> Vec<Case> {
    let last = |count: usize| format!("[{}1]", "0,".repeat(count - 1));
    let parts = |count: usize| format!("\"{}b\"", "a ".repeat(count - 1));
    let members = |count: usize| {
        let names: Vec<String> = (1..count).map(|number| format!("\"{number}\":0")).collect();
        format!("{{{},\"b\":0}}", names.join(","))
    };
    let split = |test| selecting(ClaimSelector::Split(' '), role(test));
    let keyed = |test| selecting(ClaimSelector::Keys, role(test));
    vec![
        fits("an_array_of_1024_elements_is_looked_at", role(number(1.0)), &last(1_024)),
        misfits("an_array_of_1025_elements_is_rejected", role(number(1.0)), &last(1_025)),
        misfits("an_array_of_1025_elements_is_rejected_even_if_the_first_fits", role(number(0.0)), &last(1_025)),
        misfits(
            "none_of_rejects_an_array_of_1025_elements",
            role(ClaimTest::NoneOf(vec![ClaimValue::Number(9.0)])),
            &last(1_025),
        ),
        fits("a_text_of_1024_parts_is_looked_at", split(one_of(&["b"])), &parts(1_024)),
        misfits("a_text_of_1025_parts_is_rejected", split(one_of(&["b"])), &parts(1_025)),
        misfits("none_of_rejects_a_text_of_1025_parts", split(not(&["x"])), &parts(1_025)),
        fits("an_object_of_400_members_is_looked_at", keyed(one_of(&["b"])), &members(400)),
        fits("an_array_of_1025_elements_exists", role(ClaimTest::Exists(true)), &last(1_025)),
    ]
}

fn lists() -> Vec<Case> {
    let token = || Draft::access(&RSA_2048).claim("role", "\"admin\"").claim("level", 3);
    let level = |least: f64| rule("level", range(Some(least), None));
    let admin = || role(one_of(&["admin"]));
    let named = ClaimRule { name: Some("staff".into()), ..admin() };
    vec![
        with_rules(Case::allowed("every_rule_of_a_list_must_fit", token()), vec![admin(), level(3.0)]),
        with_rules(
            Case::denied("the_last_rule_of_a_list_counts", "claim-mismatch", token()),
            vec![admin(), level(4.0)],
        ),
        with_rules(Case::denied("the_first_rule_of_a_list_counts", "claim-mismatch", token()), {
            vec![role(one_of(&["owner"])), level(3.0)]
        }),
        with_rules(Case::allowed("two_rules_for_one_claim_both_count", token()), vec![admin(), role(not(&["owner"]))]),
        with_rules(Case::denied("two_rules_for_one_claim_are_no_choice", "claim-mismatch", token()), {
            vec![admin(), role(one_of(&["owner"]))]
        }),
        with_rules(Case::allowed("a_list_of_32_rules_is_judged", token()), vec![level(3.0); 32]),
        with_rules(Case::allowed("a_rule_may_have_a_name", token()), vec![named]),
        with_rules(
            Case::denied("rules_are_not_judged_before_the_signature", "signature-invalid", {
                Draft::access(&OTHER_RSA_2048).claim("role", "\"user\"").with_signature_below(&RSA_2048)
            }),
            vec![admin()],
        ),
        with_rules(
            Case::denied("rules_are_not_judged_before_the_client", "client-mismatch", {
                Draft::access(&RSA_2048).claim("client_id", "\"another\"")
            }),
            vec![admin()],
        ),
        with_rules(Case::denied("rules_are_judged_before_the_groups", "claim-mismatch", token()), vec![level(4.0)])
            .with_pool(|pool| pool.groups = Membership::any_of(names(&["nobody"]))),
        with_rules(Case::denied("rules_do_not_replace_the_groups", "group-missing", token()), vec![admin()])
            .with_pool(|pool| pool.groups = Membership::any_of(names(&["nobody"]))),
    ]
}
