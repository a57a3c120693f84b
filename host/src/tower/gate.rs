//! The layer that decides about whole requests.

use super::{
    admitted,
    claims::Claims,
    error_format::{ResponseBody, ResponseFuture},
};
use crate::{Decision, Gate, HeaderChange, Rejection, RequestHead, gate::host_of};
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri, Version, uri::PathAndQuery};
use http_body_util::{Either, Full};
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// A layer that decides about each request with a [`Gate`]: by its path, method, headers and token.
///
/// If the request is admitted, the layer changes its headers as the decision says, adds [`Claims`] to its extensions if it has a valid token, and
/// calls the service. Otherwise it responds itself, in the format that the configuration has.
///
/// The layer must be outside of every router, and of everything that changes the path or the headers: the gate must see the request as the client
/// sent it. In axum, add it with `Router::layer` to the outermost router, after all `nest` and `route` calls.
///
/// ```
/// use axum::{Router, routing::get};
/// use poolgate::{Gate, tower::{Claims, GateLayer}};
///
/// async fn me(claims: Claims) -> String {
///     claims.username.clone().unwrap_or_default()
/// }
///
/// fn app(gate: Gate) -> Router {
///     Router::new().route("/me", get(me)).layer(GateLayer::new(gate))
/// }
/// ```
///
/// The layer marks the headers `Authorization` and `Cookie`, and every other header in which the configuration looks for a token, as sensitive, so
/// that `Debug` output of the request does not contain a token or the cookie of a session. The query is shown: a token there is removed only if
/// `tokens.forward` is `false`.
///
/// A request whose host is in its target and differs from the header `Host` has no host for the gate: it matches no rule with `hosts`.
#[derive(Clone, Debug)]
#[must_use]
pub struct GateLayer {
    gate: Gate,
}

impl GateLayer {
    /// Creates the layer.
    pub fn new(gate: Gate) -> Self {
        Self { gate }
    }
}

impl<S> Layer<S> for GateLayer {
    type Service = Gated<S>;

    fn layer(&self, inner: S) -> Gated<S> {
        Gated { inner, gate: self.gate.clone() }
    }
}

/// The service that [`GateLayer`] creates.
#[derive(Clone, Debug)]
pub struct Gated<S> {
    inner: S,
    gate: Gate,
}

impl<S, B, R> Service<Request<B>> for Gated<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<R, S::Error>;

    /// Always ready. The inner service is polled for readiness after the decision, so that requests that wait for keys, or that are rejected, do
    /// not use its capacity.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The decision and the names of the headers are of one configuration.
        let (inner, gate) = (self.inner.clone(), self.gate.snapshot());
        Box::pin(async move {
            let head = head_of(&request);
            let mut rejection = match gate.decide(&head).await {
                Decision::Admit(admission) => {
                    let changed = admission.changes.iter().try_for_each(|change| apply(change, &mut request));
                    match changed {
                        Ok(()) => {
                            admitted::mark_sensitive(request.headers_mut(), &gate.token_headers());
                            return admitted::call(inner, request, admission.verified.map(Claims::new)).await;
                        }
                        // The application must not receive what a client could have forged.
                        Err(Unchangeable) => Rejection::unchangeable(),
                    }
                }
                Decision::Reject(rejection) => rejection,
                Decision::Respond(response) => {
                    let response = response.into_http(request.method() != Method::HEAD);
                    return Ok(response.map(|body| Either::Right(Full::from(body))));
                }
            };
            let grpc = if request.version() == Version::HTTP_2 { rejection.grpc_response() } else { None };
            Ok(grpc.unwrap_or_else(|| rejection.into_http()).map(|body| Either::Right(Full::from(body))))
        })
    }
}

/// Returns the head of a request, as the gate reads it.
fn head_of<B>(request: &Request<B>) -> RequestHead {
    let uri = request.uri();
    let mut head = RequestHead::new(request.method().as_str(), uri.path_and_query().map_or("", PathAndQuery::as_str));
    if let Some(host) = host_of(uri, request.headers()) {
        head = head.authority(host);
    }
    for (name, value) in request.headers() {
        head = head.header(name.as_str(), value.as_bytes());
    }
    head
}

/// A change that HTTP does not allow.
struct Unchangeable;

fn apply<B>(change: &HeaderChange, request: &mut Request<B>) -> Result<(), Unchangeable> {
    match change {
        HeaderChange::Remove(name) => {
            request.headers_mut().remove(name.as_str());
        }
        HeaderChange::Set(name, target) if name == ":path" => {
            let mut parts = request.uri().clone().into_parts();
            parts.path_and_query = Some(target.parse().map_err(|_| Unchangeable)?);
            *request.uri_mut() = Uri::from_parts(parts).map_err(|_| Unchangeable)?;
        }
        HeaderChange::Set(name, value) => {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| Unchangeable)?;
            // What is left of a header may have characters that are not ASCII, such as a cookie of the application.
            let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| Unchangeable)?;
            request.headers_mut().insert(name, value);
        }
    }
    Ok(())
}
