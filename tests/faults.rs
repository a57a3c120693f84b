//! Failures of the JWKS endpoint: what tokens get, how many fetches are made, and how soon the keys are fresh after the failure.
//!
//! The clock is set by the test, so that every number is the same in every run. The server, the connections and the failures are real.

#[path = "manual_clock.rs"]
mod manual_clock;

use manual_clock::ManualClock;
use poolgate::{Denial, KeyPolicy, KeyRefreshError, KeyState, Pool, Reason, TokenUseRule, Verified, Verifier};
use poolgate_core::Algorithm;
use poolgate_tests::{
    faulty_server::{Behaviour, Certificate, FaultyServer},
    keys::{OTHER_RSA_2048, RSA_2048, jwks},
    minting::{CLIENT_ID, Draft, ISSUER, KEY_ID, NOW, POOL_ID},
};
use std::time::Duration;

const PAGE: &str = include_str!("../docs/keys.md");
const PATH: &str = "/jwks.json";
/// How long a failure lasts, in seconds of the test's clock.
const OUTAGE: u64 = 120;
/// A timeout that a valid response does not reach even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// The timeout for servers that never respond.
const IMPATIENCE: Duration = Duration::from_secs(1);

/// A failure of the JWKS endpoint.
struct Fault {
    name: &'static str,
    cause: Cause,
    /// The error in the key report, and the fetch timeout that the case needs.
    error: &'static str,
    timeout: Duration,
}

#[derive(Clone)]
enum Cause {
    Response(Behaviour),
    /// No process listens on the port.
    NotListening,
    /// A certificate of a trusted authority, for another host.
    CertificateOfAnotherHost,
    ExpiredCertificate,
    UntrustedCertificate,
}

fn faults() -> Vec<Fault> {
    let good = good_keys;
    let fault = |name, behaviour, error| Fault { name, cause: Cause::Response(behaviour), error, timeout: PATIENCE };
    let slow = |name, behaviour| Fault {
        name,
        cause: Cause::Response(behaviour),
        error: "fetch: timed-out",
        timeout: IMPATIENCE,
    };
    let tls = |name, cause| Fault { name, cause, error: "fetch: unreachable", timeout: PATIENCE };
    let twice = format!("{{\"keys\":[],{}", &good()[1..]);
    let private = jwks(&[{
        let mut key = RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID);
        key["d"] = "AQAB".into();
        key
    }]);
    vec![
        Fault {
            name: "connection refused",
            cause: Cause::NotListening,
            error: "fetch: unreachable",
            timeout: PATIENCE,
        },
        fault("connection reset in the middle", Behaviour::ResetMidway(good()), "fetch: unreachable"),
        fault("connection closed in the middle", Behaviour::CloseMidway(good()), "fetch: unreachable"),
        slow("no response", Behaviour::Stall),
        slow("half a response, then nothing", Behaviour::StallMidway(good())),
        slow("one byte every 50 ms", Behaviour::Drip(good(), Duration::from_millis(50))),
        fault("500", Behaviour::Status(500, good()), "fetch: bad-status"),
        fault("404", Behaviour::Status(404, good()), "fetch: bad-status"),
        fault("203, changed by a proxy", Behaviour::Status(203, good()), "fetch: bad-status"),
        fault("302 to a valid key set", Behaviour::Redirect("/elsewhere".into(), good()), "fetch: bad-status"),
        fault("an HTML page", Behaviour::Typed("text/html", "<html>".into()), "key-set: malformed"),
        fault("truncated JSON", Behaviour::Serve(good()[..40].into()), "key-set: malformed"),
        fault("duplicate members", Behaviour::Serve(twice), "key-set: duplicate-member"),
        fault("100 MB", Behaviour::Huge(100 << 20), "fetch: too-large"),
        fault("a gzip bomb", Behaviour::GzipBomb, "key-set: malformed"),
        fault("an empty key set", Behaviour::Serve("{\"keys\":[]}".into()), "key-set: no-usable-key"),
        fault("only a private key", Behaviour::Serve(private), "key-set: no-usable-key"),
        tls("TLS: a certificate for another host", Cause::CertificateOfAnotherHost),
        tls("TLS: an expired certificate", Cause::ExpiredCertificate),
        tls("TLS: an unknown authority", Cause::UntrustedCertificate),
    ]
}

/// A verifier, and the server of its keys.
struct Bench {
    server: FaultyServer,
    verifier: Verifier,
    clock: ManualClock,
}

impl Bench {
    async fn start(behaviour: Behaviour, timeout: Duration) -> Self {
        let server = FaultyServer::start(behaviour).await;
        let clock = ManualClock::at(NOW);
        let verifier = verifier(&server, &clock, timeout, None).await;
        Self { server, verifier, clock }
    }

    async fn verify(&self) -> Result<Verified, Denial> {
        self.verifier.verify(&token(KEY_ID)).await
    }

    /// Advances the clock by a second, and waits for the fetches that are then due.
    async fn second_passes(&self) -> KeyState {
        self.clock.advance(1);
        self.verifier.hydrate().await.expect("the sandbox works")[0].state
    }

    /// Returns the number of seconds until the keys are fresh.
    async fn recovery(&self) -> u64 {
        for seconds in 1..=600 {
            if self.second_passes().await == KeyState::Fresh {
                return seconds;
            }
        }
        panic!("the keys are not fresh ten minutes after the failure has ended");
    }
}

fn good_keys() -> String {
    jwks(&[RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID)])
}

/// A token that is valid for 100 days.
fn token(key_id: &str) -> String {
    let draft = Draft::access(&RSA_2048).header("kid", format!("\"{key_id}\""));
    draft.claim("exp", NOW + 100 * 86_400).compact()
}

async fn verifier(server: &FaultyServer, clock: &ManualClock, timeout: Duration, root: Option<&str>) -> Verifier {
    let pool = Pool::user_pool(POOL_ID).client_ids([CLIENT_ID]).token_use(TokenUseRule::Access);
    let mut builder = Verifier::builder()
        .pool(pool.jwks_url(server.url(PATH)))
        .allow_http_loopback(true)
        .clock(clock.clone())
        .key_policy(KeyPolicy { jitter_seed: 1, ..KeyPolicy::default() })
        .connect_timeout(PATIENCE)
        .fetch_timeout(timeout)
        .disable_background_refresh()
        .call_deadline(Duration::from_secs(30))
        .compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"));
    if let Some(root) = root {
        builder = builder.root_certificate(root.as_bytes()).expect("a certificate");
    }
    builder.build().await.expect("it builds")
}

async fn last_error(verifier: &Verifier) -> String {
    match verifier.key_reports().await.expect("the sandbox works").remove(0).last_error {
        None => "none".into(),
        Some(KeyRefreshError::Fetch(error)) => format!("fetch: {}", error.name()),
        Some(KeyRefreshError::KeySet(error)) => format!("key-set: {}", error.name()),
    }
}

fn reason(verdict: Result<Verified, Denial>) -> Reason {
    verdict.expect_err("it must be rejected").reason
}

/// Returns a row of the table in docs/keys.md.
async fn row(fault: Fault) -> String {
    let without_keys = without_keys(&fault).await;
    let (Cause::Response(_) | Cause::NotListening) = fault.cause else {
        return format!("| {} | {without_keys} | – | `{}` | – | – |\n", fault.name, fault.error);
    };
    let bench = Bench::start(Behaviour::Serve(good_keys()), fault.timeout).await;
    bench.verifier.load_key_set(ISSUER, good_keys(), NOW).await.expect("the keys are good");
    bench.clock.advance(3_600);
    assert_eq!(bench.verifier.key_reports().await.expect("reports")[0].state, KeyState::Stale);
    match &fault.cause {
        Cause::Response(behaviour) => bench.server.now_does(behaviour.clone()),
        _ => bench.server.stop_listening().await,
    }
    let mut most_failures = 0;
    for _ in 0..OUTAGE {
        bench.second_passes().await;
        let verified = bench.verify().await.unwrap_or_else(|denial| panic!("{}: {denial}", fault.name));
        assert!(verified.keys_are_stale, "{}: the keys are older than their soft lifetime", fault.name);
        most_failures = bench.verifier.key_reports().await.expect("reports")[0].failures;
    }
    assert_eq!(last_error(&bench.verifier).await, fault.error, "{}", fault.name);
    assert_eq!(bench.verifier.key_waits(), 0, "{}: a token with a known key waited", fault.name);
    assert_eq!(bench.server.fetches_of("/elsewhere"), 0, "a redirect was followed");
    assert!(bench.server.bytes_sent() < 64 << 20, "a body far over the limit was read: {}", bench.server.bytes_sent());
    if !matches!(fault.cause, Cause::NotListening) {
        assert_eq!(bench.server.fetches(), most_failures as usize, "{}", fault.name);
    }
    bench.server.now_does(Behaviour::Serve(good_keys()));
    if matches!(fault.cause, Cause::NotListening) {
        bench.server.listen_again().await;
    }
    let recovery = bench.recovery().await;
    assert_eq!(bench.verifier.sandbox_failures(), 0, "{}", fault.name);
    format!(
        "| {} | {without_keys} | verified, stale | `{}` | {most_failures} | {recovery} s |\n",
        fault.name, fault.error
    )
}

/// Returns the result for a token while there are no keys.
async fn without_keys(fault: &Fault) -> &'static str {
    let clock = ManualClock::at(NOW);
    let good = Behaviour::Serve(good_keys());
    let tls = match fault.cause {
        Cause::CertificateOfAnotherHost => Some((Certificate::for_host("example.com"), true)),
        Cause::ExpiredCertificate => Some((Certificate::expired(), true)),
        Cause::UntrustedCertificate => Some((Certificate::for_host("localhost"), false)),
        _ => None,
    };
    let (server, root) = match &tls {
        Some((certificate, is_trusted)) => {
            let server = FaultyServer::start_tls(good, certificate).await;
            (server, is_trusted.then(|| certificate.authority()))
        }
        None => (FaultyServer::start(good).await, None),
    };
    match &fault.cause {
        Cause::Response(behaviour) => server.now_does(behaviour.clone()),
        Cause::NotListening => server.stop_listening().await,
        _ => {}
    }
    let verifier = verifier(&server, &clock, fault.timeout, root).await;
    let verdict = verifier.verify(&token(KEY_ID)).await;
    let reason = match fault.name {
        "only a private key" => Reason::KeyRefused,
        _ => Reason::KeysUnavailable,
    };
    assert_eq!(verdict.expect_err("there are no keys").reason, reason, "{}", fault.name);
    assert_eq!(verifier.key_waits(), 1);
    assert_eq!(last_error(&verifier).await, fault.error, "{}", fault.name);
    // Until the next attempt is due, tokens are denied immediately and without a fetch.
    let before = server.fetches();
    for _ in 0..10 {
        assert!(verifier.verify(&token(KEY_ID)).await.is_err(), "{}", fault.name);
    }
    assert_eq!((server.fetches(), verifier.key_waits()), (before, 1), "{}", fault.name);
    if reason == Reason::KeyRefused { "`key-refused`, 401" } else { "`keys-unavailable`, 503" }
}

#[tokio::test(flavor = "multi_thread")]
async fn known_keys_verify_during_every_failure_and_the_table_in_the_book_is_correct() {
    let rows: Vec<_> = faults().into_iter().map(|fault| tokio::spawn(row(fault))).collect();
    let mut table = String::from(
        "| failure of the JWKS endpoint | tokens, without keys | tokens, with keys | error in the key report | fetches in 2 minutes | recovers after |\n\
         |---|---|---|---|---|---|\n",
    );
    for row in rows {
        table += &row.await.expect("a row");
    }
    assert!(PAGE.contains(&table), "the table of failures in docs/keys.md should be:\n\n{table}");
}

#[tokio::test]
async fn after_the_hard_lifetime_tokens_get_503_until_the_next_successful_fetch() {
    let bench = Bench::start(Behaviour::Serve(good_keys()), PATIENCE).await;
    bench.verifier.hydrate().await.expect("the keys are fetched");
    bench.server.now_does(Behaviour::Status(503, good_keys()));
    bench.clock.advance(86_399);
    bench.verify().await.expect("a second before the hard lifetime ends");
    bench.clock.advance(1);
    assert_eq!(reason(bench.verify().await), Reason::KeysUnavailable);
    assert_eq!(bench.verifier.key_reports().await.expect("reports")[0].state, KeyState::Expired);
    bench.server.now_does(Behaviour::Serve(good_keys()));
    bench.recovery().await;
    bench.verify().await.expect("the keys are fetched again");
}

#[tokio::test]
async fn a_certificate_of_a_configured_authority_is_trusted_and_of_another_is_not() {
    let certificate = Certificate::for_host("localhost");
    let server = FaultyServer::start_tls(Behaviour::Serve(good_keys()), &certificate).await;
    let clock = ManualClock::at(NOW);
    let with = verifier(&server, &clock, PATIENCE, Some(certificate.authority())).await;
    with.verify(&token(KEY_ID)).await.expect("the authority is trusted");
    let without = verifier(&server, &clock, PATIENCE, None).await;
    assert_eq!(reason(without.verify(&token(KEY_ID)).await), Reason::KeysUnavailable);
    assert!(Verifier::builder().root_certificate(b"no certificate").is_err());
}

#[tokio::test]
async fn a_key_set_with_another_content_type_is_accepted() {
    for content_type in ["application/jwk-set+json", "application/octet-stream", "text/plain", "text/html"] {
        let bench = Bench::start(Behaviour::Typed(content_type, good_keys()), PATIENCE).await;
        bench.verify().await.unwrap_or_else(|denial| panic!("{content_type}: {denial}"));
    }
}

#[tokio::test]
async fn cache_control_and_etag_are_used() {
    let headers =
        vec![("Cache-Control", "public, max-age=900".to_owned()), ("Age", "300".into()), ("ETag", "\"a\"".into())];
    let bench = Bench::start(Behaviour::ServeWith(good_keys(), headers), PATIENCE).await;
    let report = bench.verifier.hydrate().await.expect("reports").remove(0);
    let refresh_in = report.refresh_in.expect("it is fetched");
    assert!((540..=600).contains(&refresh_in), "600 seconds, or up to a tenth less: {refresh_in}");

    bench.server.now_does(Behaviour::Tagged(good_keys(), "\"a\""));
    bench.clock.advance(600);
    assert_eq!(bench.second_passes().await, KeyState::Fresh);
    let request = bench.server.last_request().expect("a request");
    assert_eq!(request.header("if-none-match"), Some("\"a\""));
    assert_eq!(request.header("accept-encoding"), None, "no content coding is requested");
    let metrics = bench.verifier.metrics();
    assert!(metrics.contains("outcome=\"not-modified\"} 1"), "{metrics}");
    assert_eq!(bench.verifier.key_reports().await.expect("reports")[0].generation, 1);
    bench.verify().await.expect("the keys are fresh");
}

#[tokio::test]
async fn repeated_key_changes_are_applied_and_a_removed_key_is_rejected_immediately() {
    let bench = Bench::start(Behaviour::Serve(good_keys()), PATIENCE).await;
    bench.verifier.hydrate().await.expect("the keys are fetched");
    let other_keys = jwks(&[OTHER_RSA_2048.jwk_for(Algorithm::Rs256, "other")]);
    let other = Draft::access(&OTHER_RSA_2048).header("kid", "\"other\"").claim("exp", NOW + 100 * 86_400).compact();
    for round in 0..6 {
        let (serves, good, gone) = match round % 2 {
            0 => (other_keys.clone(), other.clone(), token(KEY_ID)),
            _ => (good_keys(), token(KEY_ID), other.clone()),
        };
        bench.server.now_does(Behaviour::Serve(serves));
        bench.clock.advance(3_600);
        bench.second_passes().await;
        bench.verifier.verify(&good).await.unwrap_or_else(|denial| panic!("round {round}: {denial}"));
        // The key set is now a second old.
        assert_eq!(reason(bench.verifier.verify(&gone).await), Reason::KeyUnknown, "round {round}");
    }
    let report = bench.verifier.key_reports().await.expect("reports").remove(0);
    assert_eq!((report.generation, report.state), (7, KeyState::Fresh));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_instances_report_the_same_generation() {
    let bench = Bench::start(Behaviour::Serve(good_keys()), PATIENCE).await;
    bench.verifier.hydrate().await.expect("the keys are fetched");
    let other_keys = jwks(&[OTHER_RSA_2048.jwk_for(Algorithm::Rs256, "other")]);
    for keys in [other_keys.clone(), good_keys(), other_keys] {
        bench.server.now_does(Behaviour::Serve(keys));
        bench.clock.advance(3_600);
        bench.second_passes().await;
    }
    // One call after the other uses the same instance. Calls at the same time use others, which now apply the last key set only.
    let calls = (0..200).map(|_| {
        let verifier = bench.verifier.clone();
        tokio::spawn(async move { verifier.key_reports().await.expect("reports")[0].generation })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.expect("no panic"), 4);
    }
}
