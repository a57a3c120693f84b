//! The rules for a document.

use super::*;
use poolgate_tests::discovery_documents;

#[test]
fn each_document_has_the_outcome_that_the_host_gives_it() {
    for discovery_documents::DocumentCase { title, document, expected } in discovery_documents::cases() {
        let (servers, keys) = (Servers::new(), shop());
        servers.responds(DOCUMENT, Ok(FetchedResponse { body: Some(document), ..FetchedResponse::default() }));
        let KeyFetch { key_url, outcome } = run(keys.fetch_keys(&servers, None));
        match expected {
            Ok(url) => {
                assert_eq!(key_url.as_ref().map(KeyUrl::as_str), Some(url), "{title}: {:?}", servers.lines());
                assert_eq!(servers.requested(), [DOCUMENT, url], "{title}");
            }
            Err(name) => {
                assert_eq!((outcome, key_url), (Err(FetchError::Refused), None), "{title}");
                assert_eq!(servers.requested(), [DOCUMENT], "{title}: keys of a refused document were fetched");
                let lines = servers.lines();
                let start = format!("the discovery document {DOCUMENT} is not used: {name}: ");
                assert!(lines.len() == 1 && lines[0].starts_with(&start), "{title}: {lines:?}");
                assert!(!lines[0].contains(['\n', '\0']) && !lines[0].contains("secret"), "{title}: {lines:?}");
            }
        }
    }
}

/// The host's URL parser takes these for another spelling of an accepted URL. Nobody publishes them, and parsers disagree on some.
#[test]
fn a_url_with_an_odd_spelling_is_rejected() {
    for url in [
        "https://login.example.com\\@evil.example/keys",
        "https:\\\\login.example.com/keys",
        "https:login.example.com/keys",
        "https:///login.example.com/keys",
        "https://login%2eexample.com/keys",
        "https://login.example.com:/keys",
        "https://login.exam\tple.com/keys",
        " https://login.example.com/keys",
        "https://login.example.com/schlüssel",
        "https://login.example.com/a\\b",
    ] {
        let (servers, keys) = (Servers::new(), shop());
        servers.document_names(url);
        assert_eq!(fetch(&keys, &servers, None, true), Err(FetchError::Refused), "{url}");
        assert!(servers.lines()[0].contains(": jwks-uri: "), "{url}");
    }
}

#[test]
fn an_error_says_what_the_document_has_and_what_to_do() {
    let (servers, keys) = (Servers::new(), shop());
    for (document, parts) in [
        (json!({"issuer": format!("{ISSUER}/")}), ["a / at the end", "\"https://login.example.com/realms/shop/\""]),
        (json!({"issuer": "https://evil.example\n"}), ["exactly as its document", "\"https://evil.example\\n\""]),
        (
            json!({"issuer": ISSUER, "jwks_uri": "https://other.example/"}),
            ["name it in key_hosts", "\"other.example\""],
        ),
    ] {
        servers.serves(DOCUMENT, &document.to_string());
        let _ = fetch(&keys, &servers, None, true);
        let line = servers.lines().remove(0);
        assert!(parts.iter().all(|part| line.contains(part)) && !line.contains('\n'), "{line}");
    }
    servers.serves(DOCUMENT, &json!({"issuer": "x".repeat(60_000)}).to_string());
    let _ = fetch(&keys, &servers, None, true);
    assert!(servers.lines()[0].len() < 1_000, "the log is filled");
}

/// An issuer with several spellings, one whose document is elsewhere, the tenants of Entra, and a loopback address.
#[test]
fn the_document_may_name_any_configured_issuer_and_be_at_a_configured_url() {
    let url = "https://metadata.example/document";
    let (template, tenants) = ("https://login.example/{tid}/v2.0", "https://login.example/{tenantid}/v2.0");
    let several = json!({"issuers": ["https://a.example/", "https://a.example"], "keys": {"discover": true}});
    let elsewhere = |hosts: &[&str]| json!({"issuer": "https://sts.example/t/", "keys": {"discover": true, "discovery_url": url, "key_hosts": hosts}});
    let of_tenants =
        json!({"issuer_template": template, "any_tenant": true, "keys": {"discover": true, "discovery_url": url}});
    let loopback = json!({"issuer": "http://localhost:9", "keys": {"discover": true}});
    let (at_a, at_loopback) =
        ("https://a.example/.well-known/openid-configuration", "http://localhost:9/.well-known/openid-configuration");
    for (pool, url, issuer, key_url, is_accepted) in [
        (&several, at_a, "https://a.example", "https://a.example/keys", true),
        (&several, at_a, "https://a.example/", "https://a.example/keys", true),
        (&several, at_a, "https://a.example//", "https://a.example/keys", false),
        (&elsewhere(&[]), url, "https://sts.example/t/", "https://sts.example/keys", true),
        (&elsewhere(&[]), url, "https://sts.example/t/", "https://metadata.example/keys", false),
        (&elsewhere(&["metadata.example"]), url, "https://sts.example/t/", "https://metadata.example/keys", true),
        (&elsewhere(&["metadata.example"]), url, "https://metadata.example", "https://metadata.example/keys", false),
        (&elsewhere(&["localhost"]), url, "https://sts.example/t/", "http://localhost/keys", false),
        (&of_tenants, url, template, "https://login.example/keys", true),
        (&of_tenants, url, tenants, "https://login.example/keys", true),
        (
            &of_tenants,
            url,
            "https://login.example/11111111-2222-4333-8444-555555555555/v2.0",
            "https://login.example/keys",
            false,
        ),
        (&loopback, at_loopback, "http://localhost:9", "http://localhost:9/keys", true),
        (&loopback, at_loopback, "http://localhost:9", "https://localhost/keys", true),
        (&loopback, at_loopback, "http://localhost:9", "http://127.0.0.1:9/keys", false),
    ] {
        let (servers, keys) = (Servers::new(), discovered(pool, url));
        servers.serves(url, &json!({"issuer": issuer, "jwks_uri": key_url}).to_string());
        servers.serves(key_url, "keys");
        let fetched = fetch(&keys, &servers, None, true);
        assert_eq!(fetched.is_ok(), is_accepted, "{pool} {issuer} {key_url}: {:?}", servers.lines());
    }
    let plain = configuration(&json!({"issuer": "http://login.example", "keys": {"discover": true}}));
    let error = DiscoveredIssuers::new(&plain).expect_err("no TLS");
    assert_eq!(error.path, "pools[0].keys");
}
