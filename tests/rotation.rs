//! Key rotation with a Cognito emulator: its key files are deleted, it is restarted, and it signs with new keys.

use poolgate::{Denial, Pool, Reason, TokenUseRule, Verified, Verifier};
use poolgate_tests::{
    ministack::Ministack,
    test_pool::{PoolOptions, TestPool},
};
use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::task::JoinHandle;

const PASSWORD: &str = "Correct-Horse-7";

async fn verifier(pool: &TestPool) -> Verifier {
    let policy = Pool::user_pool(&pool.pool_id).jwks_url(&pool.jwks_url).client_ids([&pool.client_id]);
    Verifier::builder()
        .pool(policy.token_use(TokenUseRule::Access))
        .allow_http_loopback(true)
        // More instances than cores, so that the calls use different instances.
        .instances(NonZeroUsize::new(8).expect("eight"))
        .compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"))
        .build()
        .await
        .expect("the verifier builds")
}

/// Verifies the same token repeatedly. Every call must succeed.
struct Stream {
    is_over: Arc<AtomicBool>,
    task: JoinHandle<Result<usize, Denial>>,
}

impl Stream {
    fn of(verifier: &Verifier, token: &str) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let (verifier, token, ends) = (verifier.clone(), token.to_owned(), Arc::clone(&is_over));
        let task = tokio::spawn(async move {
            let mut verified = 0;
            while !ends.load(Ordering::SeqCst) {
                verifier.verify(&token).await?;
                verified += 1;
                tokio::task::yield_now().await;
            }
            Ok(verified)
        });
        Self { is_over, task }
    }

    async fn end(self) -> usize {
        self.is_over.store(true, Ordering::SeqCst);
        self.task.await.expect("no panic").unwrap_or_else(|denial| panic!("a valid token was rejected: {denial}"))
    }
}

fn reason(verdict: Result<Verified, Denial>) -> Reason {
    verdict.expect_err("its key is removed").reason
}

#[tokio::test(flavor = "multi_thread")]
async fn during_two_rotations_valid_tokens_are_accepted_and_old_ones_are_rejected_after_the_fetch() {
    let mut server = Ministack::start().await;
    let pool = server.create_pool(PoolOptions::default()).await;
    pool.sign_up_user_in_groups("alice", PASSWORD, &[]).await;
    let verifier = verifier(&pool).await;
    let hydrated = verifier.hydrate().await.expect("the keys are fetched").remove(0);
    assert_eq!(hydrated.key_ids.len(), 2, "ministack has a key for access tokens and one for ID tokens");
    let mut key_ids = hydrated.key_ids;
    let mut token = pool.sign_in("alice", PASSWORD).await.access_token;
    let mut waits = 0;

    for round in 1..=2 {
        // While the server is down, and until the new keys are fetched, the key of the old token is the last known one.
        let stream = Stream::of(&verifier, &token);
        server = server.restart_with_new_keys().await;
        let new_token = pool.sign_in("alice", PASSWORD).await.access_token;
        let verified = stream.end().await;
        assert!(verified > 0, "the stream has not started");
        assert_eq!(verifier.key_waits(), waits, "a token with a known key waited");

        verifier.verify(&new_token).await.unwrap_or_else(|denial| panic!("round {round}: a new token: {denial}"));
        waits += 1;
        assert_eq!(verifier.key_waits(), waits, "the first token with the new key waited for it");
        let stream = Stream::of(&verifier, &new_token);
        for _ in 0..50 {
            let reason = reason(verifier.verify(&token).await);
            assert!(
                matches!(reason, Reason::KeyUnknown | Reason::KeyUnknownCached),
                "round {round}: an old token: {reason:?}"
            );
        }
        stream.end().await;
        waits = verifier.key_waits();

        let report = verifier.key_reports().await.expect("the sandbox works").remove(0);
        assert_eq!(report.generation, round + 1);
        assert!(report.key_ids.iter().all(|key_id| !key_ids.contains(key_id)), "{:?}", report.key_ids);
        (key_ids, token) = (report.key_ids, new_token);
    }
    println!("{}", verifier.metrics());
    assert_eq!(verifier.sandbox_failures(), 0);
}
