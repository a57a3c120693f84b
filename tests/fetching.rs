//! What is fetched, from where, and how often. What happens when it goes wrong is in tests/faults.rs.

#[path = "hand.rs"]
mod hand;

use hand::Hand;
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

/// Timeouts that no busy machine reaches.
fn builder(server: &FaultyServer, clock: impl poolgate::Clock) -> VerifierBuilder {
    let builder = Verifier::builder().pool(pool(&server.url("/jwks.json"))).allow_http_loopback(true).clock(clock);
    let builder = builder.connect_timeout(Duration::from_secs(30)).fetch_timeout(Duration::from_secs(30));
    let builder = builder.disable_background_refresh();
    builder.compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"))
}

fn good() -> String {
    Draft::access(&RSA_2048).compact()
}

fn reason(verdict: Result<Verified, Denial>) -> Reason {
    verdict.expect_err("it must be refused").reason
}

#[tokio::test(flavor = "multi_thread")]
async fn many_first_tokens_make_one_fetch() {
    let server = FaultyServer::start(good_keys()).await;
    let verifier = verifier(&server, FixedClock::at(NOW)).await;
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let (verifier, token) = (verifier.clone(), good());
            tokio::spawn(async move { verifier.verify(&token).await.map(|_| ()) })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.expect("no panic"), Ok(()));
    }
    assert_eq!(server.fetches(), 1);
}

#[tokio::test]
async fn unknown_key_ids_make_no_more_fetches_than_the_bucket_has_and_slow_no_known_one() {
    let server = FaultyServer::start(good_keys()).await;
    let verifier = verifier(&server, FixedClock::at(NOW)).await;
    verifier.verify(&good()).await.expect("the first token fetches");
    for index in 0..100 {
        let stranger = Draft::access(&RSA_2048).header("kid", format!("\"stranger {index}\"")).compact();
        let expected = if index < 5 - 1 { Reason::KeyUnknown } else { Reason::KeyUnknownLimited };
        assert_eq!(reason(verifier.verify(&stranger).await), expected, "stranger {index}");
    }
    let waits = verifier.key_waits();
    verifier.verify(&good()).await.expect("the known key is not slowed");
    assert_eq!(verifier.key_waits(), waits);
    assert_eq!(server.fetches(), 5, "the token bucket has five, and the first fetch has cost one of them");
}

#[tokio::test]
async fn a_new_key_is_fetched_when_a_token_names_it_and_an_old_one_is_gone() {
    let server = FaultyServer::start(good_keys()).await;
    let hand = Hand::at(NOW);
    let verifier = verifier(&server, hand.clone()).await;
    verifier.verify(&good()).await.expect("the first token fetches");
    server.now_does(Behaviour::Serve(jwks(&[OTHER_RSA_2048.jwk_for(Algorithm::Rs256, "new")])));
    hand.advance(60);
    let token = Draft::access(&OTHER_RSA_2048).header("kid", "\"new\"").compact();
    verifier.verify(&token).await.expect("the new key is fetched");
    assert_eq!(reason(verifier.verify(&good()).await), Reason::KeyUnknown, "the old key is gone");
}

/// An issuer publishes a key while its server is slow to answer a stranger's question.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_published_during_a_slow_fetch_is_found_and_not_unknown_for_a_minute() {
    for (instances, strangers) in [(1, 1), (4, 8)] {
        let server = FaultyServer::start(good_keys()).await;
        let builder =
            builder(&server, FixedClock::at(NOW)).instances(NonZeroUsize::new(instances).expect("one or more"));
        let verifier = builder.build().await.expect("it builds");
        verifier.hydrate().await.expect("the keys come");
        let call = |token: String| {
            let verifier = verifier.clone();
            tokio::spawn(async move { verifier.verify(&token).await })
        };
        server.now_does(Behaviour::Held(Box::new(good_keys())));
        let stranger = |number| Draft::access(&RSA_2048).header("kid", format!("\"stranger {number}\"")).compact();
        let strangers: Vec<_> = (0..strangers).map(|number| call(stranger(number))).collect();
        server.wait_for_fetches(2).await;
        let both = [RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID), OTHER_RSA_2048.jwk_for(Algorithm::Rs256, "new")];
        server.now_does(Behaviour::Serve(jwks(&both)));
        let token = Draft::access(&OTHER_RSA_2048).header("kid", "\"new\"").compact();
        let good: Vec<_> = (0..8).map(|_| call(token.clone())).collect();
        while verifier.key_waits() < (strangers.len() + good.len()) as u64 {
            tokio::task::yield_now().await;
        }
        server.release();
        for task in good {
            task.await.expect("no panic").unwrap_or_else(|denial| panic!("{instances} instances: {denial}"));
        }
        for task in strangers {
            assert_eq!(reason(task.await.expect("no panic")), Reason::KeyUnknown, "{instances} instances");
        }
        assert_eq!(server.fetches(), 3, "one more for all who came too late for the slow one");
    }
}

#[tokio::test]
async fn plain_http_is_refused_unless_loopback_is_allowed() {
    for (url, allow, error) in [
        ("http://127.0.0.1:9/jwks.json", false, KeyUrlError::LoopbackNotAllowed),
        ("http://example.com/jwks.json", true, KeyUrlError::PlainHttp),
        ("ftp://example.com/jwks.json", true, KeyUrlError::Scheme),
    ] {
        let built = Verifier::builder().pool(pool(url)).allow_http_loopback(allow).build().await;
        assert!(matches!(built, Err(BuildError::KeyUrl(came)) if came == error), "{url}: {built:?}");
    }
    let issuer = Pool::issuer("http://example.com").any_client().token_use(TokenUseRule::Unchecked);
    let built = Verifier::builder().pool(issuer).build().await;
    assert!(matches!(built, Err(BuildError::KeyUrl(KeyUrlError::PlainHttp))), "{built:?}");
}

#[tokio::test]
async fn a_policy_that_says_nothing_of_client_or_use_does_not_build() {
    let unstated =
        |pool: Pool| async { Verifier::builder().pool(pool).build().await.expect_err("it must not build").to_string() };
    assert!(unstated(Pool::user_pool(POOL_ID).any_client()).await.contains("token use"));
    assert!(unstated(Pool::user_pool(POOL_ID).token_use(TokenUseRule::Id)).await.contains("app client"));
    let nobody = Verifier::builder().build().await.expect_err("there is no pool");
    assert!(nobody.to_string().contains("no-pool"), "{nobody}");
}
