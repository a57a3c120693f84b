//! Sends tokens to the middleware and records the verdicts.

use crate::{
    composing::plugged,
    serving::{Instances, Serving, compiled},
};
use poolgate_artifacts::{ECHO, MIDDLEWARE};
use poolgate_tests::{
    edge_corpus::{Answers, groups},
    exact_client::send,
    faulty_server::{Behaviour, FaultyServer},
    seen::{Seen, Tokens},
};

pub async fn verdicts(tokens: Tokens) -> Vec<Seen> {
    let protected = compiled(&plugged(MIDDLEWARE, &[ECHO]));
    let server = FaultyServer::start(Behaviour::Status(404, String::new())).await;
    let mut answers = Answers::none(tokens);
    for group in groups(tokens, &server, &format!("http://127.0.0.1:{}", server.port())) {
        let serving = Serving::start(&protected, &group.configuration.to_string(), Instances::One).await;
        for case in group.cases.iter().filter(|case| case.fits_a_header()) {
            serving.set_now(case.now);
            let bearer = format!("Bearer {}", case.token);
            answers.note(case, &send(&serving.url, "GET", "/", &[("authorization", &bearer)]).await);
        }
        assert!(serving.instances() <= 1, "one instance must verify all tokens");
    }
    answers.seen()
}
