//! The whole corpus, sent as requests: the same verdicts as the core's.

use crate::{
    scene::protected_echo,
    serving::{Instances, Serving},
};
use poolgate_tests::{
    edge_corpus::{expected, groups},
    edge_scene::reason,
    exact_client::send,
    faulty_server::{Behaviour, FaultyServer},
};

#[tokio::test(flavor = "multi_thread")]
async fn every_token_of_the_corpus_gets_the_verdict_of_the_core() {
    let server = FaultyServer::start(Behaviour::Status(404, String::new())).await;
    let (mut judged, mut unsent, mut wrong) = (0, Vec::new(), Vec::new());
    for group in groups(&server, &format!("http://127.0.0.1:{}", server.port())) {
        let serving = Serving::start(protected_echo(), &group.configuration.to_string(), Instances::One).await;
        for case in &group.cases {
            if !case.fits_a_header() {
                unsent.push(case.name);
                continue;
            }
            serving.set_now(case.now);
            let bearer = format!("Bearer {}", case.token);
            let response = send(&serving.url, "GET", "/", &[("authorization", &bearer)]).await;
            let got = (response.status, reason(&response.body));
            judged += 1;
            if got != expected(case) {
                wrong.push(format!("{}: {got:?}, and the core says {:?}", case.name, expected(case)));
            }
        }
        assert!(serving.instances() <= 1, "one instance judged them all");
    }
    println!("{judged} tokens judged alike; not to be sent in a header: {unsent:?}");
    assert!(wrong.is_empty(), "{} of {judged} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(unsent.len() * 20 < judged, "too many were left out: {unsent:?}");
}
