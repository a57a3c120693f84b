//! The layer that verifies bearer tokens.

use super::{
    admitted,
    claims::Claims,
    error_format::{FormatOptions, ResponseBody, ResponseFuture},
};
use crate::{Denial, Verifier, bearer::BearerCredentials, problem_response::ProblemResponse};
use http::{Request, Response};
use http_body_util::Either;
use secrecy::ExposeSecret;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// A layer that verifies the bearer token of each request (RFC 6750 section 2.1).
///
/// If the token is valid, the layer adds [`Claims`] to the request's extensions and calls the service. Otherwise it
/// responds itself, with the status listed in the [module documentation](super).
///
/// The token is read from the `Authorization` header only. The layer marks this header and `Cookie` as sensitive, so that `Debug` output
/// of the request does not contain the token. It does not change request or response bodies.
///
/// CORS preflight requests have no token. Add a layer that answers them outside of this one.
///
/// # Defaults
///
/// * [`allow_anonymous`](Self::allow_anonymous): disabled -- requests without a token get 401.
/// * [`without_body`](Self::without_body): disabled -- error responses contain problem details (RFC 9457).
/// * [`grpc`](Self::grpc): disabled -- every error response has an HTTP error status.
#[derive(Clone, Debug)]
#[must_use]
pub struct AuthLayer {
    verifier: Verifier,
    admits_anonymous: bool,
    format: FormatOptions,
}

impl AuthLayer {
    /// Creates a layer that requires a valid bearer token on every request.
    pub fn new(verifier: Verifier) -> Self {
        Self { verifier, admits_anonymous: false, format: FormatOptions::default() }
    }

    /// Accepts requests without a bearer token. They have no [`Claims`]. A request with an invalid token is still rejected.
    pub fn allow_anonymous(mut self) -> Self {
        self.admits_anonymous = true;
        self
    }

    /// Removes the body of error responses, so that they have only a status and headers. By default, the body contains problem details
    /// (RFC 9457).
    pub fn without_body(mut self) -> Self {
        self.format.is_without_body = true;
        self
    }

    /// Responds to gRPC calls with gRPC statuses: the status is in `grpc-status`, and the HTTP status is 200.
    ///
    /// Enable this for gRPC servers, such as tonic's. A gRPC call is a POST over HTTP/2 with the content type
    /// `application/grpc`; other requests still get an HTTP error status. By default, all requests do.
    pub fn grpc(mut self) -> Self {
        self.format.uses_grpc = true;
        self
    }

    /// Returns the verified claims, or `None` for a request without a token if anonymous requests are allowed.
    async fn authenticate(
        &self,
        credentials: BearerCredentials,
    ) -> Result<Option<Claims>, (ProblemResponse, Option<Denial>)> {
        match credentials {
            BearerCredentials::Token(token) => match self.verifier.verify(token.expose_secret()).await {
                Ok(verified) => Ok(Some(Claims::new(verified))),
                Err(denial) => Err((denial.into(), Some(denial))),
            },
            BearerCredentials::None if self.admits_anonymous => Ok(None),
            BearerCredentials::None => Err((ProblemResponse::no_token(), None)),
            BearerCredentials::Several => Err((ProblemResponse::several_tokens(), None)),
        }
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = Auth<S>;

    fn layer(&self, inner: S) -> Auth<S> {
        Auth { inner, layer: self.clone() }
    }
}

/// The service that [`AuthLayer`] creates.
#[derive(Clone, Debug)]
pub struct Auth<S> {
    inner: S,
    layer: AuthLayer,
}

impl<S, B, R> Service<Request<B>> for Auth<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<R, S::Error>;

    /// Always ready. The inner service is polled for readiness after the token has been verified, so that requests that
    /// wait for keys, or that are rejected, do not use its capacity.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let (inner, layer) = (self.inner.clone(), self.layer.clone());
        Box::pin(async move {
            let format = layer.format.for_request(request.method(), request.version(), request.headers());
            let credentials = BearerCredentials::of(request.headers());
            admitted::mark_sensitive(request.headers_mut(), &[]);
            match layer.authenticate(credentials).await {
                Ok(claims) => {
                    request.extensions_mut().insert(format);
                    admitted::call(inner, request, claims).await
                }
                Err((problem, denial)) => Ok(format.response(problem, denial).map(Either::Right)),
            }
        })
    }
}
