//! Keys over HTTP, from a real server on a loopback port that behaves and misbehaves on command.

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
    routing::get,
};
use poolgate::{BuildError, Denial, FixedClock, KeyUrlError, Pool, Reason, TokenUseRule, Verified, Verifier};
use poolgate_core::Algorithm;
use poolgate_tests::{
    keys::{OTHER_RSA_2048, RSA_2048, jwks},
    minting::{CLIENT_ID, Draft, KEY_ID, NOW, POOL_ID},
};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

/// What the server does with the next request.
#[derive(Clone)]
enum Behaviour {
    Serve(String),
    Status(StatusCode),
    Redirect,
    Stall,
}

#[derive(Clone)]
struct Server {
    address: SocketAddr,
    behaviour: Arc<Mutex<Behaviour>>,
    fetches: Arc<AtomicUsize>,
    followed: Arc<AtomicUsize>,
}

impl Server {
    async fn start(behaviour: Behaviour) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let server = Self {
            address: listener.local_addr().expect("an address"),
            behaviour: Arc::new(Mutex::new(behaviour)),
            fetches: Arc::default(),
            followed: Arc::default(),
        };
        let router = Router::new()
            .route("/jwks.json", get(Self::answer))
            .route("/elsewhere", get(Self::elsewhere))
            .with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        server
    }

    async fn answer(State(server): State<Server>) -> Response {
        server.fetches.fetch_add(1, Ordering::SeqCst);
        let behaviour = server.behaviour.lock().expect("no panic").clone();
        match behaviour {
            Behaviour::Serve(body) => body.into_response(),
            Behaviour::Status(status) => (status, good_keys()).into_response(),
            Behaviour::Redirect => (StatusCode::FOUND, [(LOCATION, "/elsewhere")]).into_response(),
            Behaviour::Stall => {
                std::future::pending::<()>().await;
                Body::empty().into_response()
            }
        }
    }

    async fn elsewhere(State(server): State<Server>) -> String {
        server.followed.fetch_add(1, Ordering::SeqCst);
        good_keys()
    }

    fn url(&self) -> String {
        format!("http://{}/jwks.json", self.address)
    }

    fn now_does(&self, behaviour: Behaviour) {
        *self.behaviour.lock().expect("no panic") = behaviour;
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

/// A clock that the test moves.
#[derive(Clone, Debug)]
struct Hand(Arc<AtomicU64>);

impl poolgate::Clock for Hand {
    fn now(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::SeqCst))
    }
}

fn good_keys() -> String {
    jwks(&[RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID)])
}

fn pool(url: &str) -> Pool {
    Pool::user_pool(POOL_ID).client_ids([CLIENT_ID]).token_use(TokenUseRule::Access).jwks_url(url)
}

/// A timeout that no busy machine reaches.
async fn verifier(server: &Server, clock: impl poolgate::Clock) -> Verifier {
    verifier_with_timeout(server, clock, Duration::from_secs(30)).await
}

async fn verifier_with_timeout(server: &Server, clock: impl poolgate::Clock, timeout: Duration) -> Verifier {
    let builder = Verifier::builder().pool(pool(&server.url())).allow_http_loopback(true).clock(clock);
    let builder = builder.fetch_timeout(timeout);
    builder.compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled")).build().await.expect("it builds")
}

fn good() -> String {
    Draft::access(&RSA_2048).compact()
}

fn reason(verdict: Result<Verified, Denial>) -> Reason {
    verdict.expect_err("it must be refused").reason
}

#[tokio::test]
async fn whatever_the_server_does_wrong_the_answer_is_keys_unavailable() {
    let huge = format!("{{\"keys\":[],\"padding\":\"{}\"}}", "x".repeat(1 << 20));
    let truncated = good_keys()[..40].to_owned();
    for (name, behaviour) in [
        ("an error status", Behaviour::Status(StatusCode::INTERNAL_SERVER_ERROR)),
        ("a status that is not 200", Behaviour::Status(StatusCode::NON_AUTHORITATIVE_INFORMATION)),
        ("a redirect", Behaviour::Redirect),
        ("a body over the limit", Behaviour::Serve(huge)),
        ("no JSON", Behaviour::Serve("<html>".into())),
        ("half of the JSON", Behaviour::Serve(truncated)),
        ("an empty set", Behaviour::Serve("{\"keys\":[]}".into())),
        ("duplicate members", Behaviour::Serve(format!("{{\"keys\":[],{}", &good_keys()[1..]))),
        ("no answer", Behaviour::Stall),
    ] {
        let server = Server::start(behaviour).await;
        let timeout = if name == "no answer" { Duration::from_millis(300) } else { Duration::from_secs(30) };
        let verifier = verifier_with_timeout(&server, FixedClock::at(NOW), timeout).await;
        assert_eq!(reason(verifier.verify(&good()).await), Reason::KeysUnavailable, "{name}");
        assert_eq!(server.fetches(), 1, "{name}");
        assert_eq!(server.followed.load(Ordering::SeqCst), 0, "{name}");
        assert_eq!(verifier.sandbox_failures(), 0, "{name}");
    }
}

#[tokio::test]
async fn after_a_failure_the_next_second_fetches_again() {
    let server = Server::start(Behaviour::Status(StatusCode::BAD_GATEWAY)).await;
    let hand = Hand(Arc::new(AtomicU64::new(NOW)));
    let verifier = verifier(&server, hand.clone()).await;
    for _ in 0..20 {
        assert_eq!(reason(verifier.verify(&good()).await), Reason::KeysUnavailable);
    }
    assert!(server.fetches() <= 2, "a broken endpoint is hammered: {} fetches", server.fetches());
    server.now_does(Behaviour::Serve(good_keys()));
    // The host shares a failure for a second of its own clock; the sandbox waits for a second of the hand's.
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    for _ in 0..100 {
        hand.0.fetch_add(1, Ordering::SeqCst);
        if verifier.verify(&good()).await.is_ok() {
            return;
        }
        ticks.tick().await;
    }
    panic!("five seconds after the endpoint recovered there are still no keys");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_first_tokens_make_one_fetch() {
    let server = Server::start(Behaviour::Serve(good_keys())).await;
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
    let server = Server::start(Behaviour::Serve(good_keys())).await;
    let verifier = verifier(&server, FixedClock::at(NOW)).await;
    verifier.verify(&good()).await.expect("the first token fetches");
    for index in 0..100 {
        let stranger = Draft::access(&RSA_2048).header("kid", format!("\"stranger {index}\"")).compact();
        let expected = if index < 5 - 1 { Reason::KeyUnknown } else { Reason::KeyUnknownLimited };
        assert_eq!(reason(verifier.verify(&stranger).await), expected, "stranger {index}");
    }
    verifier.verify(&good()).await.expect("the known key is not slowed");
    assert_eq!(server.fetches(), 5, "the token bucket has five, and the first fetch has cost one of them");
}

#[tokio::test]
async fn a_new_key_is_fetched_when_a_token_names_it() {
    let server = Server::start(Behaviour::Serve(good_keys())).await;
    let hand = Hand(Arc::new(AtomicU64::new(NOW)));
    let verifier = verifier(&server, hand.clone()).await;
    verifier.verify(&good()).await.expect("the first token fetches");
    server.now_does(Behaviour::Serve(jwks(&[OTHER_RSA_2048.jwk_for(Algorithm::Rs256, "new")])));
    let token = Draft::access(&OTHER_RSA_2048).header("kid", "\"new\"").compact();
    // The host hands the earlier body to other instances for five seconds of the machine's clock.
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    for _ in 0..150 {
        hand.0.fetch_add(10, Ordering::SeqCst);
        if verifier.verify(&token).await.is_ok() {
            assert_eq!(reason(verifier.verify(&good()).await), Reason::KeyUnknown, "the old key is gone");
            return;
        }
        ticks.tick().await;
    }
    panic!("the new key was not fetched");
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
