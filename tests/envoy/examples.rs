//! The published example and the configurations of the documentation run in Envoy, with changed addresses.

use crate::{scene::Files, upstream::Upstream};
use poolgate_tests::edge_scene::access;
use poolgate_tests::exact_client::get;
use poolgate_tests::{
    envoy::{Envoy, Setup, cluster, wasm_filter_of},
    faulty_server::{Behaviour, FaultyServer},
    keys::{RSA_2048, jwks},
    minting::{KEY_ID, SUBJECT},
};
use std::{fs, path::Path};

const COPY: &str = "value: |\n";
const INDENT: &str = "                            ";

#[tokio::test(flavor = "multi_thread")]
async fn the_example_protects_an_application() {
    let (server, upstream, files) = (
        FaultyServer::start(Behaviour::Serve(jwks(&[RSA_2048.jwk(KEY_ID)]))).await,
        Upstream::start().await,
        Files::new(),
    );
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/envoy/envoy.yaml");
    let mut text = fs::read_to_string(file).expect("the example");
    // Envoy can't read it from the file, so the example has a copy.
    let policy: String =
        include_str!("../../examples/poolgate.json").lines().map(|line| format!("{INDENT}{line}\n")).collect();
    assert!(
        text.contains(&format!("{COPY}{policy}")),
        "examples/envoy/envoy.yaml is not a copy of examples/poolgate.json"
    );
    // The keys come from a local server without TLS instead of Cognito.
    let tls = text.find("      transport_socket:").expect("TLS");
    text.truncate(tls);
    for (from, to) in [
        ("/etc/poolgate/poolgate.wasm", files.filter.display().to_string()),
        ("address: app, port_value: 80", format!("address: 127.0.0.1, port_value: {}", upstream.port)),
        (
            "address: cognito-idp.eu-west-1.amazonaws.com, port_value: 443",
            format!("address: 127.0.0.1, port_value: {}", server.port()),
        ),
        ("port_value: 10000", "port_value: 0".to_owned()),
        ("0.0.0.0", "127.0.0.1".to_owned()),
    ] {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, &to);
    }
    let envoy = Envoy::start_with(|port| text.replace("port_value: 9901", &format!("port_value: {port}"))).await;
    let url = envoy.url("main").await;
    let token = access().compact();
    assert_eq!(get(&url, "/public/x", None).await.status, 200);
    assert_eq!(get(&url, "/account/x", None).await.status, 401);
    assert_eq!(get(&url, "/account/x", Some(&token)).await.status, 200);
    assert_eq!(get(&url, "/admin", Some(&token)).await.status, 403);
    assert_eq!(get(&url, "/", Some(&token)).await.status, 403);
    let seen = upstream.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[1].header("x-poolgate-subject"), [SUBJECT]);
    assert!(seen[1].header("authorization").is_empty(), "{seen:?}");
    let metrics = envoy.admin("/stats/prometheus").await;
    for line in [
        "poolgate_requests{verdict=\"refused\",reason=\"no-rule\"} 1",
        "poolgate_key_fetches{outcome=\"taken\"} 1",
        "poolgate_keys{pool=\"main\"} 1",
    ] {
        let (name, rest) = line.split_once('{').expect("labels");
        let labels: Vec<&str> = rest.split_once('}').expect("labels").0.split(',').collect();
        let is_it =
            |own: &&str| own.starts_with(&format!("{name}{{")) && labels.iter().all(|label| own.contains(label));
        assert!(metrics.lines().any(|own| is_it(&own)), "{line} is not in\n{metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configurations_of_the_documentation_run() {
    let text = include_str!("../../docs/envoy.md");
    let modulus = RSA_2048.jwk(KEY_ID)["n"].as_str().expect("a modulus").to_owned();
    let blocks = text.split("```json\n").skip(1).filter_map(|rest| Some(rest.split_once("```")?.0));
    let files = Files::new();
    let listeners: Vec<_> = blocks
        .enumerate()
        .map(|(number, block)| {
            (number.to_string(), vec![wasm_filter_of(&files.filter, &block.replace("MODULUS", &modulus))])
        })
        .collect();
    assert_eq!(listeners.len(), 4);
    let clusters = ["app", "example_jwks_cluster", "first", "second", "cognito"].map(|name| cluster(name, 1)).to_vec();
    let setup = Setup { listeners, clusters, concurrency: 1, is_dynamic: false, answers_itself: true };
    let envoy = Envoy::start(&setup).await;
    for (number, target, status) in [
        (0, "/health", 200),
        (0, "/x", 401),
        (1, "/x", 401),
        (2, "/open", 200),
        (2, "/any", 401),
        (2, "/other", 403),
        (3, "/catalogue/1", 200),
        (3, "/new", 200),
        (3, "/x", 403),
    ] {
        let url = envoy.url(&number.to_string()).await;
        assert_eq!(get(&url, target, None).await.status, status, "{number} {target}");
    }
}
