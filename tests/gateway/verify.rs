//! `/v1/verify`: what a proxy asks before it lets a request through.

use super::{PASSWORD, Stage, problem, text};
use crate::{account_setup::account_builder, gateway_setup::serve};
use poolgate::gateway::Gateway;
use poolgate_tests::{ministack::Ministack, server_process::free_port, test_pool::PoolOptions};
use reqwest::{Client, Method, header};

#[tokio::test(flavor = "multi_thread")]
async fn a_good_token_is_200_with_every_header_and_all_else_is_refused_as_rfc_6750_says() {
    let stage = Stage::new(|gateway| gateway).await;
    stage.pool.sign_up_user_in_groups("anna", PASSWORD, &["admins", "a, b"]).await;
    let tokens = stage.sign_in("anna", PASSWORD).await;
    let access = text(&tokens, "access_token");
    let verify = |path: &str| stage.request(Method::GET, path);

    let good = verify("/v1/verify").bearer_auth(access).send().await.expect("an answer");
    assert_eq!(good.status(), 200);
    let header = |name: &str| good.headers()[name].to_str().expect("ASCII").to_owned();
    assert_eq!(header("x-poolgate-username"), "anna");
    assert_eq!(header("x-poolgate-client-id"), stage.pool.client_id);
    assert_eq!(header("x-poolgate-token-use"), "access");
    assert_eq!(header("x-poolgate-issuer"), stage.pool.issuer);
    let groups = header("x-poolgate-groups");
    let mut groups: Vec<&str> = groups.split(',').collect();
    groups.sort_unstable();
    assert_eq!(groups, ["a%2C b", "admins"]);
    for name in ["x-poolgate-subject", "x-poolgate-scopes", "x-poolgate-expires-at"] {
        assert!(good.headers().contains_key(name), "{name}");
    }

    let anonymous = verify("/v1/verify").send().await.expect("an answer");
    assert_eq!(anonymous.headers()[header::WWW_AUTHENTICATE], "Bearer", "nothing is said about a token");
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
    // Envoy's ext_authz puts the method and the path of the request there.
    for method in [Method::POST, Method::DELETE] {
        let answer = stage.request(method, "/v1/verify/orders/7?group=x").bearer_auth(access).send().await;
        assert_eq!(answer.expect("an answer").status(), 200);
    }
    stage.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_keys_a_token_is_503_and_its_caller_is_told_when_to_come_back() {
    let server = Ministack::start().await;
    let mut pool = server.create_pool(PoolOptions::default()).await;
    pool.sign_up_user_in_groups("anna", PASSWORD, &[]).await;
    let token = pool.sign_in("anna", PASSWORD).await.access_token;
    // Where nobody listens.
    pool.jwks_url = format!("http://127.0.0.1:{}/jwks.json", free_port());
    let accounts = account_builder(server.endpoint(), &pool).await.build().await.expect("the accounts build");
    let gateway = serve(Gateway::new(accounts)).await;
    let http = Client::builder().no_proxy().build().expect("an HTTP client");
    let answer = http.get(format!("{}/v1/verify", gateway.public)).bearer_auth(token).send().await.expect("an answer");
    assert_eq!(answer.headers()[header::RETRY_AFTER], "1");
    problem(answer, 503, "unavailable").await;
    gateway.stop().await;
}
