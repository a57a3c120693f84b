//! Scopes of other issuers than user pools: `scope` or `scp`, as a text or as an array, or the claim that the pool names.

use super::{Case, names};
use crate::{keys::RSA_2048, minting::Draft};
use poolgate_core::Membership;

const ISSUER: &str = "https://login.example.com";

pub(super) fn cases() -> Vec<Case> {
    [values(), precedence(), named()].into_iter().flatten().collect()
}

fn token(name: &str, value: &str) -> Draft {
    Draft::of_issuer(&RSA_2048, ISSUER).claim(name, value)
}

/// The pool requires all of these scopes.
fn requiring(case: Case, scopes: &[&str]) -> Case {
    case.of_issuer(ISSUER, |pool| pool.scopes = Membership::all_of(names(scopes)))
}

fn values() -> Vec<Case> {
    let read = |case: Case| requiring(case, &["read"]);
    let invalid = |name, claim, value| read(Case::denied(name, "scope-invalid", token(claim, value)));
    let missing = |name, claim, value| read(Case::denied(name, "scope-missing", token(claim, value)));
    vec![
        read(Case::allowed("scope_is_a_text", token("scope", "\"openid read\""))),
        read(Case::allowed("scope_may_be_an_array", token("scope", "[\"openid\",\"read\"]"))),
        read(Case::allowed("scp_may_be_an_array", token("scp", "[\"openid\",\"read\"]"))),
        read(Case::allowed("scp_may_be_a_text", token("scp", "\"openid read\""))),
        requiring(Case::allowed("all_scopes_of_an_array_count", token("scp", "[\"a\",\"b\"]")), &["b", "a"]),
        missing("an_element_with_a_space_is_one_scope", "scp", "[\"openid read\"]"),
        missing("an_element_of_scope_with_a_space_is_one_scope", "scope", "[\"openid read\"]"),
        missing("an_empty_array_has_no_scope", "scp", "[]"),
        missing("an_empty_text_has_no_scope", "scope", "\"\""),
        missing("scopes_of_an_array_are_compared_with_case", "scp", "[\"Read\"]"),
        missing("a_longer_scope_of_an_array_is_another", "scp", "[\"read:all\"]"),
        missing("scopes_are_not_split_at_commas", "scope", "\"openid,read\""),
        invalid("a_number_among_the_scopes_is_rejected", "scp", "[\"read\",1]"),
        invalid("a_null_among_the_scopes_is_rejected", "scp", "[\"read\",null]"),
        invalid("an_array_among_the_scopes_is_rejected", "scope", "[[\"read\"]]"),
        invalid("a_scp_that_is_an_object_is_rejected", "scp", "{\"read\":true}"),
        invalid("a_scope_that_is_a_boolean_is_rejected", "scope", "true"),
        invalid("a_scope_that_is_a_number_is_rejected", "scope", "1"),
        Case::denied(
            "scopes_of_the_wrong_type_are_rejected_even_if_none_is_required",
            "scope-invalid",
            token("scp", "7"),
        )
        .of_issuer(ISSUER, |_| ()),
    ]
}

fn precedence() -> Vec<Case> {
    let both = |scope: &str, scp: &str| token("scope", scope).claim("scp", scp);
    let read = |case: Case| requiring(case, &["read"]);
    vec![
        read(Case::allowed("scope_comes_before_scp", both("\"read\"", "[\"openid\"]"))),
        read(Case::denied("scp_adds_nothing_to_scope", "scope-missing", both("\"openid\"", "[\"read\"]"))),
        read(Case::denied("scp_adds_nothing_to_an_empty_scope", "scope-missing", both("\"\"", "[\"read\"]"))),
        read(Case::allowed("scp_is_used_if_scope_is_null", both("null", "[\"read\"]"))),
        read(Case::denied("scp_that_is_null_has_no_scopes", "scope-missing", both("null", "null"))),
        read(Case::denied("scp_does_not_replace_a_scope_of_the_wrong_type", "scope-invalid", both("1", "[\"read\"]"))),
        read(Case::allowed("scp_is_not_read_beside_scope", both("\"read\"", "1"))),
    ]
}

fn named() -> Vec<Case> {
    let from =
        |case: Case, claim: &str| requiring(case, &["read"]).with_pool(|pool| pool.scope_claim = Some(claim.into()));
    vec![
        from(Case::allowed("scopes_come_from_the_named_claim", token("permissions", "[\"read\"]")), "permissions"),
        from(
            Case::allowed("scopes_come_from_a_claim_that_is_named_like_a_url", {
                token("https://example.com/scopes", "\"openid read\"")
            }),
            "https://example.com/scopes",
        ),
        from(
            Case::denied("if_a_claim_is_named_scope_does_not_count", "scope-missing", {
                token("permissions", "[\"write\"]").claim("scope", "\"read\"").claim("scp", "[\"read\"]")
            }),
            "permissions",
        ),
        from(Case::denied("if_scp_is_named_scope_does_not_count", "scope-missing", token("scope", "\"read\"")), "scp"),
        from(
            Case::denied("a_named_claim_that_is_null_has_no_scopes", "scope-missing", token("permissions", "null")),
            "permissions",
        ),
        from(
            Case::denied("a_named_claim_of_the_wrong_type_is_rejected", "scope-invalid", {
                token("permissions", "{\"read\":1}")
            }),
            "permissions",
        ),
        from(
            Case::denied("a_named_claim_with_a_dot_is_no_path", "scope-missing", token("a", "{\"b\":[\"read\"]}")),
            "a.b",
        ),
    ]
}
