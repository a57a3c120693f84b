//! The layer that asks for groups and scopes.

use super::{
    answer::{ResponseBody, ResponseFuture, Style, refuse},
    claims::Claims,
};
use crate::{Denial, Requirement, refusal::Refused};
use http::{Request, Response};
use http_body_util::Either;
use std::{
    future::{poll_fn, ready},
    sync::Arc,
    task::{Context, Poll},
};
use tower_layer::Layer;
use tower_service::Service;

/// Lets requests pass whose [`Claims`] meet a requirement; answers all others itself: 403, or 401 where there are no claims.
///
/// It stands behind [`AuthLayer`](super::AuthLayer). Without one nothing passes.
#[derive(Clone, Debug)]
#[must_use]
pub struct RequireLayer {
    requirement: Arc<Requirement>,
    style: Style,
}

impl RequireLayer {
    /// Asks for this.
    pub fn new(requirement: Requirement) -> Self {
        Self { requirement: Arc::new(requirement), style: Style::default() }
    }

    /// Answers gRPC calls in gRPC where no [`AuthLayer`](super::AuthLayer) stands before it, and nothing passes. Behind one it answers as
    /// that one does: see [`AuthLayer::grpc`](super::AuthLayer::grpc).
    pub fn grpc(mut self) -> Self {
        self.style.speaks_grpc = true;
        self
    }
}

impl<S> Layer<S> for RequireLayer {
    type Service = Require<S>;

    fn layer(&self, inner: S) -> Require<S> {
        Require { inner, layer: self.clone() }
    }
}

/// A service behind a [`RequireLayer`].
#[derive(Clone, Debug)]
pub struct Require<S> {
    inner: S,
    layer: RequireLayer,
}

impl<S> Require<S> {
    fn check<B>(&self, request: &Request<B>) -> Result<(), (Refused, Option<Denial>)> {
        let claims = request.extensions().get::<Claims>().ok_or_else(|| (Refused::no_token(), None))?;
        let requirement = &self.layer.requirement;
        requirement.check(claims).map_err(|denial| (requirement.refusal(), Some(denial)))
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

    /// Always ready: a refusal neither waits for the service nor takes any of its room.
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
            Err((refused, denial)) => {
                let response = refuse(&request, self.layer.style, refused, denial);
                Box::pin(ready(Ok(response.map(Either::Right))))
            }
        }
    }
}
