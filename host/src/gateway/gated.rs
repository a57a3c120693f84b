//! Authorization checks by a gate: the configuration decides about the original request, which the proxy describes.

use super::{forged_headers, once_a_minute::OnceAMinute, original::Described};
use crate::{
    Admission, Decision, Gate, HeaderChange, Rejection, RequestHead, gate::host_of, problem_response::ProblemResponse,
};
use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};

/// Any client can cause this warning.
static WARNING: OnceAMinute = OnceAMinute::new();

/// Decides about the original request that the headers of nginx, Caddy or Traefik describe.
pub(crate) async fn verify(gate: &Gate, headers: &HeaderMap, query: Option<&str>) -> Result<Response, ProblemResponse> {
    if query.is_some_and(|query| !query.is_empty()) {
        // A requirement that is not checked must not look as if it were.
        let detail = "the gateway has a configuration of its own: /v1/verify must not have a query";
        return Err(ProblemResponse::request(StatusCode::BAD_REQUEST, detail));
    }
    decide(gate, headers, Described::by_each_proxy(headers)?, Described::has_header).await
}

/// Decides about the original request, whose method, path, query and host Envoy keeps.
pub(crate) async fn ext_authz(
    gate: &Gate,
    method: &Method,
    uri: &Uri,
    target: &str,
    headers: &HeaderMap,
) -> Result<Response, ProblemResponse> {
    let original = Described { method: method.as_str(), target, host: host_of(uri, headers) };
    // Envoy sends no header of its own that describes the request, so all of them come from the client, and reach the application.
    decide(gate, headers, vec![original], |_| false).await
}

/// A client may have forged the headers of one proxy beside those of another. So the request must be admitted as each of them describes it.
async fn decide(
    gate: &Gate,
    headers: &HeaderMap,
    originals: Vec<Described<'_>>,
    is_proxys: fn(&str) -> bool,
) -> Result<Response, ProblemResponse> {
    // The decision and the names of the claim headers are of one configuration.
    let gate = &gate.snapshot();
    forged_headers::reject_alike(headers, &gate.claim_headers())?;
    let mut last = None;
    for original in originals {
        match gate.decide(&head(&original, headers, is_proxys)).await {
            Decision::Admit(admission) => {
                forged_headers::reject_removed(headers, &admission.changes)?;
                last = Some(admission);
            }
            Decision::Reject(rejection) => return Ok(rejection.into_http().into_response()),
            // For the proxy, every status 2xx means that the request may pass.
            Decision::Respond(_) => {
                if WARNING.is_due() {
                    tracing::warn!(
                        hint = "let the proxy send requests for /.well-known/oauth-protected-resource to the gateway itself",
                        "rejected (403) a request for the metadata of the protected resource: /v1/verify can't respond to it"
                    );
                }
                let detail = "the metadata of the protected resource is at the gateway";
                return Err(ProblemResponse::request(StatusCode::FORBIDDEN, detail));
            }
        }
    }
    let admission =
        last.ok_or_else(|| ProblemResponse::misconfigured("the proxy did not send the original request"))?;
    admitted(gate, &admission)
}

/// Returns the head of the original request, without the headers that are the proxy's own.
fn head(original: &Described<'_>, headers: &HeaderMap, is_proxys: fn(&str) -> bool) -> RequestHead {
    let mut head = RequestHead::new(original.method, original.target);
    if let Some(host) = original.host {
        head = head.authority(host);
    }
    for (name, value) in headers {
        if name != header::HOST && !is_proxys(name.as_str()) {
            head = head.header(name.as_str(), value.as_bytes());
        }
    }
    head
}

/// Returns 200 with every claim header. A header is empty if the token lacks the claim, so that the proxy always replaces a forged one.
fn admitted(gate: &Gate, admission: &Admission) -> Result<Response, ProblemResponse> {
    let mut response = Response::new(Body::empty());
    for name in gate.claim_headers() {
        let value = admission.changes.iter().find_map(|change| match change {
            HeaderChange::Set(set, value) if *set == name => Some(value.as_str()),
            _ => None,
        });
        let value = HeaderValue::from_str(value.unwrap_or_default());
        let name = HeaderName::from_bytes(name.as_bytes());
        let (Ok(name), Ok(value)) = (name, value) else {
            return Ok(Rejection::unchangeable().into_http().into_response());
        };
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}
