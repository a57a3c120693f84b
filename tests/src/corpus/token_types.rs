//! The types of token that a pool accepts (`typ`; RFC 8725 sections 2.8 and 3.11, RFC 9068 section 4), and header members that are not used.

use super::{Case, names};
use crate::{keys::RSA_2048, minting::Draft};

pub(super) fn cases() -> Vec<Case> {
    let typed = |name: &str| Draft::access(&RSA_2048).header("typ", format!("\"{name}\""));
    let types = |case: Case, types: &'static [&str]| case.with_pool(|pool| pool.types = names(types));
    let access_only: &[&str] = &["at+jwt"];
    let denied = |name, draft: Draft| Case::denied(name, "type-not-allowed", draft);
    vec![
        types(Case::allowed("where_at_jwt_is_required_it_is_accepted", typed("at+jwt")), access_only),
        types(
            Case::allowed("where_at_jwt_is_required_the_whole_media_type_is_accepted", typed("application/at+jwt")),
            access_only,
        ),
        types(
            Case::allowed("where_at_jwt_is_required_it_is_compared_without_case", typed("Application/AT+JWT")),
            access_only,
        ),
        types(denied("where_at_jwt_is_required_jwt_is_rejected", typed("JWT")), access_only),
        types(denied("where_at_jwt_is_required_typ_is_required", Draft::access(&RSA_2048)), access_only),
        types(denied("where_at_jwt_is_required_a_longer_name_is_rejected", typed("at+jwt+x")), access_only),
        types(
            denied("where_at_jwt_is_required_two_media_types_are_rejected", typed("application/application/at+jwt")),
            access_only,
        ),
        types(Case::allowed("a_configured_type_is_compared_without_case", typed("at+jwt")), &["Application/At+JWT"]),
        types(Case::allowed("a_type_of_another_kind_is_accepted_if_listed", typed("JOSE")), &["JOSE"]),
        types(Case::allowed("no_type_is_accepted_if_the_empty_one_is_listed", Draft::access(&RSA_2048)), &["x", ""]),
        types(denied("a_listed_type_does_not_allow_another", typed("JWT")), &["x", ""]),
        types(denied("an_empty_type_is_not_an_absent_one", typed("")), &["x", ""]),
        types(denied("a_media_type_without_a_name_is_not_an_absent_one", typed("application/")), &["x", ""]),
        denied("a_media_type_without_a_name_is_rejected", typed("Application/")),
        denied("typ_jws_is_rejected_in_a_user_pool", typed("JWS")),
        denied("typ_of_a_security_event_is_rejected", typed("secevent+jwt")),
        denied("typ_of_an_authorization_request_is_rejected", typed("oauth-authz-req+jwt")),
        denied("typ_of_a_key_binding_is_rejected", typed("kb+jwt")),
        Case::allowed("unknown_header_members_are_accepted", {
            let draft = Draft::access(&RSA_2048).header("cat", "\"cl_B7d4PD111AAA\"").header("ctx", "{\"v\":[1,null]}");
            draft.header("client", "\"x\"").header("signer", "\"arn:aws:x\"").header("exp", 1)
        }),
        Case::denied("a_header_member_like_an_embedded_key_is_rejected_even_as_null", "embedded-key", {
            Draft::access(&RSA_2048).header("jku", "null")
        }),
    ]
}
