//! Token use, binding to a key, subject, app client, groups and scopes (Cognito developer guide, "Verifying JSON web tokens").

use super::{Case, names};
use crate::{
    keys::{OTHER_RSA_2048, RSA_2048},
    minting::{CLIENT_ID, Draft},
};
use poolgate_core::{ClientRule, ConfirmationRule, Membership, Pool, SubjectRule, TokenUseRule};

pub(super) fn cases() -> Vec<Case> {
    [token_use(), binding(), subject(), audience(), client(), groups(), scopes()].into_iter().flatten().collect()
}

fn access() -> Draft {
    Draft::access(&RSA_2048)
}

fn id() -> Draft {
    Draft::id(&RSA_2048)
}

fn id_only(pool: &mut Pool) {
    pool.token_use = TokenUseRule::Id;
}

fn either(pool: &mut Pool) {
    pool.token_use = TokenUseRule::AccessOrId;
}

fn unchecked(pool: &mut Pool) {
    pool.token_use = TokenUseRule::Unchecked;
}

fn token_use() -> Vec<Case> {
    let said = |value: &str| access().claim("token_use", value);
    vec![
        Case::allowed("an_id_token_is_accepted_if_id_is_required", id()).with_pool(id_only),
        Case::allowed("an_access_token_is_accepted_if_both_uses_are_accepted", access()).with_pool(either),
        Case::allowed("an_id_token_is_accepted_if_both_uses_are_accepted", id()).with_pool(either),
        Case::denied("an_id_token_is_no_access_token", "token-use-mismatch", id()),
        Case::denied("an_access_token_is_no_id_token", "token-use-mismatch", access()).with_pool(id_only),
        Case::denied("a_refresh_token_use_is_rejected", "token-use-mismatch", said("\"refresh\"")).with_pool(either),
        Case::denied("token_use_is_compared_with_case", "token-use-mismatch", said("\"Access\"")),
        Case::denied("an_empty_token_use_is_rejected", "token-use-mismatch", said("\"\"")),
        Case::denied("a_token_without_token_use_is_rejected", "token-use-missing", access().without_claim("token_use")),
        Case::denied("either_still_asks_for_token_use", "token-use-missing", id().without_claim("token_use"))
            .with_pool(either),
        Case::denied("a_token_use_that_is_an_array_is_rejected", "token-use-invalid", said("[\"access\"]")),
        Case::denied("a_token_use_that_is_null_is_missing", "token-use-missing", said("null")),
        Case::allowed("where_use_is_unchecked_it_may_be_absent", id().without_claim("token_use")).with_pool(unchecked),
        Case::denied("where_use_is_unchecked_clients_are_compared_with_aud", "audience-missing", access())
            .with_pool(unchecked),
    ]
}

/// `cnf` (RFC 7800): the token must not be accepted without a proof of possession of its key (RFC 8705 section 3, RFC 9449 section 6).
fn binding() -> Vec<Case> {
    const KEY: &str = r#"{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#;
    const CERTIFICATE: &str = r#"{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}"#;
    let bound = |value: &str| access().claim("cnf", value);
    let ignored = |pool: &mut Pool| pool.confirmation = ConfirmationRule::Ignore;
    vec![
        Case::denied("a_token_bound_by_dpop_is_no_bearer_token", "sender-constrained", bound(KEY)),
        Case::denied("a_token_bound_to_a_certificate_is_no_bearer_token", "sender-constrained", bound(CERTIFICATE)),
        Case::denied("a_binding_of_an_unknown_kind_is_one_too", "sender-constrained", bound(r#"{"new":1}"#)),
        Case::denied("a_binding_that_is_an_empty_object_is_one_too", "sender-constrained", bound("{}")),
        Case::denied("a_binding_that_is_no_object_is_one_too", "sender-constrained", bound("\"x\"")),
        Case::denied("a_binding_that_is_false_is_one_too", "sender-constrained", bound("false")),
        Case::denied("an_id_token_that_is_bound_is_rejected", "sender-constrained", id().claim("cnf", KEY))
            .with_pool(id_only),
        Case::denied("where_use_is_unchecked_a_bound_token_is_rejected", "sender-constrained", id().claim("cnf", KEY))
            .with_pool(unchecked),
        Case::denied("a_binding_behind_an_escape_is_found", "sender-constrained", access().claim(r"\u0063nf", KEY)),
        Case::allowed("a_binding_that_is_null_is_none", bound("null")),
        Case::allowed("a_binding_within_another_claim_is_none", access().claim("act", format!("{{\"cnf\":{KEY}}}"))),
        Case::allowed("a_bound_token_is_accepted_if_cnf_is_ignored", bound(KEY)).with_pool(ignored),
        Case::denied("a_forged_bound_token_is_rejected_because_of_its_signature", "signature-invalid", {
            bound(KEY).signed_by(&OTHER_RSA_2048).with_signature_below(&RSA_2048)
        }),
    ]
}

/// `sub`, which Cognito always sets: the user, or the client if there is no user (RFC 9068 section 2.2).
fn subject() -> Vec<Case> {
    let any = |pool: &mut Pool| pool.subject = SubjectRule::Unchecked;
    vec![
        Case::denied("an_access_token_without_sub_is_rejected", "subject-missing", access().without_claim("sub")),
        Case::denied("an_access_token_with_an_empty_sub_is_rejected", "subject-missing", access().claim("sub", "\"\"")),
        Case::denied("a_sub_of_white_space_is_rejected", "subject-missing", access().claim("sub", "\" \u{2003}\"")),
        Case::denied("an_id_token_without_sub_is_rejected", "subject-missing", id().without_claim("sub"))
            .with_pool(id_only),
        Case::denied("if_the_use_is_unchecked_sub_is_still_required", "subject-missing", id().without_claim("sub"))
            .with_pool(unchecked),
        Case::allowed("a_token_without_sub_is_accepted_if_the_check_is_disabled", access().without_claim("sub"))
            .with_pool(any),
        Case::allowed("an_empty_sub_is_accepted_if_the_check_is_disabled", access().claim("sub", "\"\""))
            .with_pool(any),
        Case::denied("where_any_sub_is_accepted_it_must_still_be_text", "claim-invalid", access().claim("sub", 1))
            .with_pool(any),
    ]
}

fn audience() -> Vec<Case> {
    let denied = |name, reason, value: &str| Case::denied(name, reason, id().claim("aud", value)).with_pool(id_only);
    let other = || ClientRule::OneOf(names(&["another", CLIENT_ID]));
    vec![
        Case::allowed("an_aud_that_is_an_array_of_the_client_is_accepted", {
            id().claim("aud", format!("[\"{CLIENT_ID}\"]"))
        })
        .with_pool(id_only),
        Case::allowed("one_of_several_clients_is_enough_for_an_id_token", id()).with_pool(|pool| {
            id_only(pool);
            pool.client = other();
        }),
        Case::allowed("any_client_is_accepted_if_it_is_unchecked", id().without_claim("aud")).with_pool(|pool| {
            id_only(pool);
            pool.client = ClientRule::Unchecked;
        }),
        Case::denied("an_id_token_without_aud_is_rejected", "audience-missing", id().without_claim("aud"))
            .with_pool(id_only),
        Case::denied("client_id_does_not_stand_for_aud", "audience-missing", {
            id().without_claim("aud").claim("client_id", format!("\"{CLIENT_ID}\""))
        })
        .with_pool(id_only),
        denied("the_aud_of_another_client_is_rejected", "audience-mismatch", "\"another\""),
        denied("an_aud_that_only_contains_the_client_is_rejected", "audience-mismatch", &format!("\"x{CLIENT_ID}\"")),
        denied("an_empty_aud_is_rejected", "audience-mismatch", "\"\""),
        denied("an_aud_that_is_an_empty_array_is_rejected", "audience-mismatch", "[]"),
        denied("an_aud_that_is_null_is_missing", "audience-missing", "null"),
        denied("an_aud_that_is_a_number_is_rejected", "audience-invalid", "1"),
        denied("an_aud_that_is_an_object_is_rejected", "audience-invalid", &format!("{{\"{CLIENT_ID}\":1}}")),
        denied("an_aud_with_a_number_among_its_names_is_rejected", "audience-invalid", &format!("[\"{CLIENT_ID}\",1]")),
        denied("an_aud_that_is_an_array_of_arrays_is_rejected", "audience-invalid", &format!("[[\"{CLIENT_ID}\"]]")),
    ]
}

fn client() -> Vec<Case> {
    let said = |value: &str| access().claim("client_id", value);
    vec![
        Case::allowed("one_of_several_clients_is_enough_for_an_access_token", access())
            .with_pool(|pool| pool.client = ClientRule::OneOf(names(&["another", CLIENT_ID]))),
        Case::allowed("any_client_id_is_accepted_if_it_is_unchecked", said("\"another\""))
            .with_pool(|pool| pool.client = ClientRule::Unchecked),
        Case::denied(
            "an_access_token_without_client_id_is_rejected",
            "client-missing",
            access().without_claim("client_id"),
        ),
        Case::denied("aud_does_not_stand_for_client_id", "client-missing", {
            access().without_claim("client_id").claim("aud", format!("\"{CLIENT_ID}\""))
        }),
        Case::denied("another_client_id_is_rejected", "client-mismatch", said("\"another\"")),
        Case::denied(
            "a_client_id_in_capitals_is_rejected",
            "client-mismatch",
            said(&format!("\"{}\"", CLIENT_ID.to_uppercase())),
        ),
        Case::denied("an_empty_client_id_is_rejected", "client-mismatch", said("\"\"")),
        Case::denied("a_client_id_that_is_an_array_is_rejected", "client-invalid", said(&format!("[\"{CLIENT_ID}\"]"))),
        Case::denied("a_client_id_that_is_null_is_missing", "client-missing", said("null")),
        Case::denied("an_unchecked_client_id_must_still_be_a_string", "client-invalid", said("1"))
            .with_pool(|pool| pool.client = ClientRule::Unchecked),
    ]
}

fn groups() -> Vec<Case> {
    let any = |groups: &'static [&str]| move |pool: &mut Pool| pool.groups = Membership::any_of(names(groups));
    let all = |groups: &'static [&str]| move |pool: &mut Pool| pool.groups = Membership::all_of(names(groups));
    let both = |any_of: &'static [&str], all_of: &'static [&str]| {
        move |pool: &mut Pool| {
            pool.groups = Membership { any_of: Some(names(any_of)), all_of: Some(names(all_of)) };
        }
    };
    let said = |value: &str| access().claim("cognito:groups", value);
    let none = || access().without_claim("cognito:groups");
    vec![
        Case::allowed("one_of_any_groups_is_enough", access()).with_pool(any(&["admins", "writers"])),
        Case::allowed("all_of_all_groups_is_enough", access()).with_pool(all(&["writers", "readers"])),
        Case::allowed("no_groups_are_needed_if_none_is_required", none()),
        Case::denied("none_of_any_groups_is_rejected", "group-missing", access()).with_pool(any(&["admins", "owners"])),
        Case::denied("one_of_all_groups_is_rejected", "group-missing", access()).with_pool(all(&["readers", "admins"])),
        Case::denied("a_token_without_groups_is_rejected_if_one_is_required", "group-missing", none())
            .with_pool(any(&["readers"])),
        Case::denied("an_empty_list_of_groups_is_rejected_if_one_is_required", "group-missing", said("[]"))
            .with_pool(all(&["readers"])),
        Case::allowed("any_group_and_all_groups_can_both_be_required", access())
            .with_pool(both(&["x", "readers"], &["writers"])),
        Case::denied("if_both_are_required_any_alone_is_not_enough", "group-missing", access())
            .with_pool(both(&["readers"], &["writers", "admins"])),
        Case::denied("if_both_are_required_all_alone_is_not_enough", "group-missing", access())
            .with_pool(both(&["admins"], &["readers"])),
        Case::denied("groups_are_compared_with_case", "group-missing", said("[\"Readers\"]"))
            .with_pool(any(&["readers"])),
        Case::denied("groups_that_are_a_string_are_rejected", "groups-invalid", said("\"readers\""))
            .with_pool(any(&["readers"])),
        Case::denied("groups_that_are_a_string_are_rejected_even_unasked", "groups-invalid", said("\"readers\"")),
        Case::denied("groups_with_a_number_among_them_are_rejected", "groups-invalid", said("[\"readers\",1]")),
        Case::allowed("groups_that_are_null_are_none", said("null")),
        Case::denied("groups_that_are_null_are_rejected_if_one_is_required", "group-missing", said("null"))
            .with_pool(any(&["readers"])),
    ]
}

fn scopes() -> Vec<Case> {
    let any = |scopes: &'static [&str]| move |pool: &mut Pool| pool.scopes = Membership::any_of(names(scopes));
    let all = |scopes: &'static [&str]| move |pool: &mut Pool| pool.scopes = Membership::all_of(names(scopes));
    let said = |value: &str| access().claim("scope", value);
    vec![
        Case::allowed("one_of_any_scopes_is_enough", access()).with_pool(any(&["x", "orders/read"])),
        Case::allowed("all_of_all_scopes_is_enough", access()).with_pool(all(&["orders/write", "orders/read"])),
        Case::denied("none_of_any_scopes_is_rejected", "scope-missing", access()).with_pool(any(&["orders/delete"])),
        Case::denied("one_of_all_scopes_is_rejected", "scope-missing", access()).with_pool(all(&["orders/read", "x"])),
        Case::denied("a_scope_that_only_starts_alike_is_rejected", "scope-missing", access())
            .with_pool(any(&["orders/rea"])),
        Case::denied("scopes_are_not_split_at_tabs", "scope-missing", said("\"a\\torders/read\""))
            .with_pool(any(&["orders/read"])),
        Case::denied(
            "a_token_without_scope_is_rejected_if_one_is_required",
            "scope-missing",
            access().without_claim("scope"),
        )
        .with_pool(any(&["openid"])),
        Case::denied("any_scope_and_all_scopes_both_count", "scope-missing", access()).with_pool(|pool| {
            pool.scopes = Membership { any_of: Some(names(&["openid"])), all_of: Some(names(&["orders/delete"])) };
        }),
        Case::denied("a_claim_named_scope_gives_an_id_token_none", "scope-missing", id().claim("scope", "\"openid\""))
            .with_pool(|pool| {
                either(pool);
                pool.scopes = Membership::any_of(names(&["openid"]));
            }),
        Case::denied("in_a_user_pool_a_scope_that_is_an_array_is_rejected", "scope-invalid", said("[\"openid\"]"))
            .with_pool(any(&["openid"])),
        Case::allowed("a_scope_that_is_null_is_none", said("null")),
        Case::denied("a_scope_that_is_null_is_rejected_if_one_is_required", "scope-missing", said("null"))
            .with_pool(any(&["openid"])),
        Case::denied("in_a_user_pool_the_claim_scp_does_not_stand_for_scope", "scope-missing", {
            access().without_claim("scope").claim("scp", "\"openid\"")
        })
        .with_pool(any(&["openid"])),
    ]
}
