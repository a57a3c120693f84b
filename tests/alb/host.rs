//! Tokens of load balancers in the host: keys by HTTP, several instances, metrics, and limits on what invented key IDs cause.

use poolgate::{BuildError, Denial, FixedClock, Pool, Reason, Verified, Verifier};
use poolgate_tests::{
    corpus::load_balancers::{ARN, KEY_ID, OTHER_ARN, draft, padded},
    faulty_server::{Behaviour, FaultyServer},
    keys::{P256, jwks, pem},
    minting::{CLIENT_ID, ISSUER, NOW, SUBJECT},
};
use std::num::NonZeroUsize;

async fn server() -> FaultyServer {
    let server = FaultyServer::start(Behaviour::Status(404, String::new())).await;
    server.path_does(&format!("/keys/{KEY_ID}"), Behaviour::Serve(pem(&P256.jwk(""))));
    server
}

async fn verifier(pool: Pool, clock: FixedClock) -> Verifier {
    Verifier::builder()
        .pool(pool.client_ids([CLIENT_ID]))
        .allow_http_loopback(true)
        .disable_background_refresh()
        .clock(clock)
        .instances(NonZeroUsize::new(3).expect("three"))
        .compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"))
        .build()
        .await
        .expect("the verifier builds")
}

fn pool(server: &FaultyServer) -> Pool {
    Pool::application_load_balancers(ISSUER, [ARN, OTHER_ARN]).jwks_url(server.url("/keys"))
}

fn reason(verdict: Result<Verified, Denial>) -> Option<Reason> {
    verdict.err().map(|denial| denial.reason)
}

fn with_key_id(number: usize) -> String {
    padded(&draft().header("kid", format!("\"{number:08x}-0000-4000-8000-000000000000\"")))
}

#[tokio::test]
async fn a_key_is_fetched_once_for_all_instances() {
    let server = server().await;
    let verifier = verifier(pool(&server), FixedClock::at(NOW)).await;
    assert_eq!(server.fetches(), 0, "no key is known before a token names it");
    let token = padded(&draft());
    let calls = (0..12).map(|_| {
        let (verifier, token) = (verifier.clone(), token.clone());
        tokio::spawn(async move { verifier.verify(&token).await })
    });
    for call in calls.collect::<Vec<_>>() {
        let verified = call.await.expect("no panic").expect("a valid token");
        assert_eq!(verified.subject.as_deref(), Some(SUBJECT));
        assert_eq!(verified.client_id.as_deref(), Some(CLIENT_ID));
    }
    assert_eq!(server.fetches(), 1);
    let reports = verifier.key_reports().await.expect("reports");
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].issuers, [ARN, OTHER_ARN]);
    assert_eq!(reports[0].key_ids, [KEY_ID]);
    assert!(reports[0].is_on_demand, "a gateway does not wait for it to be ready");
}

#[tokio::test]
async fn invented_key_ids_cause_few_fetches_and_no_metric_contains_one() {
    let server = server().await;
    let verifier = verifier(pool(&server), FixedClock::at(NOW)).await;
    assert_eq!(reason(verifier.verify(&padded(&draft())).await), None);
    for number in 0..200 {
        let reason = reason(verifier.verify(&with_key_id(number)).await);
        assert!(matches!(reason, Some(Reason::KeyUnknown | Reason::KeyUnknownLimited)), "{reason:?}");
    }
    assert_eq!(server.fetches(), 5, "the capacity of the token bucket");
    assert_eq!(reason(verifier.verify(&with_key_id(0)).await), Some(Reason::KeyUnknownCached));
    assert_eq!(reason(verifier.verify(&padded(&draft())).await), None, "the key in use is still there");
    let metrics = verifier.metrics();
    assert!(metrics.contains(&format!("issuer=\"{ARN}\"")), "{metrics}");
    assert!(!metrics.contains("-0000-4000-8000-") && !metrics.contains(KEY_ID), "{metrics}");
}

#[tokio::test]
async fn without_its_server_a_token_is_not_verified() {
    let server = server().await;
    let verifier = verifier(pool(&server), FixedClock::at(NOW)).await;
    server.stop_listening().await;
    assert_eq!(reason(verifier.verify(&padded(&draft())).await), Some(Reason::KeysUnavailable));
}

#[tokio::test]
async fn a_jwk_set_in_place_of_a_key_is_refused() {
    let server = server().await;
    server.path_does(&format!("/keys/{KEY_ID}"), Behaviour::Serve(jwks(&[P256.jwk(KEY_ID)])));
    let verifier = verifier(pool(&server), FixedClock::at(NOW)).await;
    assert_eq!(reason(verifier.verify(&padded(&draft())).await), Some(Reason::KeyRefused));
}

#[tokio::test]
async fn local_keys_are_loaded_for_each_load_balancer() {
    let pool = Pool::application_load_balancers(ISSUER, [ARN, OTHER_ARN]).local_keys_only();
    let verifier = verifier(pool, FixedClock::at(NOW)).await;
    verifier.load_key_set(ARN, jwks(&[P256.jwk(KEY_ID)]), NOW).await.expect("the keys are valid");
    assert_eq!(reason(verifier.verify(&padded(&draft())).await), None);
    let of_other = padded(&draft().header("signer", format!("\"{OTHER_ARN}\"")));
    assert_eq!(reason(verifier.verify(&of_other).await), Some(Reason::KeysUnavailable));
    let unknown = verifier.load_key_set(ISSUER, jwks(&[P256.jwk(KEY_ID)]), NOW).await;
    assert!(unknown.is_err(), "the keys are those of the load balancers, and not of the issuer");
}

#[tokio::test]
async fn what_is_no_load_balancer_is_an_invalid_configuration() {
    for pool in [
        Pool::application_load_balancers(ISSUER, [] as [&str; 0]),
        Pool::application_load_balancers(ISSUER, ["arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/net/a/b"]),
        Pool::application_load_balancers(ISSUER, [ARN]).token_use(poolgate::TokenUseRule::Access),
    ] {
        let built = Verifier::builder().pool(pool.client_ids([CLIENT_ID])).build().await;
        assert!(matches!(built, Err(BuildError::InvalidConfig(_))), "{:?}", built.err());
    }
    let missing = Verifier::builder().pool(Pool::application_load_balancers(ISSUER, [ARN])).build().await;
    assert!(matches!(missing, Err(BuildError::MissingSetting("app client"))), "{:?}", missing.err());
}
