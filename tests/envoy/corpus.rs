//! Sends tokens to the filter in Envoy and records the verdicts.

use crate::scene::Scene;
use poolgate_tests::{
    edge_corpus::{Answers, groups},
    envoy::cluster,
    exact_client::send,
    faulty_server::{Behaviour, FaultyServer},
    seen::{Seen, Tokens},
};

pub async fn verdicts(tokens: Tokens) -> Vec<Seen> {
    let server = FaultyServer::start(Behaviour::Status(404, String::new())).await;
    let groups = groups(tokens, &server, "https://keys");
    let configurations: Vec<_> = groups.iter().map(|group| group.configuration.clone()).collect();
    let scene = Scene::of(&configurations, &[cluster("keys", server.port())], 1, true).await;
    let mut answers = Answers::none(tokens);
    for (number, group) in groups.iter().enumerate() {
        let url = scene.envoy.url(&number.to_string()).await;
        for case in group.cases.iter().filter(|case| case.fits_a_header()) {
            let (bearer, now) = (format!("Bearer {}", case.token), case.now.to_string());
            let headers = [("authorization", bearer.as_str()), ("x-poolgate-test-now", now.as_str())];
            answers.note(case, &send(&url, "GET", "/", &headers).await);
        }
    }
    answers.seen()
}
