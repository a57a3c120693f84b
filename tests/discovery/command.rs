//! `poolgate issuer show` and `poolgate verify --discover`.

use super::{
    Algorithm, Behaviour, DOCUMENT, Draft, KEYS, OTHER_RSA_2048, RSA_2048, Run, Value, document, document_with,
    good_keys, issuer, json, jwks, refusals,
};
use poolgate_tests::keys::P256;
use poolgate_tests::server_process::free_port;

async fn show(issuer: &str, more: &[&str]) -> Run {
    // Even a busy machine does not reach this timeout.
    let patient = ["issuer", "show", issuer, "--allow-http-loopback", "--json", "--timeout", "60"];
    Run::of(&[&patient, more].concat()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_breaks_a_rule_is_refused_and_no_key_is_fetched() {
    let server = issuer().await;
    for (what, behaviour, code, error) in refusals(&server) {
        server.path_does(DOCUMENT, behaviour);
        let run = show(&server.url(""), &[]).await;
        let shown = run.json();
        assert_eq!((run.code, shown["error"].as_str()), (code, Some(error)), "{what}: {shown}");
        assert!(shown.get("pool").is_none(), "{what}: {shown}");
        assert!(!run.stdout.contains("secret"), "{what}: {shown}");
    }
    assert_eq!(server.fetches_of("/elsewhere"), 0, "a redirect was followed");
    assert_eq!(server.fetches_of(KEYS), 0, "keys of a refused document were fetched");
    // A server that does not respond costs the time-out of the option.
    server.path_does(DOCUMENT, Behaviour::Stall);
    let run = ["issuer", "show", &server.url(""), "--allow-http-loopback", "--json", "--timeout", "1"];
    let run = Run::of(&run).await;
    assert_eq!((run.code, run.json()["error"].as_str()), (3, Some("timed-out")));
    let run = show(&format!("http://localhost:{}", free_port()), &[]).await;
    assert_eq!((run.code, run.json()["error"].as_str()), (3, Some("unreachable")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_document_and_any_content_type_are_accepted() {
    let server = issuer().await;
    let good = document(&server).to_string();
    let padded = format!("{good}{}", " ".repeat(64 * 1024 - good.len()));
    for behaviour in [Behaviour::Serve(padded), Behaviour::Typed("text/plain", good)] {
        server.path_does(DOCUMENT, behaviour);
        assert_eq!(show(&server.url(""), &[]).await.code, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slash_too_many_or_too_few_is_found_and_both_issuers_are_printed() {
    let server = issuer().await;
    let (without, with) = (server.url(""), server.url("/"));
    for (given, served) in [(&with, &without), (&without, &with)] {
        server.path_does(DOCUMENT, Behaviour::Serve(document_with(&server, &[("issuer", served.as_str().into())])));
        let run = show(given, &[]).await;
        let shown = run.json();
        assert_eq!((run.code, &shown["error"]), (1, &"issuer-mismatch".into()));
        assert_eq!((&shown["issuer"], &shown["found"]), (&given.as_str().into(), &served.as_str().into()));
        assert!(shown["hint"].as_str().is_some_and(|hint| hint.contains("a / at the end")), "{shown}");
        let text = Run::of(&["issuer", "show", given, "--allow-http-loopback"]).await;
        assert_eq!(text.code, 1);
        for expected in [&format!("{given:?}"), &format!("{served:?}"), "a / at the end"] {
            assert!(text.stdout.contains(expected), "{expected}: {}", text.stdout);
        }
        let run = show(served, &[]).await;
        assert_eq!((run.code, &run.json()["issuer"]), (0, &served.as_str().into()));
        let has_warning = codes(&run.json()).contains(&"slash".to_owned());
        assert_eq!(has_warning, served.ends_with('/'));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_on_another_host_need_its_name() {
    let server = issuer().await;
    let keys = server.url(KEYS).replace("localhost", "127.0.0.1");
    server.path_does(DOCUMENT, Behaviour::Serve(document_with(&server, &[("jwks_uri", keys.as_str().into())])));
    let refused = show(&server.url(""), &["--jwks-host", "keys.example"]).await;
    assert_eq!((refused.code, &refused.json()["error"]), (1, &"jwks-uri-host".into()));
    assert_eq!(refused.json()["found"], "127.0.0.1");
    assert!(refused.json()["hint"].as_str().is_some_and(|hint| hint.contains("--jwks-host")));
    let named = show(&server.url(""), &["--jwks-host", "127.0.0.1"]).await;
    assert_eq!((named.code, &named.json()["jwks_uri"]), (0, &keys.as_str().into()));
    assert!(codes(&named.json()).contains(&"other-host".to_owned()));
    for host in ["http://127.0.0.1", "127.0.0.1:80", "a/b", ""] {
        let run = show(&server.url(""), &["--jwks-host", host]).await;
        assert_eq!(run.code, 2, "{host}: {}", run.stdout);
    }
}

fn codes(shown: &Value) -> Vec<String> {
    let warnings = shown["warnings"].as_array().expect("warnings");
    warnings.iter().map(|warning| warning["code"].as_str().expect("a code").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn algorithms_and_keys_are_reported() {
    let server = issuer().await;
    let serve = |algorithms: Value, keys: String| {
        let document = document_with(&server, &[("id_token_signing_alg_values_supported", algorithms)]);
        server.path_does(DOCUMENT, Behaviour::Serve(document));
        server.path_does(KEYS, Behaviour::Serve(keys));
    };
    let symmetric = json!({"kty": "oct", "kid": "secret", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T"});
    let mut private = RSA_2048.jwk_for(Algorithm::Rs256, "private");
    private["d"] = "AQAB".into();
    let both = jwks(&[
        RSA_2048.jwk_for(Algorithm::Rs256, "one"),
        symmetric.clone(),
        P256.jwk_for(Algorithm::Es256, "two"),
        private,
    ]);
    serve(json!(["HS256", "RS256", "ES256", "none"]), both);
    let run = show(&server.url(""), &[]).await;
    let shown = run.json();
    assert_eq!(run.code, 0, "{shown}");
    assert_eq!((&shown["keys"]["usable"], &shown["keys"]["kids"]), (&2.into(), &json!(["one", "two"])));
    let skipped: Vec<_> =
        shown["keys"]["skipped"].as_array().expect("keys").iter().map(|it| (&it["kid"], &it["error"])).collect();
    assert_eq!(
        skipped,
        [(&json!("secret"), &json!("symmetric")), (&json!("private"), &json!("private-member"))],
        "{shown}"
    );
    assert_eq!(codes(&shown), ["skipped-keys"]);
    assert_eq!(shown["algorithms"], json!(["HS256", "RS256", "ES256", "none"]));
    assert_eq!(shown["pool"]["algorithms"], json!(["RS256", "ES256"]));
    let text = Run::of(&["issuer", "show", &server.url(""), "--allow-http-loopback"]).await;
    for part in
        ["2 usable", "key 1 (secret): symmetric", "key 3 (private): private-member in d", "--alg RS256", "warning:"]
    {
        assert!(text.stdout.contains(part), "{part}: {}", text.stdout);
    }
    assert!(!run.stdout.contains("AyM1") && !text.stdout.contains("AyM1"), "a secret key was printed");

    for (algorithms, keys, code, expected) in [
        (json!(["HS256"]), good_keys(), 0, "no-supported-algorithm"),
        (json!(["none"]), good_keys(), 0, "no-supported-algorithm"),
        (json!([]), good_keys(), 0, "no-algorithms"),
        (json!("RS256"), good_keys(), 0, "no-algorithms"),
        (json!(["RS256"]), jwks(&[symmetric]), 3, "keys"),
        (json!(["RS256"]), "{\"keys\":[]}".into(), 3, "keys"),
        (json!(["RS256"]), "{}".into(), 3, "keys"),
        (json!(["RS256"]), format!("{{\"keys\":[],{}", &good_keys()[1..]), 3, "keys"),
    ] {
        serve(algorithms.clone(), keys.clone());
        let run = show(&server.url(""), &[]).await;
        assert_eq!(run.code, code, "{algorithms} {keys}: {}", run.stdout);
        assert!(codes(&run.json()).contains(&expected.to_owned()), "{algorithms} {keys}: {}", run.stdout);
        assert_ne!(run.json()["pool"]["algorithms"], json!(["HS256"]));
    }
    for behaviour in [Behaviour::Status(404, good_keys()), Behaviour::Redirect(server.url("/elsewhere"), good_keys())] {
        server.path_does(KEYS, behaviour);
        let run = show(&server.url(""), &[]).await;
        assert_eq!((run.code, run.json()["keys"]["error"].as_str()), (3, Some("bad-status")));
    }
    assert_eq!(server.fetches_of("/elsewhere"), 0, "a redirect was followed");
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_errors_have_exit_code_2_and_a_hint() {
    let server = issuer().await;
    let url = server.url("");
    for (arguments, hint) in [
        (&["http://issuer.example"][..], "https"),
        (&[&url], "--allow-http-loopback"),
        (&["issuer.example"], "malformed"),
        (&["https://issuer.example/?x=y"], "query"),
        (&["https://user:word@issuer.example"], "credentials"),
        (&[&server.url(DOCUMENT), "--allow-http-loopback"], "give the issuer"),
        (&[], "required"),
    ] {
        let run = Run::of(&[&["issuer", "show"], arguments].concat()).await;
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stdout);
        assert!(run.stderr.contains(hint), "{arguments:?}: {}", run.stderr);
    }
    assert_eq!(server.fetches(), 0);
    let help = Run::of(&["issuer", "show", "--help"]).await;
    assert!(help.code == 0 && help.stdout.contains("poolgate issuer show https://"), "{}", help.stdout);
    assert!(Run::of(&["issuer", "--help"]).await.stdout.contains("show"));
    assert_eq!(Run::of(&["issuer"]).await.code, 2);
}

/// The printed configuration and the printed options are used as they are.
#[tokio::test(flavor = "multi_thread")]
async fn the_printed_pool_and_options_verify_a_token() {
    let server = issuer().await;
    let url = server.url("");
    let shown = show(&url, &[]).await.json();
    let replaced = |text: &str| text.replace("CLIENT_ID", "web").replace("API_IDENTIFIER", "https://api.example");
    let configuration = json!({"pools": [shown["pool"]], "routes": [{"prefix": "/", "authenticated": true}]});
    let text = replaced(&configuration.to_string());
    let config = poolgate_edge::config::read(text.as_bytes()).unwrap_or_else(|fault| panic!("{fault}: {text}"));
    poolgate_edge::RequestAuthorizer::new(&config, 0, 0).unwrap_or_else(|fault| panic!("{fault}: {text}"));

    let options = shown["verify_options"].as_array().expect("options");
    let options: String = options.iter().map(|option| replaced(option.as_str().expect("a text")) + " ").collect();
    let options: Vec<&str> = options.split_whitespace().collect();
    let mine = |key| {
        let draft = Draft::of_issuer(key, &url).claim("aud", "\"https://api.example\"").claim("client_id", "\"web\"");
        draft.claim("exp", 4_000_000_000_u64).header("kid", format!("\"{}\"", super::KEY_ID)).compact()
    };
    for (token, code) in [(mine(&RSA_2048), 0), (mine(&OTHER_RSA_2048), 1)] {
        let run = Run::with_input(&[&["verify"], &options[..], &["--json", "-"]].concat(), &token).await;
        assert_eq!(run.code, code, "{options:?}: {}{}", run.stdout, run.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_discovers_keys_and_says_why_it_can_not() {
    let server = issuer().await;
    let url = server.url("");
    let token = Draft::of_issuer(&RSA_2048, &url).claim("aud", "\"web\"").claim("exp", 4_000_000_000_u64).compact();
    let verify = async |more: &[&str]| {
        let common =
            ["verify", "--issuer", &url, "--allow-http-loopback", "--token-use", "unchecked", "--client-id", "web"];
        Run::with_input(&[&common, more, &["--timeout", "60", "--json", "-"]].concat(), &token).await
    };
    let run = verify(&["--discover"]).await;
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{}", run.stdout);

    // The keys are on another host, and the document is elsewhere.
    let keys = server.url(KEYS).replace("localhost", "127.0.0.1");
    server.path_does("/document", Behaviour::Serve(document_with(&server, &[("jwks_uri", keys.into())])));
    let document_url = server.url("/document");
    let run = verify(&["--discovery-url", &document_url]).await;
    assert_eq!((run.code, &run.json()["reason"]), (3, &"keys-unavailable".into()));
    assert!(run.stderr.contains("jwks-uri-host") && run.stderr.contains("hint:"), "{}", run.stderr);
    let run = verify(&["--discovery-url", &document_url, "--jwks-host", "127.0.0.1"]).await;
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);

    server.path_does(DOCUMENT, Behaviour::Serve(document_with(&server, &[("issuer", "https://evil.example".into())])));
    let run = verify(&["--discover"]).await;
    assert_eq!((run.code, &run.json()["reason"]), (3, &"keys-unavailable".into()));
    for expected in ["issuer-mismatch", &url, "https://evil.example", "hint:"] {
        assert!(run.stderr.contains(expected), "{expected}: {}", run.stderr);
    }
    assert!(!run.stderr.contains(&token) && !run.stdout.contains("evil"), "{}{}", run.stdout, run.stderr);

    let fetches = server.fetches();
    for (more, hint) in [
        (&["--discover", "--jwks", "jwks.json"][..], "cannot be used with"),
        (&["--discover", "--discovery-url", &document_url], "cannot be used with"),
        (&["--jwks-host", "127.0.0.1"], "discovery is not used"),
        (&["--discover", "--jwks-host", "https://127.0.0.1"], "is not a host"),
    ] {
        let run = verify(more).await;
        assert_eq!(run.code, 2, "{more:?}: {}", run.stdout);
        assert!(run.stderr.contains(hint), "{more:?}: {}", run.stderr);
    }
    assert_eq!(server.fetches(), fetches);
}
