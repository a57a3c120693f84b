//! Sends a request of the table over HTTP/1.1.

use super::requests::Request;
use poolgate_tests::exact_client::{Exchange, Response};

/// Sends the request as it is.
pub async fn send(url: &str, request: &Request) -> Response {
    let mut headers: Vec<(&str, &str)> = vec![("host", request.host)];
    headers.extend(request.headers.iter().map(|(name, value)| (*name, value.as_str())));
    Exchange::begin(url, request.method, &request.target, &headers).await.answer_to(request.method).await
}

/// Asks the gateway about the request, as this proxy describes it.
pub async fn ask(url: &str, request: &Request, names: [&'static str; 3]) -> Response {
    let [target, method, host] = names;
    let mut headers: Vec<(&str, &str)> = request.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    headers.extend([(target, request.target.as_str()), (method, request.method), (host, request.host)]);
    Exchange::begin(url, "GET", "/v1/verify", &headers).await.answer().await
}

/// Asks the gateway like Envoy, which keeps method, path and host.
pub async fn ask_like_envoy(url: &str, request: &Request) -> Response {
    let checked = Request { target: format!("/v1/ext-authz{}", request.target), ..request.clone() };
    send(url, &checked).await
}
