//! What the application receives: the verified claims, never a forged one, and the body unchanged.

use crate::scene::{got, served};
use poolgate_tests::{
    edge_scene::{access, guarded, pool},
    exact_client::{get, send},
    minting::SUBJECT,
};
use serde_json::json;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

#[tokio::test(flavor = "multi_thread")]
async fn claims_are_forwarded_as_headers_that_a_client_cannot_forge() {
    let mut configuration = guarded(pool());
    configuration["claims_to_headers"] = json!([
        {"claim": "sub", "header": "x-user"},
        {"claim": "cognito:groups", "header": "x-groups"},
    ]);
    configuration["routes"] = json!([
        {"prefix": "/open", "public": true},
        {"prefix": "/", "authenticated": true},
    ]);
    let serving = served(&configuration).await;
    let bearer = format!("Bearer {}", access().claim("cognito:groups", "[\"a\", \"b,c\"]").compact());
    let spoofed = [("X-User", "root"), ("x-user", "admin"), ("X-Groups", "admin"), ("X-Other", "stays")];
    let headers = [&[("Authorization", bearer.as_str())], spoofed.as_slice()].concat();
    let response = send(&serving.url, "GET", "/a?b=c", &headers).await;
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(got(&response, "x-user"), [SUBJECT]);
    assert_eq!(got(&response, "x-groups"), ["a,b%2Cc"]);
    assert_eq!(got(&response, "x-other"), ["stays"]);
    assert_eq!(got(&response, "authorization"), std::slice::from_ref(&bearer));
    assert_eq!(response.header("echo-method"), Some("Method::Get"));
    assert_eq!(response.header("echo-path"), Some("/a?b=c"));
    let open = send(&serving.url, "GET", "/open", &spoofed).await;
    assert_eq!((open.status, got(&open, "x-user").len(), got(&open, "x-groups").len()), (200, 0, 0));
    // CGI, WSGI and PHP convert these headers and the claim headers to the same variables.
    for target in ["/open", "/a"] {
        let alike = [("x_user", "root"), ("X_Groups", "admin"), ("x.user", "root"), ("Authorization", bearer.as_str())];
        // An application may read another path from these headers.
        let paths = ["SCRIPT_NAME", "X-Original-URL", "x_rewrite.url"].map(|name| (name, "/open"));
        let response = send(&serving.url, "GET", target, &[alike.as_slice(), &paths].concat()).await;
        assert_eq!(response.status, 200, "{target}");
        let names = ["x_user", "x_groups", "x.user", "script_name", "x-original-url", "x_rewrite.url"];
        assert!(names.iter().all(|name| got(&response, name).is_empty()), "{target}: {response:?}");
    }
    // The next hop would remove the headers that `Connection` lists. If the host already removed them, there is nothing to reject.
    let connection = [("Connection", "X-Groups, x-user"), ("x-user", "root"), ("Authorization", bearer.as_str())];
    let response = send(&serving.url, "GET", "/a", &connection).await;
    let users = got(&response, "x-user");
    assert!(response.status == 400 || (response.status == 200 && users == [SUBJECT]), "{response:?}");
    assert!(!got(&response, "connection").concat().to_lowercase().contains("user"), "{response:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_removed_from_every_location_if_it_must_not_be_forwarded() {
    let mut configuration = guarded(pool());
    configuration["tokens"] = json!({
        "from": [{"header": "authorization", "prefix": "Bearer "}, {"cookie": "t"}, {"query": "access"}], "forward": false,
    });
    let serving = served(&configuration).await;
    let token = access().compact();
    let bearer = get(&serving.url, "/x?y=1", Some(&token)).await;
    assert_eq!((bearer.status, got(&bearer, "authorization").len()), (200, 0), "{bearer:?}");
    let cookie = format!("a=1; t={token}");
    let cookie = send(&serving.url, "GET", "/x", &[("Cookie", &cookie)]).await;
    assert_eq!((cookie.status, got(&cookie, "cookie")), (200, vec!["a=1".to_owned()]));
    let quoted = format!("t=\"{token}\"; %74=x");
    let fields = send(&serving.url, "GET", "/x", &[("Cookie", "a=1"), ("Cookie", &quoted)]).await;
    assert_eq!((fields.status, got(&fields, "cookie")), (200, vec!["a=1".to_owned()]), "{fields:?}");
    let alias = format!("%74={token}");
    assert_eq!(send(&serving.url, "GET", "/x", &[("Cookie", &alias)]).await.status, 401);
    let query = send(&serving.url, "GET", &format!("/x?access={token}&y=1"), &[]).await;
    assert_eq!((query.status, query.header("echo-path")), (200, Some("/x?y=1")));

    configuration["routes"] = json!([{"prefix": "/", "public": true}]);
    let public = served(&configuration).await;
    let session = format!("t={token}");
    let cookies = send(&public.url, "GET", "/x", &[("Cookie", "a=1"), ("Cookie", &session)]).await;
    assert_eq!((cookies.status, got(&cookies, "cookie")), (200, vec!["a=1".to_owned()]), "{cookies:?}");
    let basic = send(&public.url, "GET", "/x", &[("Authorization", "Basic YTpi"), ("Cookie", "a=1")]).await;
    assert_eq!((basic.status, got(&basic, "authorization")), (200, vec!["Basic YTpi".to_owned()]), "{basic:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_streamed_in_both_directions() {
    let mut configuration = guarded(pool());
    configuration["claims_to_headers"] = json!([{"claim": "sub", "header": "x-user"}]);
    let serving = served(&configuration).await;
    let mut stream = TcpStream::connect(serving.url.strip_prefix("http://").expect("plain")).await.expect("it listens");
    let head = format!(
        "POST /x HTTP/1.1\r\nHost: app\r\nAuthorization: Bearer {}\r\nTransfer-Encoding: chunked\r\n\r\n",
        access().compact()
    );
    stream.write_all(head.as_bytes()).await.expect("it reads");
    let mut seen = Vec::new();
    // Each piece is returned before the next is sent.
    for number in 0..5 {
        let piece = format!("piece {number};");
        let chunk = format!("{:x}\r\n{piece}\r\n", piece.len());
        stream.write_all(chunk.as_bytes()).await.expect("it reads");
        let echoed = async {
            while !String::from_utf8_lossy(&seen).contains(&piece) {
                assert!(stream.read_buf(&mut seen).await.expect("it responds") > 0, "the connection was closed");
            }
        };
        timeout(Duration::from_secs(20), echoed).await.expect("the piece is returned at once");
    }
    stream.write_all(b"0\r\n\r\n").await.expect("it reads");
    let end = async {
        while !seen.ends_with(b"0\r\n\r\n") {
            assert!(stream.read_buf(&mut seen).await.expect("it responds") > 0, "the connection was closed");
        }
    };
    timeout(Duration::from_secs(20), end).await.expect("the body ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_arrives_completely() {
    let serving = served(&guarded(pool())).await;
    let body: Vec<u8> = (0..3_000_000u32).map(|at| (at % 251) as u8).collect();
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let request = client.post(format!("{}/x", serving.url)).bearer_auth(access().compact()).body(body.clone());
    let response = request.send().await.expect("a response");
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.expect("a body") == body, "the body was changed");
}
