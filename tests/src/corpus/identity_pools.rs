//! Tokens of Amazon Cognito identity pools. Their issuer is the same for all AWS accounts, so only `aud` tells whose they are.

use super::{Case, names};
use crate::{keys::RSA_2048, minting::Draft};
use poolgate_core::{Algorithm, ClientRule, GuestRule, IssuerRule, Pool, TokenUseRule};

const ISSUER: &str = "https://cognito-identity.amazonaws.com";
const ID: &str = "eu-west-1:11111111-2222-4333-8444-555555555555";
const OTHER_ID: &str = "eu-west-1:aaaaaaaa-2222-4333-8444-555555555555";
const SIGNED_IN: &str = r#"["authenticated","graph.facebook.com","graph.facebook.com:eu-west-1:x:1"]"#;
const GUEST: &str = r#"["unauthenticated"]"#;

pub(super) fn cases() -> Vec<Case> {
    let refusing = |case: Case| case.with_pool(|pool| rules(pool, GuestRule::Refuse)).with_keys_for(ISSUER);
    let accepting = |case: Case| case.with_pool(|pool| rules(pool, GuestRule::Accept)).with_keys_for(ISSUER);
    let keys = |case: Case| case.with_keys(&[RSA_2048.jwk_for(Algorithm::Rs512, "eu-west-15")]);
    let refusing = |case: Case| keys(refusing(case));
    let accepting = |case: Case| keys(accepting(case));
    let by_issuer = |case: Case| {
        keys(case.of_issuer(ISSUER, |pool| {
            pool.client = ClientRule::OneOf(names(&[ID]));
        }))
    };
    vec![
        refusing(Case::allowed("a_token_of_an_identity_pool_is_accepted", token(SIGNED_IN))),
        refusing(Case::denied("a_guest_is_rejected", "claim-mismatch", token(GUEST))),
        accepting(Case::allowed("a_guest_is_accepted_if_guests_are", token(GUEST))),
        accepting(Case::allowed("beside_guests_a_user_who_signed_in_is_accepted", token(SIGNED_IN))),
        refusing(Case::denied("an_amr_without_authenticated_is_rejected", "claim-mismatch", token("[\"google\"]"))),
        accepting(Case::denied("an_amr_of_neither_kind_is_rejected", "claim-mismatch", token("[\"google\"]"))),
        refusing(Case::denied("an_empty_amr_is_rejected", "claim-mismatch", token("[]"))),
        refusing(Case::denied("an_amr_that_is_null_is_rejected", "claim-mismatch", token("null"))),
        accepting(Case::denied("a_token_without_amr_is_rejected_even_if_guests_are_accepted", "claim-mismatch", {
            token(GUEST).without_claim("amr")
        })),
        refusing(Case::denied("an_amr_with_an_object_is_rejected", "claim-mismatch", token("[\"authenticated\",{}]"))),
        refusing(Case::denied("a_token_of_another_identity_pool_is_rejected", "audience-mismatch", {
            token(SIGNED_IN).claim("aud", format!("\"{OTHER_ID}\""))
        })),
        refusing(Case::denied("a_token_of_no_identity_pool_is_rejected", "audience-missing", {
            token(SIGNED_IN).without_claim("aud")
        })),
        refusing(Case::denied("an_identity_does_not_name_its_pool", "audience-mismatch", {
            token(SIGNED_IN)
                .claim("aud", "\"eu-west-1:99999999-2222-4333-8444-555555555555\"")
                .claim("azp", format!("\"{ID}\""))
        })),
        refusing(Case::denied("rs256_is_rejected_for_an_identity_pool", "algorithm-not-allowed", {
            token(SIGNED_IN).signed_with(&RSA_2048, Algorithm::Rs256)
        })),
        refusing(Case::denied("typ_of_a_logout_token_is_rejected_for_an_identity_pool", "type-not-allowed", {
            token(SIGNED_IN).header("typ", "\"logout+jwt\"")
        })),
        refusing(Case::denied("the_issuer_of_identity_pools_has_no_final_slash", "issuer-unknown", {
            token(SIGNED_IN).claim("iss", format!("\"{ISSUER}/\""))
        })),
        by_issuer(Case::allowed("typ_and_alg_of_identity_pools_are_the_default_of_their_issuer", token(SIGNED_IN))),
        by_issuer(Case::allowed("by_issuer_alone_nothing_is_asked_of_amr", token(GUEST))),
        by_issuer(Case::denied("by_issuer_alone_another_identity_pool_is_rejected", "audience-mismatch", {
            token(SIGNED_IN).claim("aud", format!("\"{OTHER_ID}\""))
        })),
    ]
}

fn token(amr: &str) -> Draft {
    Draft::of_issuer(&RSA_2048, ISSUER)
        .signed_with(&RSA_2048, Algorithm::Rs512)
        .header("kid", "\"eu-west-15\"")
        .header("typ", "\"JWS\"")
        .claim("sub", "\"eu-west-1:99999999-2222-4333-8444-555555555555\"")
        .claim("aud", format!("\"{ID}\""))
        .claim("amr", amr)
        .claim("https://aws.amazon.com/tags", r#"{"principal_tags":{"team":["a"]}}"#)
}

fn rules(pool: &mut Pool, guests: GuestRule) {
    pool.issuer = IssuerRule::IdentityPool { guests };
    pool.token_use = TokenUseRule::Unchecked;
    pool.client = ClientRule::OneOf(names(&[ID]));
}
