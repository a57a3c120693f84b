//! The whole corpus, sent as requests: the same verdicts as the core's.

use crate::scene::Scene;
use poolgate_tests::edge_scene::reason;
use poolgate_tests::exact_client::send;
use poolgate_tests::{
    edge_corpus::{expected, groups},
    envoy::cluster,
    faulty_server::{Behaviour, FaultyServer},
};

#[tokio::test(flavor = "multi_thread")]
async fn every_token_of_the_corpus_gets_the_verdict_of_the_core() {
    let server = FaultyServer::start(Behaviour::Status(404, String::new())).await;
    let groups = groups(&server, "https://keys");
    let configurations: Vec<_> = groups.iter().map(|group| group.configuration.clone()).collect();
    let scene = Scene::of(&configurations, &[cluster("keys", server.port())], 1, true).await;
    let (mut judged, mut unsent, mut wrong) = (0, Vec::new(), Vec::new());
    for (number, group) in groups.iter().enumerate() {
        let url = scene.envoy.url(&number.to_string()).await;
        for case in &group.cases {
            if !case.fits_a_header() {
                unsent.push(case.name);
                continue;
            }
            let expected = expected(case);
            let (bearer, now) = (format!("Bearer {}", case.token), case.now.to_string());
            let headers = [("authorization", bearer.as_str()), ("x-poolgate-test-now", now.as_str())];
            let response = send(&url, "GET", "/", &headers).await;
            let got = (response.status, reason(&response.body));
            judged += 1;
            if got != expected {
                wrong.push(format!("{}: {got:?}, and the core says {expected:?}", case.name));
            }
        }
    }
    println!(
        "{judged} tokens judged alike, in {} configurations; not to be sent in a header: {unsent:?}",
        groups.len()
    );
    assert!(wrong.is_empty(), "{} of {judged} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(unsent.len() * 20 < judged, "too many were left out: {unsent:?}");
}
