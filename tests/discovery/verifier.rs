//! Discovery at run time: when the document is fetched, what a failure of it does, and when a changed key URL takes effect.

use super::{
    Algorithm, Behaviour, DOCUMENT, Draft, FaultyServer, KEY_ID, KEYS, ManualClock, OTHER_RSA_2048, PATIENCE, RSA_2048,
    Value, document, document_with, good_keys, issuer, jwks, refusals, until,
};
use poolgate::{
    BuildError, Denial, DiscoveryConfigError, DiscoveryError, DiscoveryReport, KeyPolicy, KeyState, KeyUrlError, Pool,
    Reason, TokenUseRule, Verified, Verifier, VerifierBuilder,
};
use poolgate_tests::minting::NOW;

/// Where a changed document says that the keys are.
const NEW_KEYS: &str = "/new-keys";
const DAY: u64 = 86_400;

/// A pool that accepts every client of an issuer.
fn pool(issuer: &str) -> Pool {
    Pool::issuer(issuer).token_use(TokenUseRule::Unchecked).any_client()
}

pub(super) fn builder(pool: Pool, clock: &ManualClock) -> VerifierBuilder {
    Verifier::builder()
        .pool(pool)
        .allow_http_loopback(true)
        .clock(clock.clone())
        .key_policy(KeyPolicy { jitter_seed: 1, ..KeyPolicy::default() })
        .connect_timeout(PATIENCE)
        .fetch_timeout(PATIENCE)
        .disable_background_refresh()
        .call_deadline(PATIENCE)
        .compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"))
}

/// An issuer, and a verifier that discovers its keys.
struct Bench {
    server: FaultyServer,
    verifier: Verifier,
    clock: ManualClock,
}

impl Bench {
    async fn start() -> Self {
        Self::of(issuer().await).await
    }

    async fn of(server: FaultyServer) -> Self {
        let clock = ManualClock::at(NOW);
        let verifier = builder(pool(&server.url("")).discover_keys(), &clock).build().await.expect("it builds");
        Self { server, verifier, clock }
    }

    fn report(&self) -> DiscoveryReport {
        self.verifier.discovery_reports().remove(0)
    }

    /// Advances the clock, and waits for the key fetches that are then due.
    async fn seconds_pass(&self, seconds: u64) {
        self.clock.advance(seconds);
        self.verifier.hydrate().await.expect("the sandbox works");
    }

    async fn verify(&self, draft: Draft) -> Result<Verified, Denial> {
        self.verifier.verify(&draft.compact()).await
    }

    /// A token of the issuer that is valid for 100 days.
    fn token(&self) -> Draft {
        Draft::of_issuer(&RSA_2048, &self.server.url("")).claim("exp", NOW + 100 * DAY)
    }

    /// The token of another key.
    fn new_token(&self) -> Draft {
        let draft = Draft::of_issuer(&OTHER_RSA_2048, &self.server.url("")).claim("exp", NOW + 100 * DAY);
        draft.header("kid", "\"new\"")
    }

    fn serves(&self, members: &[(&str, Value)]) {
        self.server.path_does(DOCUMENT, Behaviour::Serve(document_with(&self.server, members)));
    }

    /// The document names another key URL from now on.
    fn moves_keys(&self, behaviour: Behaviour) {
        self.server.path_does(NEW_KEYS, behaviour);
        self.serves(&[("jwks_uri", self.server.url(NEW_KEYS).into())]);
    }

    async fn state(&self) -> KeyState {
        self.verifier.key_reports().await.expect("the sandbox works")[0].state
    }
}

fn new_keys() -> String {
    jwks(&[OTHER_RSA_2048.jwk_for(Algorithm::Rs256, "new")])
}

fn reason(verdict: Result<Verified, Denial>) -> Reason {
    verdict.expect_err("it must be rejected").reason
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_are_where_the_document_says() {
    let bench = Bench::start().await;
    assert_eq!((bench.report().jwks_uri, bench.report().fetched_at), (None, None));
    bench.verify(bench.token()).await.expect("the first token fetches the document and the keys");
    assert_eq!(reason(bench.verify(bench.new_token()).await), Reason::KeyUnknown, "another key");
    // An unknown key ID fetches the key set again, and not the document.
    assert_eq!((bench.server.fetches_of(DOCUMENT), bench.server.fetches_of(KEYS)), (1, 2));
    assert_eq!(bench.server.fetches(), 3, "no other URL is fetched");
    let report = bench.report();
    assert_eq!((report.url, report.issuer), (bench.server.url(DOCUMENT), bench.server.url("")));
    assert_eq!(report.jwks_uri, Some(bench.server.url(KEYS)));
    assert_eq!((report.fetched_at, report.last_error, report.pending_jwks_uri), (Some(NOW), None, None));
    let keys = bench.verifier.key_reports().await.expect("reports").remove(0);
    assert_eq!((keys.url, keys.key_ids), (Some(bench.server.url(DOCUMENT)), vec![KEY_ID.to_owned()]));
    let metrics = bench.verifier.metrics();
    let line =
        format!("poolgate_discovery_fetches_total{{issuer=\"{}\",outcome=\"fetched\"}} 1\n", bench.server.url(""));
    assert!(metrics.contains(&line), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_breaks_a_rule_gives_no_keys_and_says_why() {
    let server = issuer().await;
    let mut judged = 0;
    for (what, behaviour, _, error) in refusals(&server) {
        server.path_does(DOCUMENT, behaviour);
        let clock = ManualClock::at(NOW);
        let verifier = builder(pool(&server.url("")).discover_keys(), &clock).build().await.expect("it builds");
        let token = Draft::of_issuer(&RSA_2048, &server.url("")).compact();
        assert_eq!(reason(verifier.verify(&token).await), Reason::KeysUnavailable, "{what}");
        let report = verifier.discovery_reports().remove(0);
        assert_eq!(report.last_error.as_ref().map(DiscoveryError::name), Some(error), "{what}");
        assert_eq!(report.jwks_uri, None, "{what}");
        let outcome = format!("outcome=\"{error}\"}} 1\n");
        assert!(verifier.metrics().contains(&outcome), "{what}: {}", verifier.metrics());
        // The document is corrected, and the next retry finds it.
        server.path_does(DOCUMENT, Behaviour::Serve(document(&server).to_string()));
        clock.advance(60);
        verifier.verify(&token).await.unwrap_or_else(|denial| panic!("{what}: {denial}"));
        assert_eq!(verifier.discovery_reports().remove(0).last_error, None, "{what}");
        judged += 1;
        assert_eq!(server.fetches_of(KEYS), judged, "{what}: keys of a refused document were fetched");
    }
    assert_eq!(server.fetches_of("/elsewhere"), 0, "a redirect was followed");
}

/// A token names any `iss` that it likes, and may sign with keys that are there.
#[tokio::test(flavor = "multi_thread")]
async fn the_issuer_of_a_token_is_never_discovered() {
    let (bench, evil) = (Bench::start().await, issuer().await);
    evil.path_does(KEYS, Behaviour::Serve(new_keys()));
    bench.verify(bench.token()).await.expect("the keys are there");
    let lists = [("jku", format!("\"{}\"", evil.url(KEYS))), ("x5u", format!("\"{}\"", evil.url(KEYS)))];
    let forged = Draft::of_issuer(&OTHER_RSA_2048, &evil.url("")).claim("exp", NOW + DAY).header("kid", "\"new\"");
    assert_eq!(reason(bench.verify(forged).await), Reason::IssuerUnknown);
    for (name, value) in lists {
        let verdict = bench.verify(bench.new_token().header(name, value)).await;
        assert!(verdict.is_err(), "{name}");
    }
    assert_eq!(evil.fetches(), 0, "something was fetched from where a token said");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_the_document_takes_no_keys_away() {
    let bench = Bench::start().await;
    bench.verify(bench.token()).await.expect("the keys are there");
    bench.server.path_does(DOCUMENT, Behaviour::Status(500, String::new()));
    for hour in 1..=72 {
        bench.seconds_pass(3_600).await;
        bench.verify(bench.token()).await.unwrap_or_else(|denial| panic!("after {hour} hours: {denial}"));
        assert_eq!(bench.state().await, KeyState::Fresh, "after {hour} hours");
        if hour >= 24 {
            until("the document is asked for", || bench.report().last_error == Some(DiscoveryError::Status(500))).await;
        }
    }
    let report = bench.report();
    assert_eq!((report.jwks_uri, report.fetched_at), (Some(bench.server.url(KEYS)), Some(NOW)));
    until("one request an hour", || bench.server.fetches_of(DOCUMENT) == 1 + 72 - 23).await;
    // It is asked for with each key fetch, but not more often than once in 5 minutes.
    for number in 0..5 {
        bench.clock.advance(20);
        let unknown = bench.token().header("kid", format!("\"unknown {number}\""));
        assert_eq!(reason(bench.verify(unknown).await), Reason::KeyUnknown);
    }
    assert_eq!(bench.server.fetches_of(DOCUMENT), 50);
    bench.serves(&[]);
    bench.seconds_pass(3_600).await;
    until("the document is there again", || bench.report().last_error.is_none()).await;
    assert_eq!(bench.report().fetched_at, Some(NOW + 73 * 3_600 + 100));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lifetime_of_a_document_is_24_hours_or_its_max_age_within_bounds() {
    for (max_age, lifetime) in [(None, DAY), (Some(7_200), 7_200), (Some(0), 300), (Some(7 * DAY), DAY)] {
        let bench = Bench::start().await;
        let headers = max_age.map(|max_age| ("Cache-Control", format!("max-age={max_age}"))).into_iter().collect();
        let document = document(&bench.server).to_string();
        bench.server.path_does(DOCUMENT, Behaviour::ServeWith(document, headers));
        bench.verify(bench.token()).await.expect("the keys are there");
        // A key fetch just before and just after, by means of an unknown key ID.
        for (number, (at, expected)) in [(lifetime - 1, 1), (lifetime, 2)].into_iter().enumerate() {
            bench.clock.advance(NOW + at - poolgate::Clock::now(&bench.clock).as_secs());
            let unknown = bench.token().header("kid", format!("\"unknown {number}\""));
            let _ = bench.verify(unknown).await;
            until("the document is fetched", || bench.server.fetches_of(DOCUMENT) == expected).await;
        }
        until("it is in use", || bench.report().fetched_at == Some(NOW + lifetime)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_key_url_takes_effect_with_a_usable_key_set() {
    let bench = Bench::start().await;
    bench.verify(bench.token()).await.expect("the keys are there");
    bench.moves_keys(Behaviour::Serve(new_keys()));
    bench.seconds_pass(DAY).await;
    until("the document is fetched", || bench.report().pending_jwks_uri == Some(bench.server.url(NEW_KEYS))).await;
    assert_eq!(bench.report().jwks_uri, Some(bench.server.url(KEYS)));
    bench.verify(bench.token()).await.expect("the old keys are in use until the new ones are there");
    bench.seconds_pass(3_600).await;
    bench.verify(bench.new_token()).await.expect("the new keys are in use");
    assert_eq!(reason(bench.verify(bench.token()).await), Reason::KeyUnknown, "the old keys are not");
    let report = bench.report();
    assert_eq!((report.jwks_uri, report.pending_jwks_uri), (Some(bench.server.url(NEW_KEYS)), None));
    let old = bench.server.fetches_of(KEYS);
    bench.seconds_pass(3_600).await;
    assert_eq!(bench.server.fetches_of(KEYS), old, "the old URL is not fetched any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_key_url_without_usable_keys_never_replaces_good_keys() {
    let mut private = RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID);
    private["d"] = "AQAB".into();
    for (what, behaviour) in [
        ("404", Behaviour::Status(404, new_keys())),
        ("304 to a request without a condition", Behaviour::Status(304, String::new())),
        ("HTML", Behaviour::Typed("text/html", "<html>".into())),
        ("an empty key set", Behaviour::Serve("{\"keys\":[]}".into())),
        ("only a private key", Behaviour::Serve(jwks(&[private]))),
        ("a redirect", Behaviour::Redirect(KEYS.into(), new_keys())),
        ("too large", Behaviour::Huge(100 << 20)),
    ] {
        let bench = Bench::start().await;
        bench.verify(bench.token()).await.expect("the keys are there");
        bench.moves_keys(behaviour);
        bench.seconds_pass(DAY).await;
        until("the document is fetched", || bench.report().pending_jwks_uri.is_some()).await;
        for second in 0..120 {
            bench.seconds_pass(if second == 0 { 3_600 } else { 1 }).await;
            bench.verify(bench.token()).await.unwrap_or_else(|denial| panic!("{what}: {denial}"));
        }
        assert_eq!(bench.state().await, KeyState::Fresh, "{what}: the keys of the old URL are refreshed");
        assert!(bench.server.fetches_of(NEW_KEYS) >= 1, "{what}");
        let report = bench.report();
        assert_eq!(report.jwks_uri, Some(bench.server.url(KEYS)), "{what}");
        assert_eq!(report.pending_jwks_uri, Some(bench.server.url(NEW_KEYS)), "{what}");
        // The next document brings the new key set in.
        bench.server.path_does(NEW_KEYS, Behaviour::Serve(new_keys()));
        bench.seconds_pass(DAY).await;
        let fetched = bench.clock.clone();
        until("the next document", || bench.report().fetched_at == Some(poolgate::Clock::now(&fetched).as_secs()))
            .await;
        bench.seconds_pass(3_600).await;
        bench.verify(bench.new_token()).await.unwrap_or_else(|denial| panic!("{what}: {denial}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_document_never_changes_the_key_url() {
    let bench = Bench::start().await;
    bench.verify(bench.token()).await.expect("the keys are there");
    bench.server.path_does(NEW_KEYS, Behaviour::Serve(new_keys()));
    bench.serves(&[("jwks_uri", bench.server.url(NEW_KEYS).into()), ("issuer", "https://evil.example".into())]);
    bench.seconds_pass(DAY).await;
    let expected =
        DiscoveryError::IssuerMismatch { expected: bench.server.url(""), found: "https://evil.example".into() };
    until("the document is refused", || bench.report().last_error.as_ref() == Some(&expected)).await;
    bench.seconds_pass(3_600).await;
    bench.verify(bench.token()).await.expect("the keys of the last good document");
    assert_eq!((bench.report().jwks_uri, bench.report().pending_jwks_uri), (Some(bench.server.url(KEYS)), None));
    assert_eq!(bench.server.fetches_of(NEW_KEYS), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_etag_is_sent_only_to_the_url_that_it_is_from() {
    let bench = Bench::start().await;
    bench.server.path_does(KEYS, Behaviour::Tagged(good_keys(), "\"same\""));
    bench.verify(bench.token()).await.expect("the keys are there");
    bench.seconds_pass(3_600).await;
    let last = bench.server.last_request().expect("a request");
    assert_eq!((last.path.as_str(), last.header("if-none-match")), (KEYS, Some("\"same\"")));
    bench.moves_keys(Behaviour::Tagged(new_keys(), "\"same\""));
    bench.seconds_pass(DAY).await;
    until("the document is fetched", || bench.report().pending_jwks_uri.is_some()).await;
    bench.seconds_pass(3_600).await;
    let last = bench.server.last_request().expect("a request");
    assert_eq!((last.path.as_str(), last.header("if-none-match")), (NEW_KEYS, None));
    bench.verify(bench.new_token()).await.expect("the new keys, and not 304 for the old ones");
    bench.seconds_pass(3_600).await;
    let last = bench.server.last_request().expect("a request");
    assert_eq!((last.path.as_str(), last.header("if-none-match")), (NEW_KEYS, Some("\"same\"")));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_404_or_410_from_the_key_url_the_document_is_asked_again_once_in_five_minutes() {
    for status in [404, 410] {
        let bench = Bench::start().await;
        bench.verify(bench.token()).await.expect("the keys are there");
        bench.server.path_does(KEYS, Behaviour::Status(status, good_keys()));
        // The document does not help, so it is asked again, but not with each retry.
        bench.seconds_pass(3_600).await;
        assert_eq!(bench.server.fetches_of(DOCUMENT), 2, "{status}");
        for _ in 0..290 {
            bench.seconds_pass(1).await;
        }
        assert!(bench.server.fetches_of(KEYS) > 5, "{status}: the key URL is tried again");
        assert_eq!(bench.server.fetches_of(DOCUMENT), 2, "{status}: once in five minutes");
        bench.moves_keys(Behaviour::Serve(new_keys()));
        for _ in 0..100 {
            bench.seconds_pass(1).await;
        }
        assert_eq!(bench.server.fetches_of(DOCUMENT), 3, "{status}");
        bench.verify(bench.new_token()).await.expect("the keys of the new URL, from the same fetch");
        assert_eq!(bench.report().jwks_uri, Some(bench.server.url(NEW_KEYS)), "{status}");
    }
    // Other failures of the key URL say nothing about the document.
    for behaviour in [Behaviour::Status(500, String::new()), Behaviour::Redirect(NEW_KEYS.into(), new_keys())] {
        let bench = Bench::start().await;
        bench.verify(bench.token()).await.expect("the keys are there");
        bench.server.path_does(KEYS, behaviour);
        for _ in 0..120 {
            bench.seconds_pass(if bench.server.fetches_of(KEYS) == 1 { 3_600 } else { 1 }).await;
        }
        assert!(bench.server.fetches_of(KEYS) > 3);
        assert_eq!(bench.server.fetches_of(DOCUMENT), 1);
    }
}

/// A first document with a wrong key URL has no keys to lose.
#[tokio::test(flavor = "multi_thread")]
async fn without_keys_a_new_document_takes_effect_at_once() {
    let server = issuer().await;
    server.path_does(KEYS, Behaviour::Status(404, String::new()));
    let bench = Bench::of(server).await;
    assert_eq!(reason(bench.verify(bench.token()).await), Reason::KeysUnavailable);
    assert_eq!(bench.server.fetches_of(DOCUMENT), 1, "it has just been fetched");
    bench.moves_keys(Behaviour::Serve(new_keys()));
    bench.seconds_pass(300).await;
    bench.verify(bench.new_token()).await.expect("the keys of the new URL");
    assert_eq!((bench.server.fetches_of(DOCUMENT), bench.report().pending_jwks_uri), (2, None));
}

/// An issuer with several spellings, and one whose document is elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn the_document_may_name_any_configured_issuer_and_be_at_a_configured_url() {
    let server = issuer().await;
    let (with_slash, clock) = (server.url("/"), ManualClock::at(NOW));
    let several = Pool::issuers([server.url(""), with_slash.clone()]).token_use(TokenUseRule::Unchecked).any_client();
    server.path_does(DOCUMENT, Behaviour::Serve(document_with(&server, &[("issuer", with_slash.as_str().into())])));
    let verifier = builder(several.discover_keys(), &clock).build().await.expect("it builds");
    for issuer in [server.url(""), with_slash] {
        verifier.verify(&Draft::of_issuer(&RSA_2048, &issuer).compact()).await.expect("both spellings");
    }
    // The issuer is on another host than its keys and its document, as with Entra v1.
    let issuer = "https://sts.example/tenant/";
    server.path_does("/document", Behaviour::Serve(document_with(&server, &[("issuer", issuer.into())])));
    let elsewhere = || pool(issuer).discovery_url(server.url("/document"));
    let token = Draft::of_issuer(&RSA_2048, issuer).compact();
    let unnamed = builder(elsewhere(), &clock).build().await.expect("it builds");
    assert_eq!(reason(unnamed.verify(&token).await), Reason::KeysUnavailable);
    let error = unnamed.discovery_reports().remove(0).last_error;
    assert_eq!(
        error,
        Some(DiscoveryError::Host { found: "localhost".into() }),
        "the host of the document is not enough"
    );
    let named = builder(elsewhere().key_hosts(["localhost"]), &clock).build().await.expect("it builds");
    named.verify(&token).await.expect("the host is named");
    // The tenants of Entra share a document, which names the template.
    let tenant = "11111111-2222-4333-8444-555555555555";
    let template = server.url("/{tid}/v2.0");
    server.path_does(
        "/common",
        Behaviour::Serve(document_with(&server, &[("issuer", server.url("/{tenantid}/v2.0").into())])),
    );
    let mut key = RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID);
    key["issuer"] = server.url("/{tenantid}/v2.0").into();
    server.path_does(KEYS, Behaviour::Serve(jwks(&[key])));
    let tenants = Pool::tenants(template, [tenant]).token_use(TokenUseRule::Unchecked).any_client();
    let tenants = builder(tenants.discovery_url(server.url("/common")), &clock).build().await.expect("it builds");
    let issuer = server.url(&format!("/{tenant}/v2.0"));
    let token = Draft::of_issuer(&RSA_2048, &issuer).claim("tid", format!("\"{tenant}\""));
    tenants
        .verify(&token.compact())
        .await
        .unwrap_or_else(|denial| panic!("{denial}: {:?}", tenants.discovery_reports()));
}

#[tokio::test]
async fn a_configuration_that_can_not_be_discovered_does_not_build() {
    let clock = ManualClock::at(NOW);
    let stated = |pool: Pool| pool.token_use(TokenUseRule::Unchecked).any_client();
    let template = "https://login.example/{tid}/v2.0";
    let url = "https://login.example/document";
    for (pool, expected) in [
        (Pool::user_pool("eu-west-1_EXAMPLE01").discover_keys(), DiscoveryConfigError::NoIssuer),
        (Pool::any_issuer().discovery_url(url), DiscoveryConfigError::NoIssuer),
        (Pool::any_tenant(template).discover_keys(), DiscoveryConfigError::UrlRequired),
        (Pool::issuer("https://a.example/?x").discover_keys(), DiscoveryConfigError::IssuerNotUsable),
        (
            Pool::issuer("https://a.example").discover_keys().key_hosts(["https://b.example"]),
            DiscoveryConfigError::Host("https://b.example".into()),
        ),
        (
            Pool::issuer("https://a.example").jwks_url(url).key_hosts(["b.example"]),
            DiscoveryConfigError::HostsWithoutDiscovery,
        ),
    ] {
        let built = builder(stated(pool), &clock).build().await;
        assert!(matches!(&built, Err(BuildError::Discovery(actual)) if *actual == expected), "{expected}: {built:?}");
    }
    // One document can't be that of both issuers.
    let a = || stated(Pool::issuer("https://a.example"));
    let document = "https://a.example/.well-known/openid-configuration";
    let other = stated(Pool::issuer("https://a.example/"));
    for second in [other.clone().discover_keys(), other.jwks_url(document)] {
        let built = builder(a().discover_keys(), &clock).pool(second).build().await;
        let expected = DiscoveryConfigError::Conflict(document.into());
        assert!(matches!(&built, Err(BuildError::Discovery(actual)) if *actual == expected), "{built:?}");
    }
    for (url, error) in [
        ("http://a.example/document", KeyUrlError::PlainHttp),
        ("https://user@a.example/document", KeyUrlError::Malformed),
    ] {
        let built = builder(a().discovery_url(url), &clock).build().await;
        assert!(matches!(&built, Err(BuildError::KeyUrl(actual)) if *actual == error), "{url}: {built:?}");
    }
    let loopback = builder(stated(Pool::issuer("http://localhost:9")).discover_keys(), &clock);
    let built = loopback.allow_http_loopback(false).build().await;
    assert!(matches!(built, Err(BuildError::KeyUrl(KeyUrlError::LoopbackNotAllowed))), "{built:?}");
}
