//! The decisions of the service: those of the library, with the changes that Envoy makes.

use super::client::{CheckResponse, Service, joined, raw};
use crate::{
    requests::{Request, all},
    scene::{configuration, gate_now, verdict},
};
use poolgate::{Decision, HeaderChange};
use poolgate_tests::{
    edge_scene::{access, now, reason},
    minting::{CLIENT_ID, POOL_ID},
};
use serde_json::json;

fn get(target: &str, headers: Vec<(&'static str, String)>) -> Request {
    Request { name: String::new(), method: "GET", target: target.into(), host: "app.example.com", headers }
}

fn bearer() -> (&'static str, String) {
    ("authorization", format!("Bearer {}", access().compact()))
}

type Fields = Vec<(String, String)>;

fn fields(request: &Request) -> Fields {
    let own = request.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    [(":path".to_owned(), request.target.clone())].into_iter().chain(own).collect()
}

fn set(fields: &mut Fields, name: &str, value: &str) {
    fields.retain(|(own, _)| own != name);
    fields.push((name.to_owned(), value.to_owned()));
}

/// The request for the application, after the changes in their order.
fn as_the_library_says(request: &Request, changes: &[HeaderChange]) -> Fields {
    let mut fields = fields(request);
    for change in changes {
        match change {
            HeaderChange::Remove(name) => fields.retain(|(own, _)| own != name),
            HeaderChange::Set(name, value) => set(&mut fields, name, value),
        }
    }
    fields.sort();
    fields
}

/// The request for the application: Envoy sets headers, and then removes others.
fn as_envoy_does(request: &Request, response: &CheckResponse) -> Fields {
    let mut fields = fields(request);
    for option in &response.changes().headers {
        assert_eq!(option.append_action, 2, "OVERWRITE_IF_EXISTS_OR_ADD: {option:?}");
        let header = option.header.as_ref().expect("a header");
        set(&mut fields, &header.key, &header.value);
    }
    for name in &response.changes().headers_to_remove {
        assert!(!name.starts_with(':') && name != "host", "Envoy does not remove {name}");
        fields.retain(|(own, _)| own != name);
    }
    fields.sort();
    fields
}

#[tokio::test(flavor = "multi_thread")]
async fn the_decision_about_every_request_is_that_of_the_library() {
    let configuration = configuration();
    let (service, gate) = (Service::start(&configuration).await, gate_now(&configuration).await);
    let requests = all(access, now());
    for request in &requests {
        let expected = gate.decide(&request.head()).await;
        let response = service.check(raw(request)).await;
        match &expected {
            Decision::Admit(admission) => {
                let wanted = as_the_library_says(request, &admission.changes);
                assert_eq!(as_envoy_does(request, &response), wanted, "{request:?}");
            }
            Decision::Reject(rejection) => {
                let (status, body) = response.denied();
                assert_eq!((status, body), (rejection.status.into(), rejection.body.as_str()), "{request:?}");
                assert_eq!(response.metadata()["reason"], rejection.reason, "{request:?}");
                let challenge = rejection.headers.iter().find(|(name, _)| name == "www-authenticate");
                assert_eq!(response.denied_header("www-authenticate"), challenge.map(|(_, value)| value.as_str()));
            }
            Decision::Respond(_) => panic!("{request:?}: {}", verdict(&expected)),
        }
        let decision = response.metadata()["decision"].clone();
        let name = verdict(&expected);
        let name = name.split(' ').next().filter(|name| name.parse::<u16>().is_err()).unwrap_or("rejected");
        assert_eq!(decision, name, "{request:?}");
        // Envoy without `encode_raw_headers`: the same, if nothing had to be joined.
        let names: std::collections::HashSet<_> = request.headers.iter().map(|(name, _)| name).collect();
        if names.len() == request.headers.len() {
            assert_eq!(service.check(joined(request)).await, response, "{request:?}");
        }
    }
    assert!(requests.len() > 200, "only {} requests", requests.len());
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn joined_fields_admit_nothing_that_the_fields_themselves_would_not() {
    let service = Service::start(&configuration()).await;
    for headers in [vec![bearer(), bearer()], vec![("cookie", "a=b".to_owned()), ("cookie", "session=x".to_owned())]] {
        assert_eq!(service.check(joined(&get("/any", headers))).await.denied().0, 401);
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_are_in_headers_and_in_the_metadata() {
    let service = Service::start(&configuration()).await;
    let draft = access();
    let request =
        get("/any", vec![("authorization", format!("Bearer {}", draft.compact())), ("x-user", "root".into())]);
    let response = service.check(raw(&request)).await;
    let mut metadata = response.metadata();
    let expires_at = metadata["expires_at"].take().as_f64().expect("a number");
    // The token is made a moment before.
    assert!((0.0..=3_660.0).contains(&(expires_at - now() as f64)), "{expires_at}");
    let region = POOL_ID.split('_').next().expect("a region");
    assert_eq!(metadata["issuer"], format!("https://cognito-idp.{region}.amazonaws.com/{POOL_ID}"));
    assert_eq!(metadata["decision"], "verified");
    assert_eq!(metadata["client_id"], CLIENT_ID);
    assert_eq!(metadata["token_use"], "access");
    assert_eq!(metadata["username"], "ada");
    assert_eq!(metadata["groups"], json!(["readers", "writers"]));
    assert!(metadata["scopes"].is_array() && metadata["subject"].is_string(), "{metadata}");
    assert!(metadata.get("reason").is_none(), "{metadata}");
    let names: Vec<_> = response.changes().headers.iter().flat_map(|it| &it.header).map(|it| it.key.as_str()).collect();
    assert!(names.contains(&"x-user") && names.contains(&"x-groups"), "{names:?}");
    // Nothing of the token is in the metadata.
    assert!(!metadata.to_string().contains("eyJ"), "{metadata}");
    let reported = service.check(raw(&get("/reported/x", vec![bearer()]))).await;
    assert_eq!(reported.metadata(), json!({"decision": "reported", "reason": "group-missing"}));
    // A client's header is removed if no token replaces it, even if Envoy had not sent it.
    for headers in [vec![("x-user", "root".to_owned())], vec![]] {
        let public = service.check(raw(&get("/public", headers))).await;
        assert_eq!(public.metadata(), json!({"decision": "anonymous"}));
        let removed = &public.changes().headers_to_remove;
        assert!(["x-user", "x-groups"].iter().all(|name| removed.iter().any(|own| own == name)), "{removed:?}");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_the_application_must_not_receive_is_taken_out() {
    let mut configuration = configuration();
    configuration["tokens"] = json!({
        "from": [{"header": "authorization", "prefix": "Bearer "}, {"cookie": "session"}, {"query": "access"}], "forward": false,
    });
    let service = Service::start(&configuration).await;
    let token = access().compact();
    for (request, expected) in [
        (get("/any", vec![("authorization", format!("Bearer {token}"))]), vec![(":path", "/any")]),
        (get("/any", vec![("cookie", format!("a=1; session={token}"))]), vec![(":path", "/any"), ("cookie", "a=1")]),
        (get(&format!("/any?x=1&access={token}"), vec![]), vec![(":path", "/any?x=1")]),
    ] {
        let response = service.check(raw(&request)).await;
        let passed = as_envoy_does(&request, &response);
        let passed: Vec<_> = passed.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let passed: Vec<_> = passed.into_iter().filter(|(name, _)| !name.starts_with("x-")).collect();
        assert_eq!(passed, expected);
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metadata_of_the_resource_is_a_response_and_not_an_admission() {
    let mut configuration = configuration();
    configuration["resource"] = json!({"resource": "https://app.example.com/mcp"});
    let service = Service::start(&configuration).await;
    let response = service.check(raw(&get("/.well-known/oauth-protected-resource/mcp", vec![]))).await;
    let (status, body) = response.denied();
    let document: serde_json::Value = serde_json::from_str(body).expect("JSON");
    assert_eq!((status, &document["resource"]), (200, &json!("https://app.example.com/mcp")));
    assert_eq!(response.code(), 7);
    assert_eq!(response.denied_header("access-control-allow-origin"), Some("*"));
    assert_eq!(response.metadata(), json!({"decision": "responded"}));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_grpc_gets_a_status_and_a_message() {
    let mut configuration = configuration();
    configuration["answers"]["grpc"] = json!(true);
    let service = Service::start(&configuration).await;
    let headers = vec![("content-type", "application/grpc".to_owned())];
    let response = service.check(raw(&Request { method: "POST", ..get("/any", headers) })).await;
    assert_eq!(response.denied(), (401, "no-token"));
    assert_eq!((response.code(), response.denied_header("grpc-status")), (16, Some("16")));
    assert_eq!(response.denied_header("content-type"), None);
    // The body of another request is for people.
    let other = service.check(raw(&get("/any", vec![]))).await;
    assert_eq!((reason(other.denied().1).as_str(), other.denied_header("grpc-status")), ("no-token", None));
    service.stop().await;
}
