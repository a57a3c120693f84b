//! Tokens of load balancers compared with the request of a client: the nonce and the access token. Their padding denies nothing.

use poolgate_core::{CacheLimits, Config, KeyPolicy, Limits, Reason, RevocationMode, Step, Verifier};
use poolgate_tests::{
    corpus::{
        self,
        load_balancers::{ARN, KEY_ID, OTHER_ARN, draft, padded, rules},
    },
    keys::{P256, jwks},
    minting::{Draft, ISSUER, NOW},
};

const NONCE: &str = "n-0S6_WzA2Mj";
/// With its hash: OpenID Connect Core 1.0, appendix A.3.
const ACCESS_TOKEN: &str = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
const HASH: &str = "77QmUPtjPfzWtF2AnpK9RQ";

/// A verifier of load balancers, and of their issuer's own tokens if `is_beside`.
fn verifier(is_beside: bool) -> Verifier {
    let mut pool = corpus::pool();
    rules(&mut pool);
    let pools = [pool].into_iter().chain(is_beside.then(corpus::pool)).collect();
    let config = Config {
        pools,
        limits: Limits::default(),
        key_policy: KeyPolicy::default(),
        cache: CacheLimits::default(),
        requirements: vec![],
    };
    let mut verifier = Verifier::new(config).expect("a valid configuration");
    let keys = jwks(&[P256.jwk(KEY_ID)]);
    for arn in [ARN, OTHER_ARN] {
        verifier.load_key_set(NOW, arn, keys.as_bytes(), NOW).expect("the key is valid");
    }
    verifier
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

fn of_request() -> Draft {
    draft().claim("nonce", quoted(NONCE)).claim("at_hash", quoted(HASH))
}

#[test]
fn a_padded_token_is_compared_with_the_request() {
    for is_beside in [false, true] {
        let mut verifier = verifier(is_beside);
        let (token, without) = (padded(&of_request()), padded(&draft()));
        for (token, nonce, access_token, expected) in [
            (&token, None, None, Ok(())),
            (&token, Some(NONCE), Some(ACCESS_TOKEN), Ok(())),
            (&token, Some("other"), None, Err(Reason::NonceMismatch)),
            (&token, Some(""), None, Err(Reason::NonceMismatch)),
            (&token, Some(NONCE), Some("other"), Err(Reason::AccessTokenMismatch)),
            (&without, None, None, Ok(())),
            (&without, Some(NONCE), None, Err(Reason::NonceMismatch)),
            (&without, None, Some(ACCESS_TOKEN), Err(Reason::AccessTokenMismatch)),
        ] {
            // Once before the token is in the cache.
            for _ in 0..2 {
                let result = verifier.check_id_token(NOW, token, nonce, access_token);
                assert_eq!(result, expected, "{nonce:?}, {access_token:?}, beside {ISSUER}: {is_beside}");
            }
        }
    }
}

#[test]
fn a_token_that_is_rejected_has_the_same_reason_with_a_request() {
    let mut verifier = verifier(false);
    for (draft, reason) in [
        (of_request().header("signer", quoted("arn:aws:elasticloadbalancing")), Reason::SignerMismatch),
        (of_request().header("client", quoted("another")), Reason::ClientMismatch),
        (of_request().claim("exp", NOW).header("exp", NOW), Reason::Expired),
    ] {
        let result = verifier.check_id_token(NOW, &padded(&draft), Some(NONCE), Some(ACCESS_TOKEN));
        assert_eq!(result, Err(reason));
    }
    let unpadded = of_request().compact();
    assert_eq!(verifier.check_id_token(NOW, &unpadded, Some(NONCE), None), Err(Reason::EncodingInvalid));
}

#[test]
fn a_request_is_compared_before_the_revocation_status_is_known() {
    let mut verifier = verifier(false);
    verifier.enable_revocation_check(RevocationMode::FailClosed);
    let token = padded(&of_request());
    assert!(matches!(verifier.verify(NOW, &token), Step::PendingRevocation(_)));
    assert_eq!(verifier.check_id_token(NOW, &token, Some(NONCE), Some(ACCESS_TOKEN)), Ok(()));
    assert_eq!(verifier.check_id_token(NOW, &token, Some("other"), None), Err(Reason::NonceMismatch));
}
