//! Every integration gives the same verdicts and reason codes as the core, for the corpus and for the samples of the recipes.
//! This test also writes `docs/hosts.md`.

use poolgate_tests::seen::{Host, Seen, differences};
use std::{env, fs, path::Path, time::Instant};

mod example_services;

// The servers of `--test envoy` and `--test middleware`.
#[path = "middleware/composing.rs"]
mod composing;
#[path = "envoy/corpus.rs"]
mod envoy;
#[path = "middleware/corpus.rs"]
mod middleware;
#[path = "envoy/scene.rs"]
#[expect(dead_code, reason = "--test envoy uses the rest")]
mod scene;
#[path = "middleware/serving.rs"]
#[expect(dead_code, reason = "--test middleware uses the rest")]
mod serving;
#[path = "envoy/upstream.rs"]
#[expect(dead_code, reason = "--test envoy uses the rest")]
mod upstream;

mod hosts {
    pub mod axum;
    pub mod browser;
    pub mod cases;
    pub mod command;
    pub mod example;
    pub mod node;
    pub mod proxies;
    pub mod python;
    pub mod table;
    pub mod tokens;
    pub mod tonic;
    pub mod verifiers;
}

use hosts::{
    axum, browser, node, proxies, python, table,
    tokens::{samples, tokens},
    tonic,
};

/// The columns of the table.
const HOSTS: &[Host] = &[
    Host { name: "Node.js", verdicts: || Box::pin(node::verdicts()) },
    Host { name: "Chromium", verdicts: || Box::pin(browser::verdicts()) },
    Host { name: "Python", verdicts: || Box::pin(python::verdicts()) },
    Host { name: "axum", verdicts: || Box::pin(axum::verdicts()) },
    Host { name: "tonic", verdicts: || Box::pin(tonic::verdicts()) },
    Host { name: "nginx", verdicts: || Box::pin(proxies::nginx()) },
    Host { name: "Caddy", verdicts: || Box::pin(proxies::caddy()) },
    Host { name: "Traefik", verdicts: || Box::pin(proxies::traefik()) },
    Host { name: "Envoy", verdicts: || Box::pin(envoy::verdicts(tokens())) },
    Host { name: "wasi:http", verdicts: || Box::pin(middleware::verdicts(tokens())) },
];

#[tokio::test(flavor = "multi_thread")]
async fn every_integration_gives_the_verdicts_of_the_core_and_the_table_is_current() {
    let mut columns: Vec<(&str, Vec<Seen>)> = Vec::new();
    for host in HOSTS {
        let start = Instant::now();
        columns.push((host.name, (host.verdicts)().await));
        println!("{}: {:.1?}", host.name, start.elapsed());
    }
    let wrong: Vec<String> = columns.iter().flat_map(|(name, seen)| differences(name, tokens(), seen)).collect();
    assert!(wrong.is_empty(), "{} verdicts differ:\n{}", wrong.len(), wrong.join("\n"));
    let unsent: Vec<String> = columns.iter().flat_map(|(name, seen)| unsent_samples(name, seen)).collect();
    assert!(unsent.is_empty(), "{} samples of recipes were not sent:\n{}", unsent.len(), unsent.join("\n"));
    let page = table::page(&columns);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/hosts.md");
    if env::var_os("POOLGATE_WRITE_HOSTS").is_some() {
        fs::write(&file, &page).expect("docs/hosts.md can be written");
    }
    let checked_in = fs::read_to_string(&file).unwrap_or_default();
    assert!(checked_in == page, "docs/hosts.md is out of date: POOLGATE_WRITE_HOSTS=1 cargo test --test hosts");
}

/// Returns a line for each sample of a recipe that was not sent. Every integration must have a verdict for each.
fn unsent_samples(name: &str, seen: &[Seen]) -> Vec<String> {
    let indices = samples().into_iter().flat_map(|it| it.indices);
    let unsent = indices.filter(|index| seen[*index] == Seen::Unsendable);
    unsent.map(|index| format!("{name}: {}", tokens()[index].name)).collect()
}
