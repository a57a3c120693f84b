//! What an integration decides about a request, beside what the library decides.

use super::{requests::Request, scene::verdict};
use poolgate::Gate;
use poolgate_tests::{edge_scene::reason, exact_client::Response};

/// The status and, if the request is rejected and the response has a body, the reason.
pub type Decided = (u16, String);

/// Returns what the integration that has sent this response has decided.
pub fn decided(request: &Request, response: &Response) -> Decided {
    match response.status {
        200 => (200, String::new()),
        // A response to HEAD has no body.
        status if request.method == "HEAD" => (status, String::new()),
        status => (status, reason(&response.body)),
    }
}

/// Returns the decision of the library, as an integration shows it.
pub async fn wanted(gate: &Gate, request: &Request) -> Decided {
    let verdict = verdict(&gate.decide(&request.head()).await);
    match verdict.split_once(' ') {
        Some(("reported", _)) | None => (200, String::new()),
        Some((status, reason)) => {
            let reason = if request.method == "HEAD" { "" } else { reason };
            (status.parse().expect("a status"), reason.to_owned())
        }
    }
}

/// The decision about the request without `Connection`, which Envoy and Wasmtime remove before the filter or the middleware.
pub async fn wanted_without_connection(gate: &Gate, request: &Request) -> Decided {
    let mut passed = request.clone();
    passed.headers.retain(|(name, _)| *name != "connection");
    wanted(gate, &passed).await
}

/// The decision about the request as Envoy passes it: it also makes one field of two fields `Authorization`.
pub async fn wanted_of_envoy(gate: &Gate, request: &Request) -> Decided {
    let mut passed = request.clone();
    let tokens = passed.headers.iter().filter(|(name, _)| *name == "authorization").map(|(_, value)| value.as_str());
    let joined = tokens.collect::<Vec<_>>().join(",");
    passed.headers.retain(|(name, _)| *name != "authorization");
    if !joined.is_empty() {
        passed.headers.push(("authorization", joined));
    }
    wanted_without_connection(gate, &passed).await
}

/// Whether two decisions are the same. Without a reason in `wanted`, only the status is compared.
pub fn is_same(wanted: &Decided, decided: &Decided) -> bool {
    wanted == decided || (wanted.1.is_empty() && wanted.0 == decided.0)
}
