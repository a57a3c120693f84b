//! If the sandbox fails, the token is denied with 503, and the next call gets a new instance.

#[path = "manual_clock.rs"]
mod manual_clock;

use manual_clock::ManualClock;
use poolgate::{Denial, ErrorCode, FixedClock, LoadKeySetError, Pool, Reason, TokenUseRule, Verifier, VerifierBuilder};
use poolgate_core::Algorithm;
use poolgate_tests::{
    corpus::cases,
    faulty_server::{Behaviour, FaultyServer},
    keys::{OTHER_RSA_2048, RSA_2048, jwks},
    minting::{CLIENT_ID, Draft, ISSUER, KEY_ID, NOW, POOL_ID},
    rng::Rng,
};
use std::{num::NonZeroUsize, time::Duration};

fn builder() -> VerifierBuilder {
    let pool = Pool::user_pool(POOL_ID).client_ids([CLIENT_ID]).token_use(TokenUseRule::Access);
    builder_of(pool.local_keys_only())
}

fn builder_of(pool: Pool) -> VerifierBuilder {
    Verifier::builder()
        .pool(pool)
        .clock(FixedClock::at(NOW))
        .instances(NonZeroUsize::new(2).expect("two"))
        .compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"))
}

fn key_set() -> String {
    jwks(&[RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID)])
}

/// A key set with so many keys that it fills the memory of an instance.
fn large_key_set(keys: usize) -> String {
    let key = |index: usize| OTHER_RSA_2048.jwk_for(Algorithm::Rs256, &format!("key {index}"));
    jwks(&(0..keys).map(key).collect::<Vec<_>>())
}

#[tokio::test]
async fn an_instance_over_its_memory_limit_is_replaced_and_the_keys_stay() {
    let verifier = builder().memory_limit(2 << 20).jwks_limits(1 << 24, 10_000).build().await.expect("it builds");
    verifier.load_key_set(ISSUER, key_set(), NOW).await.expect("one key fits");
    let token = Draft::access(&RSA_2048).compact();
    verifier.verify(&token).await.expect("the token is valid");
    assert_eq!(verifier.sandbox_failures(), 0);

    let failure = verifier.load_key_set(ISSUER, large_key_set(4_000), NOW + 1).await;
    assert_eq!(failure.err(), Some(LoadKeySetError::Sandbox));
    assert_eq!(verifier.sandbox_failures(), 1);

    for _ in 0..4 {
        verifier.verify(&token).await.expect("a new instance has the accepted keys");
    }
    assert_eq!(verifier.sandbox_failures(), 1);
}

/// An instance whose memory is full of cached tokens cannot load a key set that a new instance can load. The instance
/// is replaced, and the key set is not removed from the event log.
#[tokio::test]
async fn a_key_set_is_not_dropped_because_the_memory_of_an_instance_was_full() {
    let server = FaultyServer::start(Behaviour::Serve(key_set())).await;
    let clock = ManualClock::at(NOW);
    let pool = Pool::user_pool(POOL_ID).client_ids([CLIENT_ID]).token_use(TokenUseRule::Access);
    let verifier = builder_of(pool.jwks_url(server.url("/jwks.json")))
        .clock(clock.clone())
        .allow_http_loopback(true)
        .fetch_timeout(Duration::from_secs(30))
        .disable_background_refresh()
        .instances(NonZeroUsize::new(1).expect("one"))
        .jwks_limits(1 << 24, 10_000)
        .memory_limit(6 << 20)
        .token_cache(4 << 20, 1 << 20)
        .build()
        .await
        .expect("it builds");
    verifier.hydrate().await.expect("the keys are fetched");
    for number in 0..1_500 {
        let token = Draft::access(&RSA_2048).claim("exp", NOW + 86_400).claim("jti", format!("\"{number}\"")).compact();
        verifier.verify(&token).await.expect("the token is valid");
    }
    assert_eq!(verifier.sandbox_failures(), 0);

    server.now_does(Behaviour::Serve(large_key_set(1_500)));
    clock.advance(3_600);
    let report = verifier.hydrate().await.expect("a new instance accepts it").remove(0);
    assert_eq!((report.key_ids.len(), report.last_error), (1_500, None));
    assert_eq!(verifier.sandbox_failures(), 1, "the full instance");
    let token = Draft::access(&OTHER_RSA_2048).header("kid", "\"key 1499\"").claim("exp", NOW + 86_400).compact();
    verifier.verify(&token).await.expect("the new keys verify");
}

#[tokio::test]
async fn a_call_past_its_deadline_is_denied_and_its_instance_replaced() {
    // Preparing 10,000 keys takes about half a second. Starting an instance and rejecting a token takes well under 1 ms.
    let builder = builder().call_deadline(Duration::from_millis(50)).jwks_limits(1 << 24, 10_000);
    let verifier = builder.build().await.expect("it builds");
    for failures in 1..=3 {
        let failure = verifier.load_key_set(ISSUER, large_key_set(10_000), NOW).await;
        assert_eq!(failure.err(), Some(LoadKeySetError::Sandbox));
        assert_eq!(verifier.sandbox_failures(), failures);
        let denial = verifier.verify(&Draft::access(&RSA_2048).compact()).await.expect_err("there are no keys");
        assert_eq!(
            denial,
            Denial { reason: Reason::KeysUnavailable, error: ErrorCode::Unavailable, hint: None, misfit: None }
        );
    }
}

#[tokio::test]
async fn a_token_that_is_too_large_is_rejected_before_it_is_copied_into_the_sandbox() {
    let verifier = builder().memory_limit(2 << 20).build().await.expect("it builds");
    let denial = verifier.verify(&"a".repeat(64 << 20)).await.expect_err("it is too large");
    assert_eq!(denial.reason, Reason::TokenTooLarge);
    assert_eq!(verifier.sandbox_failures(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_tasks_share_a_verifier() {
    let verifier = builder().build().await.expect("it builds");
    verifier.load_key_set(ISSUER, key_set(), NOW).await.expect("the key is valid");
    let good = Draft::access(&RSA_2048).compact();
    let forged = Draft::access(&OTHER_RSA_2048).with_signature_below(&RSA_2048);
    let tasks: Vec<_> = (0..64)
        .map(|index| {
            let (verifier, good, forged) = (verifier.clone(), good.clone(), forged.clone());
            tokio::spawn(async move {
                for _ in 0..8 {
                    assert!(verifier.verify(&good).await.is_ok(), "task {index}");
                    let denial = verifier.verify(&forged).await.expect_err("it is forged");
                    assert_eq!(denial.reason, Reason::SignatureInvalid, "task {index}");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no task panics");
    }
    assert_eq!(verifier.sandbox_failures(), 0);
}

#[tokio::test]
async fn a_cancelled_call_leaves_the_verifier_working() {
    // The key source never responds, so the call is waiting for keys when it is dropped.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/jwks", silent.local_addr().expect("an address"));
    let pool = Pool::user_pool(POOL_ID).client_ids([CLIENT_ID]).token_use(TokenUseRule::Access).jwks_url(url);
    let builder = Verifier::builder().pool(pool).allow_http_loopback(true).clock(FixedClock::at(NOW));
    let builder =
        builder.instances(NonZeroUsize::MIN).compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"));
    let verifier = builder.build().await.expect("it builds");
    let token = Draft::access(&RSA_2048).compact();
    {
        let mut call = std::pin::pin!(verifier.verify(&token));
        tokio::select! {
            verdict = &mut call => panic!("the key source responded: {verdict:?}"),
            connection = silent.accept() => drop(connection.expect("the verifier connects")),
        }
    }
    verifier.load_key_set(ISSUER, key_set(), NOW).await.expect("the only permit is free again");
    verifier.verify(&token).await.expect("the loaded key verifies");
}

/// Changes, inserts or removes a few characters.
fn mutate(rng: &mut Rng, text: &str) -> String {
    const LETTERS: &[char] =
        &['.', '=', '-', '_', 'A', 'z', '9', '{', '}', '"', '[', ']', ':', ',', '\\', '\0', 'é', '𝒳'];
    let mut letters: Vec<char> = text.chars().collect();
    for _ in 0..=rng.draw(3) {
        let (at, letter) = (rng.draw(letters.len() + 1), LETTERS[rng.draw(LETTERS.len())]);
        match rng.draw(4) {
            0 if at < letters.len() => letters[at] = letter,
            1 => letters.truncate(at),
            2 if at < letters.len() => drop(letters.remove(at)),
            _ => letters.insert(at, letter),
        }
    }
    letters.into_iter().collect()
}

#[tokio::test]
async fn no_token_and_no_key_set_makes_the_sandbox_fail() {
    let verifier = builder().call_deadline(Duration::from_secs(30)).build().await.expect("it builds");
    let mut rng = Rng::new(0x9e37_79b9_7f4a_7c15);
    let sets: Vec<&str> = cases().iter().flat_map(|case| &case.seeds).map(|seed| seed.jwks.as_str()).collect();
    for round in 0..1_500 {
        let set = sets[rng.draw(sets.len())];
        let set = mutate(&mut rng, set);
        let _ = verifier.load_key_set(ISSUER, set, NOW + round).await;
        let token = &cases()[rng.draw(cases().len())].token;
        for _ in 0..4 {
            let _ = verifier.verify(&mutate(&mut rng, token)).await;
        }
    }
    assert_eq!(verifier.sandbox_failures(), 0);
}
