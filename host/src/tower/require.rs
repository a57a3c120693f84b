//! The layer that requires groups and scopes.

use super::{
    claims::Claims,
    error_format::{FormatOptions, ResponseBody, ResponseFuture, error_response},
};
use crate::{Denial, Requirement, problem_response::ProblemResponse};
use http::{Request, Response};
use http_body_util::Either;
use std::{
    future::{poll_fn, ready},
    sync::Arc,
    task::{Context, Poll},
};
use tower_layer::Layer;
use tower_service::Service;

/// A layer that requires groups or scopes, for one route or one service.
///
/// A request whose [`Claims`] meet the [`Requirement`] is passed to the service. Otherwise the layer responds with 403,
/// or with 401 if the request has no claims.
///
/// Add it inside of an [`AuthLayer`](super::AuthLayer), which verifies the token. Without one, every request gets 401.
///
/// ```
/// use axum::{Router, routing::get};
/// use poolgate::{Requirement, Verifier, tower::{AuthLayer, RequireLayer}};
///
/// fn app(verifier: Verifier) -> Router {
///     let admins = RequireLayer::new(Requirement::new().any_of_groups(["admins"]));
///     Router::new()
///         .route("/admin", get(|| async { "administration" }).layer(admins))
///         .layer(AuthLayer::new(verifier))
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RequireLayer {
    requirement: Arc<Requirement>,
    format: FormatOptions,
}

impl RequireLayer {
    /// Creates a layer that requires the groups and scopes of `requirement`.
    pub fn new(requirement: Requirement) -> Self {
        Self { requirement: Arc::new(requirement), format: FormatOptions::default() }
    }

    /// Responds to gRPC calls with gRPC statuses if no [`AuthLayer`](super::AuthLayer) runs before this layer.
    ///
    /// Behind an `AuthLayer`, this setting has no effect: the format of error responses is that of the `AuthLayer` (see
    /// [`AuthLayer::grpc`](super::AuthLayer::grpc)). The default is HTTP.
    pub fn grpc(mut self) -> Self {
        self.format.uses_grpc = true;
        self
    }
}

impl<S> Layer<S> for RequireLayer {
    type Service = Require<S>;

    fn layer(&self, inner: S) -> Require<S> {
        Require { inner, layer: self.clone() }
    }
}

/// The service that [`RequireLayer`] creates.
#[derive(Clone, Debug)]
pub struct Require<S> {
    inner: S,
    layer: RequireLayer,
}

impl<S> Require<S> {
    fn check<B>(&self, request: &Request<B>) -> Result<(), (ProblemResponse, Option<Denial>)> {
        let claims = request.extensions().get::<Claims>().ok_or_else(|| (ProblemResponse::no_token(), None))?;
        let requirement = &self.layer.requirement;
        requirement.check(claims).map_err(|denial| (requirement.error_response(), Some(denial)))
    }
}

impl<S, B, R> Service<Request<B>> for Require<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send + 'static,
    B: Send + 'static,
    R: Send + 'static,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<R, S::Error>;

    /// Always ready. The inner service is polled for readiness after the check, so that rejected requests do not use its capacity.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.check(&request) {
            Ok(()) => {
                let mut inner = self.inner.clone();
                Box::pin(async move {
                    poll_fn(|context| inner.poll_ready(context)).await?;
                    Ok(inner.call(request).await?.map(Either::Left))
                })
            }
            Err((problem, denial)) => {
                let response = error_response(&request, self.layer.format, problem, denial);
                Box::pin(ready(Ok(response.map(Either::Right))))
            }
        }
    }
}
