//! nginx, Caddy, Traefik and Envoy (`ext_authz`) with `examples/poolgate.json`: the decisions of the library about the same file.

use super::{Reached, application};
use crate::{
    gateway_setup::serve,
    proxied::{Kind, forgeries, has_lookalike, has_other_host},
    requests::{Request, all},
};
use poolgate::{Decision, Gate, HeaderChange, gateway::Gateway};
use poolgate_tests::{
    edge_scene::{access, now, pool},
    envoy::Envoy,
    exact_client::Exchange,
    proxies::{Behind, Proxy},
};
use serde_json::{Value, json};
use std::{
    any::Any,
    mem,
    num::NonZeroUsize,
    sync::{Arc, Mutex},
};

const FILE: &str = include_str!("../../examples/poolgate.json");
const ENVOY: &str = include_str!("../../examples/envoy/ext_authz.yaml");
const COMPILED: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled");

/// A proxy in front of the gateway and an application of its own.
struct Door {
    kind: Kind,
    url: String,
    reached: Arc<Mutex<Vec<Reached>>>,
    _process: Box<dyn Any>,
}

impl Door {
    async fn open(kind: Kind, gateway: &str) -> Self {
        let reached = Arc::default();
        let application = application(Arc::clone(&reached)).await;
        let behind = Behind { gateway: gateway.trim_start_matches("http://").into(), application };
        let of = |proxy: Proxy| (proxy.endpoint.clone(), Box::new(proxy) as Box<dyn Any>);
        let (url, process) = match kind {
            Kind::Nginx => of(Proxy::nginx(&behind).await),
            Kind::Caddy => of(Proxy::caddy(&behind).await),
            Kind::Traefik => of(Proxy::traefik(&behind).await),
            Kind::Envoy => {
                let envoy = Envoy::start_with(|port| ext_authz(&behind, port)).await;
                (envoy.url("main").await, Box::new(envoy) as Box<dyn Any>)
            }
        };
        Self { kind, url, reached, _process: process }
    }

    /// Sends a request, and returns the status and what reached the application.
    async fn send(&self, request: &Request) -> (u16, Vec<Reached>) {
        let mut headers = vec![("host", request.host)];
        headers.extend(request.headers.iter().map(|(name, value)| (*name, value.as_str())));
        let exchange = Exchange::begin(&self.url, request.method, &request.target, &headers).await;
        let status = exchange.answer_to(request.method).await.status;
        (status, mem::take(&mut *self.reached.lock().expect("no panic")))
    }

    /// Sends all requests, and returns what differs from the decisions of the gate.
    async fn differences(&self, gate: &Gate, requests: &[Request]) -> Vec<String> {
        let mut differences = Vec::new();
        for request in requests {
            let expected = Expected::of(gate, self.kind, request).await;
            let (status, reached) = self.send(request).await;
            if status != expected.status {
                differences.push(format!("{:?}: {request:?}: {status}, not {}", self.kind, expected.status));
            }
            let fault = match (&expected.passed, &*reached) {
                (None, []) => None,
                (Some(passed), [reached]) => expected.fault(passed, reached, request),
                _ => Some(format!("{} requests reached the application", reached.len())),
            };
            differences.extend(fault.map(|fault| format!("{:?}: {request:?}: {fault}", self.kind)));
        }
        differences
    }
}

/// What must happen to a request.
struct Expected {
    status: u16,
    /// The request that the application receives, without the claims.
    passed: Option<Request>,
    claims: Vec<(String, String)>,
}

impl Expected {
    async fn of(gate: &Gate, kind: Kind, request: &Request) -> Self {
        let refused = |status| Self { status, passed: None, claims: Vec::new() };
        let Some(passed) = kind.pass(request) else { return refused(400) };
        if has_lookalike(&passed) {
            return refused(400);
        }
        match gate.decide(&passed.head()).await {
            Decision::Reject(rejection) => refused(rejection.status),
            Decision::Respond(response) => panic!("the file has no resource: {response:?}"),
            Decision::Admit(_) if has_other_host(&passed) => refused(400),
            Decision::Admit(admission) => {
                let set = |change: &HeaderChange| match change {
                    HeaderChange::Set(name, value) => Some((name.clone(), value.clone())),
                    HeaderChange::Remove(_) => None,
                };
                let claims = admission.changes.iter().filter_map(set).collect();
                Self { status: 200, passed: Some(passed), claims }
            }
        }
    }

    /// Returns what is wrong with the request that reached the application.
    fn fault(&self, passed: &Request, reached: &Reached, sent: &Request) -> Option<String> {
        let is_same = reached.method == passed.method && reached.target == passed.target;
        if !is_same || !reached.values("host").concat().eq_ignore_ascii_case(passed.host) {
            return Some(format!("not the request that was judged: {reached:?}"));
        }
        for name in CLAIM_HEADERS {
            let claim = self.claims.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
            if reached.values(name).concat() != claim.unwrap_or_default() {
                return Some(format!("{name} is {:?}, not {claim:?}", reached.values(name)));
            }
        }
        let is_kept = |name: &str| ["cookie", "origin", "access-control-request-method"].contains(&name);
        let mut removed = sent.headers.iter().filter(|(name, _)| !is_kept(name));
        let forged = removed.find(|(name, value)| reached.values(name).contains(&value.as_str()));
        forged.map(|(name, _)| format!("the client's {name} reached the application"))
    }
}

/// All of them, also those that the file does not use.
const CLAIM_HEADERS: [&str; 8] = [
    "x-poolgate-subject",
    "x-poolgate-username",
    "x-poolgate-client-id",
    "x-poolgate-token-use",
    "x-poolgate-issuer",
    "x-poolgate-groups",
    "x-poolgate-scopes",
    "x-poolgate-expires-at",
];

/// The example, with other addresses.
fn ext_authz(behind: &Behind, admin_port: u16) -> String {
    let port = |address: &str| address.rsplit_once(':').expect("a port").1.to_owned();
    let mut text = ENVOY.to_owned();
    for (from, to) in [
        ("port_value: 10000", "port_value: 0".to_owned()),
        ("port_value: 9901", format!("port_value: {admin_port}")),
        ("port_value: 8080", format!("port_value: {}", port(&behind.gateway))),
        ("port_value: 3000", format!("port_value: {}", port(&behind.application))),
        ("0.0.0.0", "127.0.0.1".to_owned()),
    ] {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, &to);
    }
    text
}

/// The file, with keys of the test.
fn file() -> Value {
    let mut file: Value = serde_json::from_str(FILE).expect("JSON");
    file["pools"][0]["keys"] = pool()["keys"].clone();
    file
}

async fn gate(file: &Value) -> Gate {
    let builder = Gate::builder(file.to_string()).instances(NonZeroUsize::MIN).disable_background_refresh();
    builder.compilation_cache(COMPILED).build().await.expect("examples/poolgate.json is valid")
}

/// The requests of `--test gate`, with the names of the file, and more headers with which a client could forge something.
fn requests() -> Vec<Request> {
    let mut requests = all(access, now());
    for request in &mut requests {
        request.target = request.target.replace("/any", "/account");
        for (name, value) in &mut request.headers {
            *name = match *name {
                "x-user" => "x-poolgate-username",
                "x_user" => "x_poolgate_username",
                other => other,
            };
            if *name == "connection" {
                *value = value.replace("x-user", "x-poolgate-username").replace("X_Groups", "X_Poolgate_Groups");
            }
        }
    }
    for (name, value) in forgeries() {
        for target in ["/public/x", "/account", "/admin"] {
            let token = format!("Bearer {}", access().compact());
            let headers = vec![("authorization", token), (name, value.to_owned())];
            requests.push(Request {
                name: name.to_owned(),
                method: "GET",
                target: target.to_owned(),
                host: "app.example.com",
                headers,
            });
        }
    }
    requests
}

#[tokio::test(flavor = "multi_thread")]
async fn one_file_has_the_decisions_of_the_library_behind_every_proxy() {
    let gate = gate(&file()).await;
    let verifier = gate.verifier().clone();
    let gateway = serve(Gateway::without_accounts(verifier).gate(gate.clone()).expect("one verifier")).await;
    let open = |kind| Door::open(kind, &gateway.public);
    let (nginx, caddy, traefik, envoy) =
        tokio::join!(open(Kind::Nginx), open(Kind::Caddy), open(Kind::Traefik), open(Kind::Envoy));
    let (doors, requests) = ([nginx, caddy, traefik, envoy], requests());
    let check = |number: usize| doors[number].differences(&gate, &requests);
    let (nginx, caddy, traefik, envoy) = tokio::join!(check(0), check(1), check(2), check(3));
    let differences = [nginx, caddy, traefik, envoy].concat();
    assert!(differences.is_empty(), "{} of 4 × {}:\n{}", differences.len(), requests.len(), differences.join("\n"));
    assert!(requests.len() > 300, "{}", requests.len());

    // Without the gateway, nothing passes: not even what needs no token.
    gateway.stop().await;
    for door in &doors {
        for request in requests.iter().filter(|request| ["/public", "/account", "/orders"].contains(&&*request.target))
        {
            let (status, reached) = door.send(request).await;
            assert!(status >= 400 && reached.is_empty(), "{:?}: {request:?}: {status}, {reached:?}", door.kind);
        }
    }
}

/// `auth_request` turns every status except 2xx, 401 and 403 into 500.
#[tokio::test(flavor = "multi_thread")]
async fn nginx_passes_on_the_redirect_to_a_login_page() {
    let mut file = file();
    let (url, origin) = ("https://login.example.com/start", "https://app.example.com");
    file["answers"] = json!({"login": {"url": url, "return_parameter": "to", "return_origin": origin}});
    let gate = gate(&file).await;
    let gateway = serve(Gateway::without_accounts(gate.verifier().clone()).gate(gate).expect("one verifier")).await;
    let door = Door::open(Kind::Nginx, &gateway.public).await;
    let browser = [("host", "app.example.com"), ("accept", "text/html")];
    let response = Exchange::begin(&door.url, "GET", "/account?a=b", &browser).await.answer().await;
    let location = "https://login.example.com/start?to=https%3A%2F%2Fapp.example.com%2Faccount%3Fa%3Db";
    assert_eq!((response.status, response.header("location")), (302, Some(location)), "{response:?}");
    assert_eq!((response.header("cache-control"), response.header("retry-after")), (Some("no-store"), None));
    // Not a browser.
    let response = Exchange::begin(&door.url, "GET", "/account", &browser[..1]).await.answer().await;
    assert_eq!((response.status, response.header("location")), (401, None), "{response:?}");
    gateway.stop().await;
}
