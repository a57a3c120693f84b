//! `aud` of access tokens that are bound to a resource server (RFC 8707, RFC 7519 section 4.1.3).

use super::{Case, names};
use crate::{
    keys::RSA_2048,
    minting::{CLIENT_ID, Draft},
};
use poolgate_core::{ClientClaim, ClientRule, Pool, ResourceRule, TokenUseRule};

const API: &str = "https://orders.example.com";

pub(super) fn cases() -> Vec<Case> {
    let access = || Draft::access(&RSA_2048);
    let bound_to = |value: String| access().claim("aud", value);
    let ours = || bound_to(format!("\"{API}\""));
    vec![
        Case::allowed("an_access_token_bound_to_us_is_accepted", ours()).with_pool(bound),
        Case::allowed("an_access_token_bound_to_us_among_others_is_accepted", bound_to(format!("[\"x\",\"{API}\"]")))
            .with_pool(bound),
        Case::denied("an_unbound_access_token_is_rejected_if_a_resource_is_required", "resource-missing", access())
            .with_pool(bound),
        Case::denied("an_access_token_bound_to_another_is_rejected", "resource-mismatch", {
            bound_to("\"https://evil.example\"".into())
        })
        .with_pool(bound),
        Case::denied("a_resource_with_a_final_slash_is_another", "resource-mismatch", bound_to(format!("\"{API}/\"")))
            .with_pool(bound),
        Case::denied(
            "the_client_does_not_stand_for_the_resource",
            "resource-mismatch",
            bound_to(format!("\"{CLIENT_ID}\"")),
        )
        .with_pool(bound),
        Case::denied("an_empty_list_of_resources_is_rejected", "resource-mismatch", bound_to("[]".into()))
            .with_pool(bound),
        Case::denied(
            "a_bound_token_of_another_client_is_rejected",
            "client-mismatch",
            ours().claim("client_id", "\"another\""),
        )
        .with_pool(bound),
        Case::denied("a_resource_that_is_a_number_is_rejected", "audience-invalid", bound_to("1".into()))
            .with_pool(bound),
        Case::denied("a_bound_token_is_rejected_if_no_resource_is_configured", "resource-mismatch", ours()),
        Case::denied("an_unbound_rule_rejects_an_empty_aud", "resource-mismatch", bound_to("[]".into())),
        Case::allowed("an_unbound_rule_accepts_an_aud_that_names_the_client", bound_to(format!("\"{CLIENT_ID}\""))),
        Case::denied("an_unbound_rule_with_any_client_rejects_every_aud", "resource-mismatch", ours())
            .with_pool(|pool| pool.client = ClientRule::Unchecked),
        Case::allowed("an_unchecked_resource_may_be_any", ours())
            .with_pool(|pool| pool.resource = ResourceRule::Unchecked),
        Case::denied("an_unchecked_resource_must_still_be_text", "audience-invalid", bound_to("{}".into()))
            .with_pool(|pool| pool.resource = ResourceRule::Unchecked),
        Case::allowed("where_use_is_unchecked_a_token_bound_to_us_is_accepted", ours()).with_pool(of_any_use),
        Case::denied(
            "where_use_is_unchecked_a_token_bound_to_another_is_rejected",
            "resource-mismatch",
            bound_to("\"https://other-api\"".into()),
        )
        .with_pool(of_any_use),
        Case::denied("where_use_is_unchecked_an_unbound_token_is_rejected", "resource-missing", access())
            .with_pool(of_any_use),
        Case::denied("where_aud_names_the_client_it_must_name_it_beside_the_resource", "audience-mismatch", ours())
            .with_pool(with_client_in_aud),
        Case::allowed(
            "where_aud_names_the_client_it_may_name_client_and_resource",
            bound_to(format!("[\"{API}\",\"{CLIENT_ID}\"]")),
        )
        .with_pool(with_client_in_aud),
        Case::denied(
            "where_aud_names_the_client_it_must_name_the_resource_beside_it",
            "resource-mismatch",
            bound_to(format!("\"{CLIENT_ID}\"")),
        )
        .with_pool(with_client_in_aud),
        Case::allowed("an_id_token_is_accepted_by_its_client_beside_resources", Draft::id(&RSA_2048)).with_pool(
            |pool| {
                bound(pool);
                pool.token_use = TokenUseRule::AccessOrId;
            },
        ),
        Case::denied("an_access_token_beside_id_tokens_must_name_the_resource", "resource-missing", access())
            .with_pool(|pool| {
                bound(pool);
                pool.token_use = TokenUseRule::AccessOrId;
            }),
    ]
}

/// The policy for tokens of another provider.
fn of_any_use(pool: &mut Pool) {
    bound(pool);
    pool.token_use = TokenUseRule::Unchecked;
    pool.client = ClientRule::Unchecked;
}

/// The policy for tokens that name both the client and the resource server in `aud`.
fn with_client_in_aud(pool: &mut Pool) {
    of_any_use(pool);
    pool.client = ClientRule::OneOf(names(&[CLIENT_ID]));
    pool.client_claim = Some(ClientClaim::Aud);
}

fn bound(pool: &mut Pool) {
    pool.resource = ResourceRule::OneOf(names(&[API]));
}
