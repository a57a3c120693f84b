//! Tokens of Application Load Balancers (`x-amzn-oidc-data`): each part is padded, and the header has claims of its own.

use super::{Case, Seed, names, pool_jwks};
use crate::{
    keys::{OTHER_P256, P256, P384, RSA_2048, jwks},
    minting::{CLIENT_ID, Draft, ISSUER, NOW, with_unused_bit},
};
use base64::{Engine, engine::general_purpose::URL_SAFE};
use poolgate_core::{
    Algorithm, ClaimRule, ClaimSelector, ClaimTest, ClaimValue, ClientRule, IssuerRule, LoadBalancers, Pool,
    TokenUseRule,
};

/// The load balancer of the tests.
pub const ARN: &str = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/web/50dc6c495c0c9188";
/// A second one.
pub const OTHER_ARN: &str = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/api/1234567890abcdef";
/// The key of the load balancers.
pub const KEY_ID: &str = "11111111-2222-4333-8444-555555555555";

const OTHER_ISSUER: &str = "https://id.example.com";

pub(super) fn cases() -> Vec<Case> {
    let [header, payload, signature] = parts(&draft());
    let unpadded = |part: &str| part.trim_end_matches('=').to_owned();
    let of = |header: &str, payload: &str| compact_of(&draft(), header, payload);
    let with_claim = |name: &str, value: &str| padded(&draft().claim(name, value));
    let with_header = |name: &str, value: &str| padded(&draft().header(name, value));
    let unused_bit = |part: &str| {
        let text = unpadded(part);
        format!("{}{}", with_unused_bit(&text).expect("an unused bit"), &part[text.len()..])
    };
    vec![
        allowed("a_token_of_a_load_balancer_is_accepted", padded(&draft())),
        allowed("parts_of_a_load_balancer_that_need_no_padding_have_none", padded(&aligned(&draft(), 0))),
        allowed("parts_of_a_load_balancer_may_need_one_character_of_padding", padded(&aligned(&draft(), 2))),
        allowed("a_load_balancer_writes_booleans_as_texts", with_claim("email_verified", "\"true\"")),
        allowed("the_second_load_balancer_of_a_pool_is_accepted", with_header("signer", &quoted(OTHER_ARN)))
            .with_keys_for(OTHER_ARN),
        allowed("any_client_of_a_load_balancer_is_accepted", with_header("client", "\"another\""))
            .with_pool(|pool| pool.client = ClientRule::Unchecked),
        denied("a_header_of_a_load_balancer_without_its_padding_is_rejected", "encoding-invalid", {
            of(&unpadded(&header), &payload)
        }),
        denied("a_payload_of_a_load_balancer_without_its_padding_is_rejected", "encoding-invalid", {
            of(&header, &unpadded(&payload))
        }),
        denied("a_signature_of_a_load_balancer_without_its_padding_is_rejected", "encoding-invalid", {
            format!("{header}.{payload}.{}", unpadded(&signature))
        }),
        denied("a_signature_of_a_load_balancer_with_half_its_padding_is_rejected", "encoding-invalid", {
            format!("{header}.{payload}.{}=", unpadded(&signature))
        }),
        denied("a_token_of_a_load_balancer_without_any_padding_is_rejected", "encoding-invalid", draft()),
        denied("a_header_of_a_load_balancer_with_more_padding_is_rejected", "encoding-padded", {
            of(&format!("{header}="), &payload)
        }),
        denied("a_payload_of_a_load_balancer_with_more_padding_is_rejected", "encoding-padded", {
            of(&header, &format!("{payload}===="))
        }),
        denied("a_signature_of_a_load_balancer_with_more_padding_is_rejected", "encoding-padded", {
            format!("{header}.{payload}.{signature}=")
        }),
        denied("a_padding_within_a_part_of_a_load_balancer_is_rejected", "encoding-padded", {
            of(&format!("{header}{header}"), &payload)
        }),
        denied("an_unused_bit_in_the_header_of_a_load_balancer_is_rejected", "encoding-not-canonical", {
            of(&unused_bit(&header), &payload)
        }),
        denied("an_unused_bit_in_the_signature_of_a_load_balancer_is_rejected", "encoding-not-canonical", {
            format!("{header}.{payload}.{}", unused_bit(&signature))
        }),
        denied("a_fourth_part_of_a_load_balancer_is_rejected", "token-not-three-parts", {
            format!("{header}.{payload}.{signature}.{signature}")
        }),
        denied("another_signer_is_rejected", "signer-mismatch", with_header("signer", &quoted(&other_account()))),
        denied("a_signer_is_compared_with_case", "signer-mismatch", {
            with_header("signer", &quoted(&ARN.replace("/web/", "/WEB/")))
        }),
        denied("a_token_of_a_load_balancer_without_signer_is_rejected", "signer-mismatch", {
            padded(&draft().without_header("signer"))
        }),
        denied(
            "a_list_of_signers_is_rejected",
            "signer-mismatch",
            with_header("signer", &format!("[{}]", quoted(ARN))),
        ),
        denied("the_signer_is_in_the_header_and_not_in_the_payload", "signer-mismatch", {
            padded(&draft().without_header("signer").claim("signer", quoted(ARN)))
        }),
        denied("two_signers_in_the_header_are_rejected", "header-duplicate-member", {
            padded(&draft().header_again("signer", quoted(ARN)))
        }),
        denied("another_client_in_the_header_is_rejected", "client-mismatch", with_header("client", "\"another\"")),
        denied("a_token_of_a_load_balancer_without_client_is_rejected", "client-missing", {
            padded(&draft().without_header("client"))
        }),
        denied("a_client_of_a_load_balancer_that_is_no_text_is_rejected", "client-invalid", with_header("client", "7")),
        denied("a_subject_comes_before_the_client_of_a_load_balancer", "subject-missing", {
            padded(&draft().without_claim("sub").header("client", "7"))
        }),
        denied("a_confirmation_comes_before_the_client_of_a_load_balancer", "sender-constrained", {
            padded(&draft().claim("cnf", "{\"jkt\":\"x\"}").header("client", "7"))
        }),
        denied("the_client_is_in_the_header_and_not_in_the_payload", "client-mismatch", {
            padded(&draft().header("client", "\"another\"").claim("client_id", quoted(CLIENT_ID)))
        }),
        denied("another_issuer_in_the_header_is_rejected", "header-mismatch", {
            with_header("iss", &quoted(OTHER_ISSUER))
        }),
        denied("a_header_of_a_load_balancer_without_issuer_is_rejected", "header-mismatch", {
            padded(&draft().without_header("iss"))
        }),
        denied("another_expiry_in_the_header_is_rejected", "header-mismatch", {
            with_header("exp", &(NOW + 100).to_string())
        }),
        denied("an_expiry_as_a_text_in_the_header_is_rejected", "header-mismatch", {
            with_header("exp", &format!("\"{}\"", NOW + 120))
        }),
        denied("a_header_of_a_load_balancer_without_expiry_is_rejected", "header-mismatch", {
            padded(&draft().without_header("exp"))
        }),
        denied("a_payload_of_a_load_balancer_without_expiry_is_rejected", "expiry-missing", {
            padded(&draft().without_claim("exp"))
        }),
        denied("a_payload_of_a_load_balancer_without_issuer_is_rejected", "issuer-missing", {
            padded(&draft().without_claim("iss"))
        }),
        denied("another_issuer_of_a_load_balancer_is_rejected", "issuer-unknown", {
            padded(&draft().claim("iss", quoted(OTHER_ISSUER)).header("iss", quoted(OTHER_ISSUER)))
        }),
        denied("an_expired_token_of_a_load_balancer_is_rejected", "expired", {
            padded(&draft().claim("exp", NOW).header("exp", NOW))
        }),
        denied("a_token_of_a_load_balancer_without_subject_is_rejected", "subject-missing", {
            padded(&draft().without_claim("sub"))
        }),
        denied("a_key_id_that_is_no_uuid_is_rejected", "key-id-invalid", {
            with_header("kid", &quoted(&KEY_ID.replace("-4333-", "/../-")))
        }),
        denied("a_key_id_in_capitals_is_rejected", "key-id-invalid", {
            with_header("kid", "\"AAAAAAAA-2222-4333-8444-555555555555\"")
        }),
        denied("a_token_of_a_load_balancer_without_key_id_is_rejected", "key-id-missing", {
            padded(&draft().without_header("kid"))
        }),
        denied("an_unknown_key_of_a_load_balancer_is_rejected", "key-unknown", {
            with_header("kid", "\"99999999-2222-4333-8444-555555555555\"")
        }),
        denied("rs256_is_rejected_for_a_load_balancer", "algorithm-not-allowed", {
            padded(&draft().signed_with(&RSA_2048, Algorithm::Rs256))
        }),
        denied("es384_is_rejected_for_a_load_balancer", "algorithm-not-allowed", {
            padded(&draft().signed_with(&P384, Algorithm::Es384))
        }),
        denied("a_type_of_another_protocol_is_rejected_for_a_load_balancer", "type-not-allowed", {
            with_header("typ", "\"logout+jwt\"")
        }),
        denied("a_load_balancer_has_no_critical_header", "critical-header", with_header("crit", "[\"signer\"]")),
        denied("a_signature_by_another_key_of_a_load_balancer_is_rejected", "signature-invalid", {
            padded(&draft().signed_by(&OTHER_P256))
        }),
        denied("a_signature_of_the_parts_without_padding_is_rejected", "signature-invalid", {
            format!("{header}.{payload}.{}", URL_SAFE.encode(draft().signature()))
        }),
        denied("a_bound_token_of_a_load_balancer_is_rejected", "sender-constrained", {
            with_claim("cnf", "{\"jkt\":\"x\"}")
        }),
        denied("a_token_of_a_load_balancer_for_another_audience_is_rejected", "resource-mismatch", {
            with_claim("aud", "\"another\"")
        }),
        allowed("a_claim_rule_applies_to_a_load_balancer", with_claim("custom:team", "\"blue\"")).with_pool(only_blue),
        denied("a_misfit_of_a_load_balancer_is_rejected", "claim-mismatch", with_claim("custom:team", "\"red\""))
            .with_pool(only_blue),
        beside_user_pool(allowed("beside_its_user_pool_a_load_balancer_is_accepted", padded(&draft()))),
        beside_user_pool(allowed("beside_a_load_balancer_its_user_pool_is_accepted", Draft::access(&RSA_2048))),
        beside_user_pool(denied("a_padded_token_of_a_user_pool_has_no_signer", "signer-mismatch", {
            padded(&Draft::access(&RSA_2048))
        })),
        beside_user_pool(denied("beside_a_user_pool_a_token_without_padding_is_one_of_it", "algorithm-not-allowed", {
            draft()
        })),
        beside_other_issuer(denied("beside_a_load_balancer_other_tokens_are_not_padded", "encoding-padded", {
            padded(&Draft::of_issuer(&RSA_2048, OTHER_ISSUER))
        })),
        beside_other_issuer(denied("beside_another_issuer_a_load_balancer_needs_its_padding", "encoding-invalid", {
            draft()
        })),
        beside_other_issuer(denied("beside_both_another_issuer_stays_unknown", "issuer-unknown", {
            padded(&Draft::of_issuer(&RSA_2048, "https://evil.example"))
        })),
    ]
}

/// A token like those of load balancers, whose first two parts need two characters of padding. Convert it with [`padded`].
pub fn draft() -> Draft {
    let token = Draft::of_issuer(&P256, ISSUER)
        .signed_with(&P256, Algorithm::Es256)
        .without_claim("iat")
        .claim("exp", NOW + 120)
        .claim("email", "\"ada@example.com\"")
        .claim("email_verified", "\"true\"")
        .claim("username", "\"ada\"")
        .header("typ", "\"JWT\"")
        .header("kid", quoted(KEY_ID))
        .header("iss", quoted(ISSUER))
        .header("client", quoted(CLIENT_ID))
        .header("signer", quoted(ARN))
        .header("exp", NOW + 120);
    aligned(&token, 1)
}

/// Returns a token with padded parts, as load balancers sign them.
pub fn padded(draft: &Draft) -> String {
    parts(draft).join(".")
}

/// Returns the rules for the tokens of load balancers.
pub fn rules(pool: &mut Pool) {
    let (issuer, arns) = (ISSUER.to_owned(), names(&[ARN, OTHER_ARN]));
    pool.issuer = IssuerRule::LoadBalancers(LoadBalancers { issuer, arns });
    pool.token_use = TokenUseRule::Unchecked;
}

fn allowed(name: &'static str, token: impl Into<String>) -> Case {
    of_load_balancers(Case::allowed(name, token))
}

fn denied(name: &'static str, reason: &'static str, token: impl Into<String>) -> Case {
    of_load_balancers(Case::denied(name, reason, token))
}

fn of_load_balancers(case: Case) -> Case {
    case.with_pool(rules).with_keys_for(ARN).with_jwks(jwks(&[P256.jwk(KEY_ID)]))
}

fn beside_user_pool(case: Case) -> Case {
    let seed = Seed { issuer: ISSUER.into(), jwks: pool_jwks(), fetched_at: NOW - 600 };
    case.with_another_pool(super::pool(), seed)
}

fn beside_other_issuer(case: Case) -> Case {
    let seed = Seed { issuer: OTHER_ISSUER.into(), jwks: pool_jwks(), fetched_at: NOW - 600 };
    let mut pool = super::pool();
    pool.issuer = IssuerRule::Exactly(OTHER_ISSUER.into());
    case.with_another_pool(pool, seed)
}

fn only_blue(pool: &mut Pool) {
    pool.claims = vec![ClaimRule {
        name: None,
        claim: "custom:team".into(),
        path: vec![],
        selector: ClaimSelector::Value,
        test: ClaimTest::AnyOf(vec![ClaimValue::Text("blue".into())]),
        fits_if_absent: false,
    }];
}

/// Makes header and payload longer until their lengths have this remainder modulo 3.
fn aligned(draft: &Draft, remainder: usize) -> Draft {
    let text = |length: usize| format!("\"{}\"", "x".repeat(length));
    let fits = |bytes: &[u8]| bytes.len() % 3 == remainder;
    let headers = (0..3).map(|length| draft.clone().header("x", text(length)));
    let draft = headers.into_iter().find(|draft| fits(&draft.header_bytes())).expect("one of three lengths fits");
    let payloads = (0..3).map(|length| draft.clone().claim("x", text(length)));
    payloads.into_iter().find(|draft| fits(&draft.payload_bytes())).expect("one of three lengths fits")
}

fn parts(draft: &Draft) -> [String; 3] {
    let (header, payload) = (URL_SAFE.encode(draft.header_bytes()), URL_SAFE.encode(draft.payload_bytes()));
    let token = compact_of(draft, &header, &payload);
    let signature = token.rsplit('.').next().expect("three parts").to_owned();
    [header, payload, signature]
}

/// Returns a token with these texts as its first two parts, and a padded signature over them.
fn compact_of(draft: &Draft, header: &str, payload: &str) -> String {
    let unpadded = draft.compact_of(header, payload);
    let length = unpadded.rsplit('.').next().expect("three parts").len();
    format!("{unpadded}{}", "=".repeat((4 - length % 4) % 4))
}

fn other_account() -> String {
    ARN.replace("111122223333", "444455556666")
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}
