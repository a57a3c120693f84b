//! The client and the resource server of other issuers' tokens, ID tokens with several audiences (OpenID Connect Core 1.0 section 3.1.3.7), and
//! clients whose tokens may be unbound.

use super::{Case, names};
use crate::{
    keys::RSA_2048,
    minting::{CLIENT_ID, Draft},
};
use poolgate_core::{ClientClaim, ClientRule, Pool, ResourceRule, TokenUseRule};

const ISSUER: &str = "https://login.example.com";
const API: &str = "https://orders.example.com";

pub(super) fn cases() -> Vec<Case> {
    [clients(), resources(), both(), id_tokens(), unbound()].into_iter().flatten().collect()
}

fn token() -> Draft {
    Draft::of_issuer(&RSA_2048, ISSUER)
}

fn one_of(clients: &[&str]) -> ClientRule {
    ClientRule::OneOf(names(clients))
}

fn clients() -> Vec<Case> {
    let in_claim = |case: Case, claim| {
        case.of_issuer(ISSUER, |pool| {
            pool.client = one_of(&["web", "app"]);
            pool.client_claim = claim;
        })
    };
    let aud = |value: &str| token().claim("aud", value);
    let azp = |value: &str| token().claim("azp", value);
    vec![
        in_claim(Case::allowed("the_client_is_in_aud", aud("\"web\"")), None),
        in_claim(Case::allowed("the_client_is_one_of_several_in_aud", aud("[\"x\",\"app\"]")), None),
        in_claim(Case::allowed("the_client_is_in_aud_if_aud_is_named", aud("\"web\"")), Some(ClientClaim::Aud)),
        in_claim(Case::denied("another_client_in_aud_is_rejected", "audience-mismatch", aud("\"x\"")), None),
        in_claim(
            Case::denied("an_aud_of_another_issuer_that_is_null_is_missing", "audience-missing", aud("null")),
            None,
        ),
        in_claim(
            Case::denied("an_aud_of_another_issuer_that_is_empty_names_nobody", "audience-mismatch", aud("[]")),
            None,
        ),
        in_claim(
            Case::denied("azp_never_stands_for_aud", "audience-missing", azp("\"web\"").claim("client_id", "\"web\"")),
            None,
        ),
        in_claim(
            Case::denied("azp_does_not_repair_an_aud_of_another_client", "audience-mismatch", {
                azp("\"web\"").claim("aud", "\"x\"")
            }),
            None,
        ),
        in_claim(Case::allowed("the_client_is_in_azp_if_it_is_named", azp("\"web\"")), Some(ClientClaim::Azp)),
        in_claim(
            Case::allowed("the_client_is_in_client_id_if_it_is_named", token().claim("client_id", "\"app\"")),
            Some(ClientClaim::ClientId),
        ),
        in_claim(
            Case::allowed("the_client_is_in_appid_if_it_is_named", token().claim("appid", "\"app\"")),
            Some(ClientClaim::Appid),
        ),
        in_claim(
            Case::allowed("the_client_is_in_cid_if_it_is_named", token().claim("cid", "\"app\"")),
            Some(ClientClaim::Cid),
        ),
        in_claim(
            Case::denied("another_client_in_azp_is_rejected", "client-mismatch", azp("\"x\"")),
            Some(ClientClaim::Azp),
        ),
        in_claim(
            Case::denied("a_client_in_capitals_in_azp_is_rejected", "client-mismatch", azp("\"WEB\"")),
            Some(ClientClaim::Azp),
        ),
        in_claim(Case::denied("an_azp_that_is_null_is_missing", "client-missing", azp("null")), Some(ClientClaim::Azp)),
        in_claim(
            Case::denied("an_azp_that_is_an_array_is_rejected", "client-invalid", azp("[\"web\"]")),
            Some(ClientClaim::Azp),
        ),
        in_claim(
            Case::denied("a_cid_that_is_a_number_is_rejected", "client-invalid", token().claim("cid", 1)),
            Some(ClientClaim::Cid),
        ),
        in_claim(
            Case::denied("client_id_does_not_stand_for_azp", "client-missing", token().claim("client_id", "\"web\"")),
            Some(ClientClaim::Azp),
        ),
        in_claim(Case::denied("aud_does_not_stand_for_cid", "client-missing", aud("\"web\"")), Some(ClientClaim::Cid)),
        in_claim(
            Case::denied("a_token_for_another_api_of_the_same_client_is_rejected", "resource-mismatch", {
                azp("\"web\"").claim("aud", "\"https://other.example.com\"")
            }),
            Some(ClientClaim::Azp),
        ),
        in_claim(
            Case::allowed("a_token_of_the_client_for_itself_is_accepted", azp("\"web\"").claim("aud", "\"web\"")),
            Some(ClientClaim::Azp),
        ),
    ]
}

fn resources() -> Vec<Case> {
    let for_api = |case: Case| case.of_issuer(ISSUER, |pool| pool.resource = ResourceRule::OneOf(names(&[API])));
    let aud = |value: String| token().claim("aud", value);
    vec![
        for_api(Case::allowed("aud_names_the_resource_server", aud(format!("\"{API}\"")))),
        for_api(Case::allowed("aud_names_the_resource_server_among_others", aud(format!("[\"x\",\"{API}\"]")))),
        for_api(Case::denied("a_token_for_nobody_is_rejected", "resource-missing", token())),
        for_api(Case::denied("a_token_for_null_is_rejected", "resource-missing", aud("null".into()))),
        for_api(Case::denied("a_token_for_an_empty_list_is_rejected", "resource-mismatch", aud("[]".into()))),
        for_api(Case::denied("a_token_for_another_api_is_rejected", "resource-mismatch", aud("\"x\"".into()))),
        for_api(Case::denied("azp_does_not_name_the_resource_server", "resource-missing", {
            token().claim("azp", format!("\"{API}\"")).claim("client_id", format!("\"{API}\""))
        })),
        for_api(Case::denied("an_audience_that_is_an_object_is_rejected", "audience-invalid", {
            aud(format!("{{\"{API}\":true}}"))
        })),
    ]
}

/// RFC 9068: `aud` names the resource server, and `client_id` the client.
fn both() -> Vec<Case> {
    let both = |case: Case| {
        case.of_issuer(ISSUER, |pool| {
            pool.resource = ResourceRule::OneOf(names(&[API]));
            pool.client = one_of(&["web"]);
            pool.client_claim = Some(ClientClaim::ClientId);
        })
    };
    let said = |client: &str, resource: &str| {
        token().claim("client_id", format!("\"{client}\"")).claim("aud", format!("\"{resource}\""))
    };
    vec![
        both(Case::allowed("client_and_resource_server_are_both_right", said("web", API))),
        both(Case::denied("the_resource_server_alone_is_not_enough", "client-mismatch", said("x", API))),
        both(Case::denied("the_client_alone_is_not_enough", "resource-mismatch", said("web", "x"))),
        both(Case::denied("the_client_twice_is_not_enough", "resource-mismatch", said("web", "web"))),
        both(Case::denied("the_resource_server_twice_is_not_enough", "client-mismatch", said(API, API))),
        both(Case::denied("without_aud_the_client_is_not_enough", "resource-missing", {
            said("web", API).without_claim("aud")
        })),
        both(Case::denied("without_client_id_the_resource_server_is_not_enough", "client-missing", {
            said("web", API).without_claim("client_id")
        })),
    ]
}

fn id_tokens() -> Vec<Case> {
    let id = |value: &str| Draft::id(&RSA_2048).claim("aud", value);
    let several = format!("[\"another\",\"{CLIENT_ID}\"]");
    let azp = |value: &str| id(&several).claim("azp", value);
    let checked = |case: Case| case.with_pool(|pool| pool.token_use = TokenUseRule::Id);
    let own = format!("\"{CLIENT_ID}\"");
    vec![
        checked(Case::allowed("an_id_token_for_several_names_its_client_in_azp", azp(&own))),
        checked(Case::denied("an_id_token_for_several_without_azp_is_rejected", "audience-mismatch", id(&several))),
        checked(Case::denied("an_id_token_for_several_of_another_client_is_rejected", "audience-mismatch", {
            azp("\"another\"")
        })),
        checked(Case::denied("an_azp_that_is_null_names_no_client", "audience-mismatch", azp("null"))),
        checked(Case::denied("an_azp_of_an_id_token_that_is_an_array_is_rejected", "client-invalid", {
            azp(&format!("[{own}]"))
        })),
        checked(Case::denied("an_azp_does_not_put_the_client_into_aud", "audience-mismatch", {
            id("[\"another\",\"third\"]").claim("azp", &own)
        })),
        checked(Case::denied("the_same_client_twice_in_aud_needs_azp", "audience-mismatch", {
            id(&format!("[{own},{own}]"))
        })),
        checked(Case::allowed("an_id_token_for_one_client_needs_no_azp", id(&format!("[{own}]")))),
        checked(Case::allowed("an_azp_beside_a_single_aud_is_not_compared", id(&own).claim("azp", "\"another\""))),
        checked(Case::allowed("an_azp_beside_a_single_aud_is_not_read", id(&own).claim("azp", 1))),
        checked(Case::allowed("an_azp_that_is_another_accepted_client_is_enough", azp("\"another\"")))
            .with_pool(|pool| pool.client = one_of(&[CLIENT_ID, "another"])),
        Case::denied("if_both_uses_are_accepted_an_id_token_for_several_needs_azp", "audience-mismatch", id(&several))
            .with_pool(|pool| pool.token_use = TokenUseRule::AccessOrId),
    ]
}

/// Cognito binds the tokens of people to a resource server, but not those of the client credentials grant.
fn unbound() -> Vec<Case> {
    let mixed = |pool: &mut Pool| {
        pool.client = one_of(&[CLIENT_ID, "machine"]);
        pool.resource = ResourceRule::OneOf(names(&[API]));
        pool.unbound_clients = names(&["machine"]);
    };
    let of_client = |id: &str| Draft::access(&RSA_2048).claim("client_id", format!("\"{id}\""));
    let bound = |draft: Draft, value: String| draft.claim("aud", value);
    vec![
        Case::allowed("a_machine_may_be_unbound", of_client("machine")).with_pool(mixed),
        Case::allowed("a_machine_whose_aud_is_null_is_unbound", bound(of_client("machine"), "null".into()))
            .with_pool(mixed),
        Case::allowed("a_machine_may_be_bound", bound(of_client("machine"), format!("\"{API}\""))).with_pool(mixed),
        Case::denied("a_machine_that_is_bound_to_another_is_rejected", "resource-mismatch", {
            bound(of_client("machine"), "\"x\"".into())
        })
        .with_pool(mixed),
        Case::denied("a_machine_that_is_bound_to_nobody_is_rejected", "resource-mismatch", {
            bound(of_client("machine"), "[]".into())
        })
        .with_pool(mixed),
        Case::denied("a_machine_that_is_bound_to_itself_is_rejected", "resource-mismatch", {
            bound(of_client("machine"), "\"machine\"".into())
        })
        .with_pool(mixed),
        Case::denied("a_user_whose_client_is_not_listed_must_be_bound", "resource-missing", of_client(CLIENT_ID))
            .with_pool(mixed),
        Case::allowed("a_user_beside_machines_may_be_bound", bound(of_client(CLIENT_ID), format!("\"{API}\"")))
            .with_pool(mixed),
        Case::denied("an_unbound_client_must_still_be_an_accepted_one", "client-mismatch", of_client("machine"))
            .with_pool(mixed)
            .with_pool(|pool| pool.client = one_of(&[CLIENT_ID])),
        Case::denied("an_unbound_client_is_compared_with_case", "resource-missing", of_client("Machine"))
            .with_pool(mixed)
            .with_pool(|pool| pool.client = ClientRule::Unchecked),
        Case::denied("a_token_without_client_is_not_unbound", "resource-missing", {
            Draft::access(&RSA_2048).without_claim("client_id")
        })
        .with_pool(mixed)
        .with_pool(|pool| pool.client = ClientRule::Unchecked),
        Case::allowed("an_unbound_client_of_another_issuer_is_in_the_named_claim", token().claim("cid", "\"machine\""))
            .of_issuer(ISSUER, |pool| {
                mixed(pool);
                pool.client_claim = Some(ClientClaim::Cid);
            }),
    ]
}
