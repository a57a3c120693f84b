//! Token use, app client, groups and scopes (Cognito developer guide, "Verifying JSON web tokens").

use super::{Case, names};
use crate::{
    keys::RSA_2048,
    minting::{CLIENT_ID, Draft},
};
use poolgate_core::{ClientRule, Membership, Pool, TokenUseRule};

pub(super) fn cases() -> Vec<Case> {
    [token_use(), audience(), client(), groups(), scopes()].into_iter().flatten().collect()
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
        Case::allowed("an_id_token_is_accepted_where_id_is_asked", id()).with_pool(id_only),
        Case::allowed("an_access_token_is_accepted_where_either_is", access()).with_pool(either),
        Case::allowed("an_id_token_is_accepted_where_either_is", id()).with_pool(either),
        Case::denied("an_id_token_is_no_access_token", "token-use-mismatch", id()),
        Case::denied("an_access_token_is_no_id_token", "token-use-mismatch", access()).with_pool(id_only),
        Case::denied("a_refresh_token_use_is_refused", "token-use-mismatch", said("\"refresh\"")).with_pool(either),
        Case::denied("token_use_is_compared_with_case", "token-use-mismatch", said("\"Access\"")),
        Case::denied("an_empty_token_use_is_refused", "token-use-mismatch", said("\"\"")),
        Case::denied("a_token_without_token_use_is_refused", "token-use-missing", access().without_claim("token_use")),
        Case::denied("either_still_asks_for_token_use", "token-use-missing", id().without_claim("token_use"))
            .with_pool(either),
        Case::denied("a_token_use_that_is_an_array_is_refused", "token-use-invalid", said("[\"access\"]")),
        Case::denied("a_token_use_that_is_null_is_refused", "token-use-invalid", said("null")),
        Case::allowed("where_use_is_unchecked_it_may_be_absent", id().without_claim("token_use")).with_pool(unchecked),
        Case::denied("where_use_is_unchecked_clients_are_compared_with_aud", "audience-missing", access())
            .with_pool(unchecked),
    ]
}

fn audience() -> Vec<Case> {
    let denied = |name, reason, value: &str| Case::denied(name, reason, id().claim("aud", value)).with_pool(id_only);
    let other = || ClientRule::OneOf(names(&["another", CLIENT_ID]));
    vec![
        Case::allowed("an_aud_that_is_an_array_with_the_client_is_accepted", {
            id().claim("aud", format!("[\"x\",\"{CLIENT_ID}\"]"))
        })
        .with_pool(id_only),
        Case::allowed("one_of_several_clients_is_enough_for_an_id_token", id()).with_pool(|pool| {
            id_only(pool);
            pool.client = other();
        }),
        Case::allowed("any_client_is_accepted_where_it_is_unchecked", id().without_claim("aud")).with_pool(|pool| {
            id_only(pool);
            pool.client = ClientRule::Unchecked;
        }),
        Case::denied("an_id_token_without_aud_is_refused", "audience-missing", id().without_claim("aud"))
            .with_pool(id_only),
        Case::denied("client_id_does_not_stand_for_aud", "audience-missing", {
            id().without_claim("aud").claim("client_id", format!("\"{CLIENT_ID}\""))
        })
        .with_pool(id_only),
        denied("the_aud_of_another_client_is_refused", "audience-mismatch", "\"another\""),
        denied("an_aud_that_only_contains_the_client_is_refused", "audience-mismatch", &format!("\"x{CLIENT_ID}\"")),
        denied("an_empty_aud_is_refused", "audience-mismatch", "\"\""),
        denied("an_aud_that_is_an_empty_array_is_refused", "audience-mismatch", "[]"),
        denied("an_aud_that_is_null_is_refused", "audience-invalid", "null"),
        denied("an_aud_that_is_a_number_is_refused", "audience-invalid", "1"),
        denied("an_aud_that_is_an_object_is_refused", "audience-invalid", &format!("{{\"{CLIENT_ID}\":1}}")),
        denied("an_aud_with_a_number_among_its_names_is_refused", "audience-invalid", &format!("[\"{CLIENT_ID}\",1]")),
        denied("an_aud_that_is_an_array_of_arrays_is_refused", "audience-invalid", &format!("[[\"{CLIENT_ID}\"]]")),
    ]
}

fn client() -> Vec<Case> {
    let said = |value: &str| access().claim("client_id", value);
    vec![
        Case::allowed("one_of_several_clients_is_enough_for_an_access_token", access())
            .with_pool(|pool| pool.client = ClientRule::OneOf(names(&["another", CLIENT_ID]))),
        Case::allowed("any_client_id_is_accepted_where_it_is_unchecked", said("\"another\""))
            .with_pool(|pool| pool.client = ClientRule::Unchecked),
        Case::denied(
            "an_access_token_without_client_id_is_refused",
            "client-missing",
            access().without_claim("client_id"),
        ),
        Case::denied("aud_does_not_stand_for_client_id", "client-missing", {
            access().without_claim("client_id").claim("aud", format!("\"{CLIENT_ID}\""))
        }),
        Case::denied("another_client_id_is_refused", "client-mismatch", said("\"another\"")),
        Case::denied(
            "a_client_id_in_capitals_is_refused",
            "client-mismatch",
            said(&format!("\"{}\"", CLIENT_ID.to_uppercase())),
        ),
        Case::denied("an_empty_client_id_is_refused", "client-mismatch", said("\"\"")),
        Case::denied("a_client_id_that_is_an_array_is_refused", "client-invalid", said(&format!("[\"{CLIENT_ID}\"]"))),
        Case::denied("a_client_id_that_is_null_is_refused", "client-invalid", said("null")),
        Case::denied("an_unchecked_client_id_must_still_be_a_string", "client-invalid", said("1"))
            .with_pool(|pool| pool.client = ClientRule::Unchecked),
    ]
}

fn groups() -> Vec<Case> {
    let any = |groups: &'static [&str]| move |pool: &mut Pool| pool.groups = Membership::AnyOf(names(groups));
    let all = |groups: &'static [&str]| move |pool: &mut Pool| pool.groups = Membership::AllOf(names(groups));
    let said = |value: &str| access().claim("cognito:groups", value);
    let none = || access().without_claim("cognito:groups");
    vec![
        Case::allowed("one_of_any_groups_is_enough", access()).with_pool(any(&["admins", "writers"])),
        Case::allowed("all_of_all_groups_is_enough", access()).with_pool(all(&["writers", "readers"])),
        Case::allowed("no_groups_are_needed_where_none_is_asked", none()),
        Case::denied("none_of_any_groups_is_refused", "group-missing", access()).with_pool(any(&["admins", "owners"])),
        Case::denied("one_of_all_groups_is_refused", "group-missing", access()).with_pool(all(&["readers", "admins"])),
        Case::denied("a_token_without_groups_is_refused_where_one_is_asked", "group-missing", none())
            .with_pool(any(&["readers"])),
        Case::denied("an_empty_list_of_groups_is_refused_where_one_is_asked", "group-missing", said("[]"))
            .with_pool(all(&["readers"])),
        Case::denied("groups_are_compared_with_case", "group-missing", said("[\"Readers\"]"))
            .with_pool(any(&["readers"])),
        Case::denied("groups_that_are_a_string_are_refused", "groups-invalid", said("\"readers\""))
            .with_pool(any(&["readers"])),
        Case::denied("groups_that_are_a_string_are_refused_even_unasked", "groups-invalid", said("\"readers\"")),
        Case::denied("groups_with_a_number_among_them_are_refused", "groups-invalid", said("[\"readers\",1]")),
        Case::denied("groups_that_are_null_are_refused", "groups-invalid", said("null")),
    ]
}

fn scopes() -> Vec<Case> {
    let any = |scopes: &'static [&str]| move |pool: &mut Pool| pool.scopes = Membership::AnyOf(names(scopes));
    let all = |scopes: &'static [&str]| move |pool: &mut Pool| pool.scopes = Membership::AllOf(names(scopes));
    let said = |value: &str| access().claim("scope", value);
    vec![
        Case::allowed("one_of_any_scopes_is_enough", access()).with_pool(any(&["x", "orders/read"])),
        Case::allowed("all_of_all_scopes_is_enough", access()).with_pool(all(&["orders/write", "orders/read"])),
        Case::denied("none_of_any_scopes_is_refused", "scope-missing", access()).with_pool(any(&["orders/delete"])),
        Case::denied("one_of_all_scopes_is_refused", "scope-missing", access()).with_pool(all(&["orders/read", "x"])),
        Case::denied("a_scope_that_only_starts_alike_is_refused", "scope-missing", access())
            .with_pool(any(&["orders/rea"])),
        Case::denied("a_scope_with_a_space_matches_nothing", "scope-missing", access())
            .with_pool(any(&["openid orders/read"])),
        Case::denied("scopes_are_not_split_at_tabs", "scope-missing", said("\"a\\torders/read\""))
            .with_pool(any(&["orders/read"])),
        Case::denied(
            "a_token_without_scope_is_refused_where_one_is_asked",
            "scope-missing",
            access().without_claim("scope"),
        )
        .with_pool(any(&["openid"])),
        Case::denied("a_scope_that_is_an_array_is_refused", "scope-invalid", said("[\"openid\"]"))
            .with_pool(any(&["openid"])),
        Case::denied("a_scope_that_is_null_is_refused", "scope-invalid", said("null")),
        Case::denied("the_claim_scp_does_not_stand_for_scope", "scope-missing", {
            access().without_claim("scope").claim("scp", "\"openid\"")
        })
        .with_pool(any(&["openid"])),
    ]
}
