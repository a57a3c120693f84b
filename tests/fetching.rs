//! Key fetches: which URLs are fetched, and how often. Failures are tested in `faults.rs`.

#[path = "manual_clock.rs"]
mod manual_clock;

use manual_clock::ManualClock;
use poolgate::{
    BuildError, Denial, FixedClock, KeyUrlError, Pool, Reason, TokenUseRule, Verified, Verifier, VerifierBuilder,
};
use poolgate_core::Algorithm;
use poolgate_tests::{
    faulty_server::{Behaviour, FaultyServer},
    keys::{OTHER_RSA_2048, RSA_2048, jwks},
    minting::{CLIENT_ID, Draft, KEY_ID, NOW, POOL_ID},
};
use std::{num::NonZeroUsize, time::Duration};

fn good_keys() -> Behaviour {
    Behaviour::Serve(jwks(&[RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID)]))
}

fn pool(url: &str) -> Pool {
    Pool::user_pool(POOL_ID).client_ids([CLIENT_ID]).token_use(TokenUseRule::Access).jwks_url(url)
}

async fn verifier(server: &FaultyServer, clock: impl poolgate::Clock) -> Verifier {
    builder(server, clock).build().await.expect("it builds")
}

/// A builder with timeouts that are not reached even on a busy machine.
fn builder(server: &FaultyServer, clock: impl poolgate::Clock) -> VerifierBuilder {
    let builder = Verifier::builder().pool(pool(&server.url("/jwks.json"))).allow_http_loopback(true).clock(clock);
    let builder = builder.connect_timeout(Duration::from_secs(30)).fetch_timeout(Duration::from_secs(30));
    let builder = builder.disable_background_refresh();
    builder.compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"))
}

fn valid_token() -> String {
    Draft::access(&RSA_2048).compact()
}

fn reason(verdict: Result<Verified, Denial>) -> Reason {
    verdict.expect_err("it must be rejected").reason
}

#[tokio::test(flavor = "multi_thread")]
async fn many_first_tokens_make_one_fetch() {
    let server = FaultyServer::start(good_keys()).await;
    let verifier = verifier(&server, FixedClock::at(NOW)).await;
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let (verifier, token) = (verifier.clone(), valid_token());
            tokio::spawn(async move { verifier.verify(&token).await.map(|_| ()) })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.expect("no panic"), Ok(()));
    }
    assert_eq!(server.fetches(), 1);
}

#[tokio::test]
async fn fetches_for_unknown_key_ids_are_limited_by_the_token_bucket_and_known_keys_are_not_affected() {
    let server = FaultyServer::start(good_keys()).await;
    let verifier = verifier(&server, FixedClock::at(NOW)).await;
    verifier.verify(&valid_token()).await.expect("the first token fetches");
    for index in 0..100 {
        let unknown = Draft::access(&RSA_2048).header("kid", format!("\"unknown {index}\"")).compact();
        let expected = if index < 5 - 1 { Reason::KeyUnknown } else { Reason::KeyUnknownLimited };
        assert_eq!(reason(verifier.verify(&unknown).await), expected, "unknown {index}");
    }
    let waits = verifier.key_waits();
    verifier.verify(&valid_token()).await.expect("the known key is not affected");
    assert_eq!(verifier.key_waits(), waits);
    assert_eq!(server.fetches(), 5, "the token bucket allows five, and the first fetch has used one of them");
}

#[tokio::test]
async fn a_new_key_is_fetched_when_a_token_has_its_key_id_and_the_old_key_is_removed() {
    let server = FaultyServer::start(good_keys()).await;
    let clock = ManualClock::at(NOW);
    let verifier = verifier(&server, clock.clone()).await;
    verifier.verify(&valid_token()).await.expect("the first token fetches");
    server.now_does(Behaviour::Serve(jwks(&[OTHER_RSA_2048.jwk_for(Algorithm::Rs256, "new")])));
    clock.advance(60);
    let token = Draft::access(&OTHER_RSA_2048).header("kid", "\"new\"").compact();
    verifier.verify(&token).await.expect("the new key is fetched");
    assert_eq!(reason(verifier.verify(&valid_token()).await), Reason::KeyUnknown, "the old key is removed");
}

/// An issuer publishes a key during a slow fetch for an unknown key ID.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_published_during_a_slow_fetch_is_found_and_not_cached_as_unknown() {
    for (instances, unknowns) in [(1, 1), (4, 8)] {
        let server = FaultyServer::start(good_keys()).await;
        let builder =
            builder(&server, FixedClock::at(NOW)).instances(NonZeroUsize::new(instances).expect("one or more"));
        let verifier = builder.build().await.expect("it builds");
        verifier.hydrate().await.expect("the keys are fetched");
        let call = |token: String| {
            let verifier = verifier.clone();
            tokio::spawn(async move { verifier.verify(&token).await })
        };
        server.now_does(Behaviour::Held(Box::new(good_keys())));
        let unknown = |number| Draft::access(&RSA_2048).header("kid", format!("\"unknown {number}\"")).compact();
        let unknowns: Vec<_> = (0..unknowns).map(|number| call(unknown(number))).collect();
        server.wait_for_fetches(2).await;
        let both = [RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID), OTHER_RSA_2048.jwk_for(Algorithm::Rs256, "new")];
        server.now_does(Behaviour::Serve(jwks(&both)));
        let token = Draft::access(&OTHER_RSA_2048).header("kid", "\"new\"").compact();
        let waiting: Vec<_> = (0..8).map(|_| call(token.clone())).collect();
        while verifier.key_waits() < (unknowns.len() + waiting.len()) as u64 {
            tokio::task::yield_now().await;
        }
        server.release();
        for task in waiting {
            task.await.expect("no panic").unwrap_or_else(|denial| panic!("{instances} instances: {denial}"));
        }
        for task in unknowns {
            assert_eq!(reason(task.await.expect("no panic")), Reason::KeyUnknown, "{instances} instances");
        }
        assert_eq!(server.fetches(), 3, "one more fetch for all tokens that arrived after the slow one had started");
    }
}

#[tokio::test]
async fn plain_http_is_rejected_unless_loopback_is_allowed() {
    for (url, allow, error) in [
        ("http://127.0.0.1:9/jwks.json", false, KeyUrlError::LoopbackNotAllowed),
        ("http://example.com/jwks.json", true, KeyUrlError::PlainHttp),
        ("ftp://example.com/jwks.json", true, KeyUrlError::Scheme),
    ] {
        let built = Verifier::builder().pool(pool(url)).allow_http_loopback(allow).build().await;
        assert!(matches!(built, Err(BuildError::KeyUrl(actual)) if actual == error), "{url}: {built:?}");
    }
    let issuer = Pool::issuer("http://example.com").any_client().token_use(TokenUseRule::Unchecked);
    let built = Verifier::builder().pool(issuer).build().await;
    assert!(matches!(built, Err(BuildError::KeyUrl(KeyUrlError::PlainHttp))), "{built:?}");
}

#[tokio::test]
async fn a_policy_without_an_app_client_or_a_token_use_does_not_build() {
    let missing =
        |pool: Pool| async { Verifier::builder().pool(pool).build().await.expect_err("it must not build").to_string() };
    assert!(missing(Pool::user_pool(POOL_ID).any_client()).await.contains("token use"));
    assert!(missing(Pool::user_pool(POOL_ID).token_use(TokenUseRule::Id)).await.contains("app client"));
    let without_pool = Verifier::builder().build().await.expect_err("there is no pool");
    assert!(without_pool.to_string().contains("no-pool"), "{without_pool}");
}
