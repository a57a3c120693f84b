//! The gate in the sandbox decides as `poolgate-edge` does natively: the decision, the changes and the whole response.

use super::{
    requests::{Request, all},
    scene::{configuration, gate, now, verdict},
};
use poolgate::{Decision, HeaderChange};
use poolgate_edge::{self as edge, HeaderMutation, RequestAuthorizer, config};
use poolgate_tests::{keys::RSA_2048, minting::Draft};
use serde_json::Value;

/// A decision with all that leaves the gate.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Admitted { changes: Vec<(String, Option<String>)>, reported: Option<String>, subject: Option<String> },
    Rejected { reason: String, status: u16, headers: Vec<(String, String)>, body: Value },
    Responded,
}

/// The order of members depends on a feature of serde_json.
fn json(body: &str) -> Value {
    serde_json::from_str(body).expect("problem details")
}

fn native(authorizer: &mut RequestAuthorizer, request: &Request) -> Seen {
    match authorizer.authorize(now(), request) {
        edge::Decision::Admit(admitted) => {
            let mutations = admitted.mutations.iter().map(|mutation| match mutation {
                HeaderMutation::Remove(name) => (name.clone(), None),
                HeaderMutation::Set(name, value) => (name.clone(), Some(value.clone())),
            });
            let claims = authorizer.claim_headers(&admitted);
            let claims = claims.map(|(name, value)| (name.to_owned(), value.map(str::to_owned)));
            let changes: Vec<_> = mutations.chain(claims).collect();
            let subject = changes.iter().find(|(name, _)| name == "x-user").and_then(|(_, value)| value.clone());
            Seen::Admitted { changes, reported: admitted.reported.map(|it| it.name().to_owned()), subject }
        }
        edge::Decision::Reject(rejection) => {
            let response = authorizer.response(request, rejection);
            let headers = response.headers.into_iter().map(|(name, value)| (name.to_owned(), value));
            let (reason, body) = (rejection.name().to_owned(), json(&response.body));
            Seen::Rejected { reason, status: response.status, headers: headers.collect(), body }
        }
        edge::Decision::Respond(_) => Seen::Responded,
        edge::Decision::Pause(_) | edge::Decision::AskRevocation(_) => panic!("the keys are local"),
    }
}

fn sandboxed(decision: Decision) -> Seen {
    match decision {
        Decision::Admit(admission) => {
            let changes = admission.changes.into_iter().map(|change| match change {
                HeaderChange::Remove(name) => (name, None),
                HeaderChange::Set(name, value) => (name, Some(value)),
            });
            let subject = admission.verified.and_then(|verified| verified.subject);
            Seen::Admitted { changes: changes.collect(), reported: admission.reported, subject }
        }
        Decision::Reject(rejection) => Seen::Rejected {
            reason: rejection.reason,
            status: rejection.status,
            headers: rejection.headers,
            body: json(&rejection.body),
        },
        Decision::Respond(_) => Seen::Responded,
    }
}

#[tokio::test]
async fn the_sandbox_decides_like_the_same_code_outside_of_it() {
    let configuration = configuration();
    let config = config::read(configuration.to_string().as_bytes()).expect("a valid configuration");
    let mut authorizer = RequestAuthorizer::new(&config, now(), 0).expect("a valid configuration");
    let gate = gate(&configuration).await;
    let requests = all(|| Draft::access(&RSA_2048), now());
    assert!(requests.len() >= 200, "{}", requests.len());
    // The second time, every token that was accepted is cached.
    for _ in 0..2 {
        for request in &requests {
            let decision = gate.decide(&request.head()).await;
            let name = verdict(&decision);
            assert_eq!(sandboxed(decision), native(&mut authorizer, request), "{request:?}: {name}");
        }
    }
    assert_eq!(gate.verifier().sandbox_failures(), 0);
}

#[tokio::test]
async fn the_claims_of_a_cached_token_are_those_of_the_first_time() {
    let gate = gate(&configuration()).await;
    let request = super::scene::get("/any", &Draft::access(&RSA_2048));
    let mut all = Vec::new();
    for _ in 0..3 {
        let Decision::Admit(admission) = gate.decide(&request).await else { panic!("the token is valid") };
        all.push(admission.verified.expect("claims"));
    }
    assert!(all[0].payload.contains("\"username\""), "{}", all[0].payload);
    assert!(all.iter().all(|claims| *claims == all[0]));
    // The verifier has the same cache, and the same pools.
    let token = Draft::access(&RSA_2048).compact();
    assert_eq!(gate.verifier().verify(&token).await.as_ref(), Ok(&all[0]));
}

#[tokio::test]
async fn a_token_that_the_verifier_has_cached_has_claims_in_the_gate_too() {
    let gate = gate(&configuration()).await;
    let token = Draft::access(&RSA_2048);
    let verified = gate.verifier().verify(&token.compact()).await.expect("the token is valid");
    let Decision::Admit(admission) = gate.decide(&super::scene::get("/any", &token)).await else {
        panic!("it is valid")
    };
    assert_eq!(admission.verified, Some(verified));
    // A token that no rule accepts is cached too, and its claims are first returned where a rule accepts it.
    let other = Draft::access(&RSA_2048).claim("jti", "\"other\"");
    assert_eq!(verdict(&gate.decide(&super::scene::get("/admin", &other)).await), "403 group-missing");
    let Decision::Admit(admission) = gate.decide(&super::scene::get("/any", &other)).await else {
        panic!("it is valid")
    };
    assert!(admission.verified.is_some_and(|verified| verified.payload.contains("\"other\"")));
}
