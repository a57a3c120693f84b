//! The rows of the page in the sandbox, by the library.

use super::{
    PAGE,
    outcome::Outcome,
    page::recipes,
    request::Request,
    tokens::{token, with_test_keys},
};
use crate::gate::scene::gate;
use poolgate::{Decision, Gate, HeaderChange, RequestHead};

async fn outcome(gate: &Gate, request: &Request) -> Outcome {
    let head = RequestHead::new(&request.method, &request.target).authority(&request.host);
    let head = request.headers.iter().fold(head, |head, (name, value)| head.header(name, value.as_str()));
    match gate.decide(&head).await {
        Decision::Admit(admission) => {
            let changes = admission.changes.into_iter().map(|change| match change {
                HeaderChange::Remove(name) => (name, None),
                HeaderChange::Set(name, value) => (name, Some(value)),
            });
            Outcome::passed(request, changes.collect(), admission.verified.is_some(), admission.reported.as_deref())
        }
        Decision::Reject(rejection) => {
            let grpc = rejection.grpc.map(|status| status.code);
            Outcome::rejected(rejection.status, &rejection.reason, rejection.headers, rejection.body, grpc)
        }
        Decision::Respond(response) => Outcome::responded(response.status, response.headers, response.body),
    }
}

#[tokio::test]
async fn every_row_of_the_cookbook_is_true_in_the_sandbox() {
    let mut faults = Vec::new();
    for recipe in recipes(PAGE) {
        let gate = gate(&with_test_keys(&recipe.configuration)).await;
        for row in &recipe.rows {
            let request = Request::new(row, token(&row.token, &recipe.configuration).as_deref());
            faults.extend(outcome(&gate, &request).await.fault(row));
        }
    }
    assert!(faults.is_empty(), "docs/cookbook.md:\n{}", faults.join("\n"));
}
