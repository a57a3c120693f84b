//! The three keys by which a token can be revoked, in each store.

use crate::scene::{
    ISSUER_FORMS, ORIGIN_JTI, OTHER_ISSUER, PATIENCE, REVOKED, SECOND_FORM, SIGNED_IN, draft, in_memory, other_sign_in,
    redis, sibling, token, verdict, with_store,
};
use poolgate::revocation::{Redis, Revocation, RevocationMode, Revocations};
use poolgate_tests::{
    keys::RSA_2048,
    minting::{Draft, ISSUER, NOW, SUBJECT},
    redis::Redis as Server,
};
use std::{sync::Arc, time::Duration};

/// The stream that lists all revocations. It sorts before the keys of revocations.
const FEED: &str = "poolgate:revoked:feed";

async fn a_token_is_revoked_by_each_of_its_keys_and_no_other_token_is(store: impl Fn() -> Arc<dyn Revocations>) {
    let other_user = || draft().claim("sub", "\"other\"");
    let of_other_pool = || draft().claim("iss", format!("\"{OTHER_ISSUER}\""));
    let later = || other_sign_in().claim("auth_time", SIGNED_IN + 1);
    let id_token = || Draft::id(&RSA_2048);
    let user = |until| Revocation::user(ISSUER, SUBJECT, until);
    let cases: [(Revocation, Vec<Draft>, Vec<Draft>); 4] = [
        (token(), vec![draft(), id_token()], vec![sibling(), other_sign_in(), of_other_pool()]),
        (
            Revocation::sign_in(SECOND_FORM, ORIGIN_JTI),
            vec![draft(), sibling(), id_token()],
            vec![other_sign_in(), of_other_pool()],
        ),
        (user(SIGNED_IN - 1), vec![], vec![draft(), id_token()]),
        (
            user(SIGNED_IN),
            vec![draft(), sibling(), other_sign_in(), id_token(), later().without_claim("auth_time")],
            vec![later(), other_user(), of_other_pool()],
        ),
    ];
    for (revocation, rejected, accepted) in cases {
        let store = store();
        let verifier = with_store(Arc::clone(&store), RevocationMode::FailClosed).await;
        for token in rejected.iter().chain(&accepted) {
            assert_eq!(verdict(&verifier, token.clone()).await, Ok(()), "nothing is revoked yet: {revocation:?}");
        }
        // Another process adds the revocation, and an older one of the user. Neither undoes the other.
        let elsewhere = with_store(store, RevocationMode::FailClosed).await;
        elsewhere.revoke(&revocation).await.expect("it is stored");
        elsewhere.revoke(&user(SIGNED_IN - 10)).await.expect("it is stored");
        for _ in 0..2 {
            for token in &rejected {
                assert_eq!(verdict(&verifier, token.clone()).await, Err(REVOKED), "{revocation:?}");
            }
            for token in &accepted {
                assert_eq!(verdict(&verifier, token.clone()).await, Ok(()), "{revocation:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_token_is_revoked_by_each_of_its_keys_and_no_other_token_is_in_memory() {
    a_token_is_revoked_by_each_of_its_keys_and_no_other_token_is(|| Arc::new(in_memory(10))).await;
}

#[tokio::test]
async fn a_token_is_revoked_by_each_of_its_keys_and_no_other_token_is_in_redis() {
    let server = Server::start().await;
    // One database per case.
    let databases = std::cell::Cell::new(0);
    let store = || -> Arc<dyn Revocations> {
        databases.set(databases.get() + 1);
        Arc::new(redis(&format!("{}/{}", server.url(), databases.get())))
    };
    a_token_is_revoked_by_each_of_its_keys_and_no_other_token_is(store).await;
}

#[tokio::test]
async fn a_revocation_applies_to_both_issuer_forms_of_a_user_pool() {
    for (revoked, token) in [(ISSUER, SECOND_FORM), (SECOND_FORM, ISSUER), (SECOND_FORM, SECOND_FORM)] {
        let verifier = with_store(Arc::new(in_memory(10)), RevocationMode::FailClosed).await;
        for issuer in ISSUER_FORMS {
            // Local keys of a pool are used for both forms.
            assert_eq!(verdict(&verifier, draft().claim("iss", format!("\"{issuer}\""))).await, Ok(()));
        }
        verifier.revoke(&Revocation::user(revoked, SUBJECT, NOW)).await.expect("it is stored");
        let token = draft().claim("iss", format!("\"{token}\""));
        assert_eq!(verdict(&verifier, token).await, Err(REVOKED), "revoked under {revoked}");
    }
}

#[tokio::test]
async fn keys_in_redis_have_the_documented_names_and_lifetimes_which_are_never_shortened() {
    let server = Server::start().await;
    let (store, short) = (redis(&server.url()), Redis::open(&server.url().into(), Duration::from_secs(60), PATIENCE));
    let short = short.expect("a valid URL");
    let revocations = [token(), Revocation::sign_in(ISSUER, ORIGIN_JTI), Revocation::user(SECOND_FORM, SUBJECT, NOW)];
    let names = [
        format!("poolgate:revoked:{ISSUER}:jti:33333333-4444-4555-8666-777777777777"),
        format!("poolgate:revoked:{ISSUER}:origin_jti:{ORIGIN_JTI}"),
        format!("poolgate:revoked:{ISSUER}:sub:{SUBJECT}"),
    ];
    let lives = async || {
        let mut lives = Vec::new();
        for name in &names {
            lives.push(server.answer(&format!("TTL {name}")).await.parse::<u64>().expect("seconds"));
        }
        lives
    };
    for (store, expected) in [(&short, 50..=60), (&store, 86_390..=86_400), (&short, 86_380..=86_400)] {
        for revocation in &revocations {
            store.revoke(revocation, NOW).await.expect("it is stored");
        }
        assert_eq!(server.keys().await, [&[FEED.to_owned()], &names[..]].concat());
        let lives = lives().await;
        assert!(lives.iter().all(|life| expected.contains(life)), "{lives:?} are not in {expected:?}");
    }
    assert_eq!(server.answer(&format!("TYPE {}", names[2])).await, "zset");

    // The server expires the keys.
    let verifier = with_store(Arc::new(store), RevocationMode::FailClosed).await;
    assert_eq!(verdict(&verifier, draft()).await, Err(REVOKED));
    for name in &names {
        server.answer(&format!("PEXPIRE {name} 1")).await;
    }
    let mut polls = tokio::time::interval(Duration::from_millis(5));
    while verdict(&verifier, draft()).await.is_err() {
        polls.tick().await;
    }
    // Expired entries of the stream are removed from it, but not the stream.
    assert_eq!(server.keys().await, [FEED]);
}

#[tokio::test]
async fn keys_that_other_programs_write_as_documented_revoke_tokens() {
    let server = Server::start().await;
    let verifier = with_store(Arc::new(redis(&server.url())), RevocationMode::FailClosed).await;
    assert_eq!(verdict(&verifier, draft()).await, Ok(()));
    server.answer(&format!("SET poolgate:revoked:{ISSUER}:origin_jti:{ORIGIN_JTI} 1 EX 86400")).await;
    assert_eq!(verdict(&verifier, sibling()).await, Err(REVOKED));
    assert_eq!(verdict(&verifier, other_sign_in()).await, Ok(()));
    server.answer(&format!("ZADD poolgate:revoked:{ISSUER}:sub:{SUBJECT} GT {SIGNED_IN} signed_out")).await;
    assert_eq!(verdict(&verifier, other_sign_in()).await, Err(REVOKED));
}
