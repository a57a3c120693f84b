//! The layer that asks for groups and scopes.

use super::{
    answer::{Answering, ResponseBody, refuse},
    claims::Claims,
};
use crate::{Denial, Requirement, refusal::Refused};
use http::{Request, Response};
use http_body_util::Either;
use std::{
    future::ready,
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
}

impl RequireLayer {
    /// Asks for this.
    pub fn new(requirement: Requirement) -> Self {
        Self { requirement: Arc::new(requirement) }
    }
}

impl<S> Layer<S> for RequireLayer {
    type Service = Require<S>;

    fn layer(&self, inner: S) -> Require<S> {
        Require { inner, requirement: Arc::clone(&self.requirement) }
    }
}

/// A service behind a [`RequireLayer`].
#[derive(Clone, Debug)]
pub struct Require<S> {
    inner: S,
    requirement: Arc<Requirement>,
}

impl<S> Require<S> {
    fn check<B>(&self, request: &Request<B>) -> Result<(), (Refused, Option<Denial>)> {
        let claims = request.extensions().get::<Claims>().ok_or_else(|| (Refused::no_token(), None))?;
        self.requirement.check(claims).map_err(|denial| (self.requirement.refusal(), Some(denial)))
    }
}

impl<S, B, R> Service<Request<B>> for Require<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    R: Send + 'static,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = Answering<R, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.check(&request) {
            Ok(()) => {
                let response = self.inner.call(request);
                Box::pin(async move { Ok(response.await?.map(Either::Left)) })
            }
            Err((refused, denial)) => {
                let response = refuse(request.extensions(), request.headers(), refused, denial);
                Box::pin(ready(Ok(response.map(Either::Right))))
            }
        }
    }
}
