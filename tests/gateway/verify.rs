//! Authorization checks for reverse proxies: `/v1/verify` and `/v1/ext-authz`.

use super::{PASSWORD, Stage, problem, text};
use crate::{account_setup::account_builder, gateway_setup::serve};
use poolgate::gateway::{Gateway, RouteRules};
use poolgate_tests::{ministack::Ministack, server_process::free_port, test_pool::PoolOptions};
use reqwest::{Client, Method, header};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_valid_token_gets_200_with_every_header_and_everything_else_is_rejected_as_in_rfc_6750() {
    let stage = Stage::new(|gateway| gateway).await;
    stage.pool.sign_up_user_in_groups("anna", PASSWORD, &["admins", "a, b", " owners "]).await;
    let tokens = stage.sign_in("anna", PASSWORD).await;
    let access = text(&tokens, "access_token");
    let verify = |path: &str| stage.request(Method::GET, path);

    let response = verify("/v1/verify").bearer_auth(access).send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    let header = |name: &str| response.headers()[name].to_str().expect("ASCII").to_owned();
    assert_eq!(header("x-poolgate-username"), "anna");
    assert_eq!(header("x-poolgate-client-id"), stage.pool.client_id);
    assert_eq!(header("x-poolgate-token-use"), "access");
    assert_eq!(header("x-poolgate-issuer"), stage.pool.issuer);
    let groups = header("x-poolgate-groups");
    let mut groups: Vec<&str> = groups.split(',').collect();
    groups.sort_unstable();
    assert_eq!(groups, ["%20owners%20", "a%2C b", "admins"]);
    for name in ["x-poolgate-subject", "x-poolgate-scopes", "x-poolgate-expires-at"] {
        assert!(response.headers().contains_key(name), "{name}");
    }

    let anonymous = verify("/v1/verify").send().await.expect("an answer");
    assert_eq!(
        anonymous.headers()[header::WWW_AUTHENTICATE],
        "Bearer",
        "without a token, the challenge has no error code"
    );
    problem(anonymous, 401, "token-missing").await;
    let two = verify("/v1/verify").bearer_auth(access).bearer_auth(access).send().await.expect("an answer");
    problem(two, 401, "token-missing").await;
    let (head, signature) = access.rsplit_once('.').expect("three parts");
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    let tampered = format!("{head}.{flipped}{}", &signature[1..]);
    for bad in [tampered.as_str(), text(&tokens, "id_token"), "a.b.c"] {
        let answer = verify("/v1/verify").bearer_auth(bad).send().await.expect("an answer");
        assert_eq!(answer.headers()[header::WWW_AUTHENTICATE], "Bearer error=\"invalid_token\"");
        problem(answer, 401, "token-invalid").await;
    }
    for (query, status) in [("group=admins", 200), ("group=admins&group=x", 200), ("group=x", 403), ("scope=x", 403)] {
        let answer = verify(&format!("/v1/verify?{query}")).bearer_auth(access).send().await.expect("an answer");
        assert_eq!(answer.status(), status, "{query}");
        if status == 403 {
            let challenge = answer.headers()[header::WWW_AUTHENTICATE].to_str().expect("ASCII").to_owned();
            assert!(challenge.starts_with("Bearer error=\"insufficient_scope\""), "{challenge}");
            problem(answer, 403, "insufficient-scope").await;
        }
    }
    let misspelt = verify("/v1/verify?groups=admins").bearer_auth(access).send().await.expect("an answer");
    problem(misspelt, 400, "invalid-request").await;
    // An additional slash must not weaken the requirement.
    for path in ["/v1/verify/", "/v1/verify/?group=admins", "/v1/verify/orders", "/v1/verify//", "/v1//verify"] {
        let answer = verify(path).bearer_auth(access).send().await.expect("an answer");
        problem(answer, 404, "invalid-request").await;
    }
    // Envoy's ext_authz appends the path and the query of the request, and keeps the method.
    for method in [Method::POST, Method::DELETE, Method::OPTIONS] {
        for path in ["/v1/ext-authz/orders/7?group=x", "/v1/ext-authz/", "/v1/ext-authz//"] {
            let ask = || stage.request(method.clone(), path);
            assert_eq!(ask().bearer_auth(access).send().await.expect("an answer").status(), 200, "{method} {path}");
            problem(ask().send().await.expect("an answer"), 401, "token-missing").await;
        }
    }
    let none = stage.request(Method::POST, "/v1/ext-authz").bearer_auth(access).send().await.expect("an answer");
    problem(none, 404, "invalid-request").await;
    stage.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_connection_header_names_a_claim_header_is_rejected() {
    let stage = Stage::new(|gateway| gateway).await;
    stage.pool.sign_up_user_in_groups("anna", PASSWORD, &["admins"]).await;
    let tokens = stage.sign_in("anna", PASSWORD).await;
    for path in ["/v1/verify", "/v1/ext-authz/orders"] {
        for (connection, status) in [
            ("close", 200),
            ("keep-alive, x-other", 200),
            ("close, X-Poolgate-Groups", 400),
            ("x-poolgate-subject", 400),
            ("close,X_Poolgate_Username", 400),
        ] {
            let request = stage.request(Method::GET, path).bearer_auth(text(&tokens, "access_token"));
            let answer = request.header(header::CONNECTION, connection).send().await.expect("an answer");
            assert_eq!(answer.status(), status, "{path} {connection}");
        }
    }
    stage.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_a_header_that_resembles_a_claim_or_the_path_is_rejected() {
    let stage = Stage::new(|gateway| gateway).await;
    stage.pool.sign_up_user_in_groups("anna", PASSWORD, &["admins"]).await;
    let tokens = stage.sign_in("anna", PASSWORD).await;
    for path in ["/v1/verify", "/v1/ext-authz/orders"] {
        for (name, status) in [
            ("x-poolgate-groups", 200),
            ("x_request_id", 200),
            ("x-original-url", 400),
            ("x_poolgate_groups", 400),
            ("x.poolgate.groups", 400),
            ("x_original_url", 400),
            ("x-rewrite_url", 400),
            ("script_name", 400),
            ("path-info", 400),
        ] {
            let request = stage.request(Method::GET, path).bearer_auth(text(&tokens, "access_token"));
            let answer = request.header(name, "/public").send().await.expect("an answer");
            assert_eq!(answer.status(), status, "{path} {name}");
        }
    }
    stage.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_an_application_can_take_for_a_claim_or_for_another_path_is_rejected() {
    let rules = RouteRules::new().public("/public").expect("the rule is valid");
    let stage = Stage::new(|gateway| gateway.routes(rules)).await;
    for path in ["/v1/verify", "/v1/ext-authz/public/x"] {
        let request = || stage.request(Method::GET, path).header("X-Forwarded-Uri", "/public/x");
        for name in ["X-Original-URI", "X-Poolgate-Groups", "X-Poolgate-Other", "X-Forwarded-Prefix", "X_User"] {
            let answer = request().header(name, "/public").send().await.expect("an answer");
            assert_eq!(answer.status(), 200, "{path} {name}");
        }
        for name in [
            "SCRIPT_NAME",
            "Script-Name",
            "PATH_INFO",
            "REQUEST_URI",
            "X_Original_URI",
            "X-Original-URL",
            "X-Script-Name",
            "X.Rewrite.URL",
            "X_Forwarded_Uri",
            "X-Forwarded_Method",
            "X_Poolgate_Groups",
            "X.Poolgate.Username",
            "X_Poolgate_Other",
        ] {
            let answer = request().header(name, "/public").send().await.expect("an answer");
            let details = problem(answer, 400, "invalid-request").await;
            let detail =
                "the request has a header that an application can take for a claim, or for another path or host";
            assert_eq!(details["detail"], detail, "{path} {name}");
        }
    }
    stage.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_may_have_256_headers() {
    let stage = Stage::new(|gateway| gateway).await;
    for (headers, status) in [(200, 401), (300, 431)] {
        let mut request = stage.request(Method::GET, "/v1/verify");
        for number in 0..headers {
            request = request.header(format!("x-header-{number}"), "a");
        }
        assert_eq!(request.send().await.expect("an answer").status(), status, "{headers}");
    }
    stage.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_route_rules_the_original_request_determines_the_requirement() {
    let rules = RouteRules::new().any_of_groups("/admin", ["admins"]).and_then(|rules| rules.public("/public"));
    let rules = rules.and_then(|rules| rules.preflights("/api")).expect("the rules are valid");
    let stage = Stage::new(|gateway| gateway.routes(rules)).await;
    stage.pool.sign_up_user_in_groups("anna", PASSWORD, &["readers"]).await;
    stage.pool.sign_up_user_in_groups("berta", PASSWORD, &["admins"]).await;
    let (anna, berta) = (stage.sign_in("anna", PASSWORD).await, stage.sign_in("berta", PASSWORD).await);
    let (anna, berta) = (text(&anna, "access_token"), text(&berta, "access_token"));
    const URI: &str = "X-Original-URI";
    const FORWARDED: &str = "X-Forwarded-Uri";
    let options = ("X-Original-Method", "OPTIONS");
    let (origin, method) = (("Origin", "https://app.example.com"), ("Access-Control-Request-Method", "PUT"));
    for (query, headers, token, status) in [
        ("", &[(URI, "/orders")][..], anna, 200),
        ("", &[(URI, "/admin/users")], anna, 403),
        ("", &[(URI, "/admin/users")], berta, 200),
        ("", &[(URI, "/admin/users")], "", 401),
        ("", &[(FORWARDED, "/admin/users?x=/public")], anna, 403),
        ("", &[(URI, "/public/x")], "", 200),
        ("", &[(URI, "/public/x")], "not.a.token", 200),
        ("", &[(FORWARDED, "/public")], "", 200),
        ("", &[(URI, "/admin%2Fusers")], berta, 400),
        ("", &[(URI, "/caf\u{e9}")], anna, 200),
        // Two headers with the original path, of which the client may have forged one.
        ("", &[(URI, "/orders"), (FORWARDED, "/orders")], anna, 200),
        ("", &[(URI, "/admin"), (FORWARDED, "/public")], anna, 400),
        ("", &[(URI, "/public"), (FORWARDED, "/admin")], anna, 400),
        ("", &[(URI, "/public"), (URI, "/public")], anna, 400),
        ("", &[(URI, "")], anna, 400),
        // The proxy sends no original path.
        ("", &[], berta, 500),
        ("?group=admins", &[], berta, 500),
        ("", &[("X-Original-URL", "/public")], berta, 400),
        ("", &[("X_Original_URI", "/public")], berta, 400),
        // The requirement of the query applies in addition.
        ("?group=admins", &[(URI, "/orders")], anna, 403),
        ("?group=admins", &[(URI, "/public")], "", 401),
        ("?group=admins", &[(URI, "/public")], berta, 200),
        ("?group=readers", &[(URI, "/admin")], anna, 403),
        // Preflights.
        ("", &[(URI, "/api/x"), options, origin, method], "", 200),
        ("", &[(FORWARDED, "/api/x"), ("X-Forwarded-Method", "OPTIONS"), origin, method], "", 200),
        ("", &[(URI, "/orders"), options, origin, method], "", 401),
        ("", &[(URI, "/api/x"), origin, method], "", 401),
        ("", &[(URI, "/api/x"), options, origin], "", 401),
        ("", &[(URI, "/api/x"), options, ("X-Forwarded-Method", "GET"), origin, method], "", 401),
        ("", &[(URI, "/api/../admin"), options, origin, method], "", 400),
    ] {
        let mut request = stage.request(Method::GET, &format!("/v1/verify{query}"));
        for (name, value) in headers {
            request = request.header(*name, value.as_bytes());
        }
        let request = if token.is_empty() { request } else { request.bearer_auth(token) };
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), status, "{query} {headers:?}");
        if status == 200 {
            let known = answer.headers()["x-poolgate-username"].to_str().expect("ASCII").to_owned();
            let is_public = headers.iter().any(|(_, value)| value.starts_with("/public") || *value == "OPTIONS");
            let expected = if is_public && query.is_empty() {
                ""
            } else if token == anna {
                "anna"
            } else {
                "berta"
            };
            assert_eq!((known.as_str(), answer.headers().contains_key("x-poolgate-expires-at")), (expected, true));
        }
        if status == 500 {
            let details = problem(answer, 500, "misconfigured").await;
            assert_eq!(details["detail"], "the proxy did not send the path of the original request");
        }
    }
    // Envoy sends the original request itself, so headers of the client are ignored.
    for (method, target, token, status) in [
        (Method::GET, "/orders", anna, 200),
        (Method::POST, "/admin/users", anna, 403),
        (Method::DELETE, "/admin/users", berta, 200),
        (Method::GET, "/public/x", "", 200),
        (Method::GET, "//admin", anna, 400),
        (Method::GET, "/%61dmin", anna, 400),
        (Method::GET, "/public/../admin", anna, 400),
        (Method::OPTIONS, "/api/x", "", 200),
        (Method::OPTIONS, "/orders", "", 401),
        (Method::GET, "/api/x", "", 401),
    ] {
        let target = format!("/v1/ext-authz{target}");
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: app\r\nConnection: close\r\nX-Original-URI: /public\r\nX-Forwarded-Uri: /public\r\n\
             X-Original-Method: OPTIONS\r\nOrigin: https://app.example.com\r\nAccess-Control-Request-Method: PUT\r\n"
        );
        let authorization = if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
        let address = stage.gateway.public.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).await.expect("the gateway listens");
        stream.write_all(format!("{head}{authorization}\r\n").as_bytes()).await.expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("it answers");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{method} {target}: {answer}");
    }
    stage.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_keys_a_token_gets_503_with_retry_after() {
    let server = Ministack::start().await;
    let mut pool = server.create_pool(PoolOptions::default()).await;
    pool.sign_up_user_in_groups("anna", PASSWORD, &[]).await;
    let token = pool.sign_in("anna", PASSWORD).await.access_token;
    // There is no listener at this port.
    pool.jwks_url = format!("http://127.0.0.1:{}/jwks.json", free_port());
    let accounts = account_builder(server.endpoint(), &pool).await.build().await.expect("the accounts build");
    let gateway = serve(Gateway::new(accounts)).await;
    let http = Client::builder().no_proxy().build().expect("an HTTP client");
    let answer = http.get(format!("{}/v1/verify", gateway.public)).bearer_auth(token).send().await.expect("an answer");
    assert_eq!(answer.headers()[header::RETRY_AFTER], "1");
    problem(answer, 503, "unavailable").await;
    gateway.stop().await;
}
