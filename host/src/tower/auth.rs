//! The layer that verifies.

use super::{
    answer::{ResponseBody, ResponseFuture, Style},
    claims::Claims,
};
use crate::{Denial, Verifier, bearer::BearerCredentials, refusal::Refused};
use http::{HeaderMap, Request, Response, header};
use http_body_util::Either;
use secrecy::ExposeSecret;
use std::{
    future::poll_fn,
    task::{Context, Poll},
};
use tower_layer::Layer;
use tower_service::Service;

/// Lets requests pass whose bearer token (RFC 6750 section 2.1) the verifier accepts, with [`Claims`] in their extensions; answers
/// all others itself. See the [module](super) for the answers.
///
/// The token is looked for in the one `Authorization` header and nowhere else; that header is marked as sensitive, so that no
/// Debug output further in shows it. Bodies are not touched, in neither direction. A CORS preflight has no token: a layer that
/// answers it belongs outside of this one.
#[derive(Clone, Debug)]
#[must_use]
pub struct AuthLayer {
    verifier: Verifier,
    admits_anonymous: bool,
    style: Style,
}

impl AuthLayer {
    /// Every request needs a good token.
    pub fn new(verifier: Verifier) -> Self {
        Self { verifier, admits_anonymous: false, style: Style::default() }
    }

    /// Lets requests pass that have no bearer token, without [`Claims`]. One that has a token needs a good one all the same.
    pub fn allow_anonymous(mut self) -> Self {
        self.admits_anonymous = true;
        self
    }

    /// Refuses without a body: the status and `WWW-Authenticate` say it all. Problem details (RFC 9457) unless stated.
    pub fn without_body(mut self) -> Self {
        self.style.is_without_body = true;
        self
    }

    /// Answers gRPC calls (POST over HTTP/2 with the content type `application/grpc`) in gRPC: the status is in `grpc-status`, and the HTTP
    /// status is 200. Say so in front of a gRPC server such as tonic's. Unless stated, every refusal has an HTTP status of its own,
    /// whatever the request calls itself.
    pub fn grpc(mut self) -> Self {
        self.style.speaks_grpc = true;
        self
    }

    /// Who asks, if anyone does: nobody only where that is allowed.
    async fn judge(&self, credentials: BearerCredentials) -> Result<Option<Claims>, (Refused, Option<Denial>)> {
        match credentials {
            BearerCredentials::Token(token) => match self.verifier.verify(token.expose_secret()).await {
                Ok(verified) => Ok(Some(Claims::new(verified))),
                Err(denial) => Err((denial.into(), Some(denial))),
            },
            BearerCredentials::Nothing if self.admits_anonymous => Ok(None),
            BearerCredentials::Nothing => Err((Refused::no_token(), None)),
            BearerCredentials::Several => Err((Refused::several_tokens(), None)),
        }
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = Auth<S>;

    fn layer(&self, inner: S) -> Auth<S> {
        Auth { inner, layer: self.clone() }
    }
}

/// A service behind an [`AuthLayer`].
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

    /// Always ready: the service is asked whether it is when the token is good. A request that waits for keys, or that is refused, takes
    /// none of the room that the service has.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let (mut inner, layer) = (self.inner.clone(), self.layer.clone());
        Box::pin(async move {
            let style = layer.style.of_request(request.method(), request.version(), request.headers());
            let credentials = BearerCredentials::of(request.headers());
            hide(request.headers_mut());
            match layer.judge(credentials).await {
                Ok(claims) => {
                    let extensions = request.extensions_mut();
                    // What a layer further out found with another verifier says nothing here.
                    extensions.remove::<Claims>();
                    extensions.insert(style);
                    claims.map(|claims| extensions.insert(claims));
                    poll_fn(|context| inner.poll_ready(context)).await?;
                    Ok(inner.call(request).await?.map(Either::Left))
                }
                Err((refused, denial)) => Ok(style.answer(refused, denial).map(Either::Right)),
            }
        })
    }
}

/// Keeps tokens out of Debug output.
fn hide(headers: &mut HeaderMap) {
    if let header::Entry::Occupied(mut authorization) = headers.entry(header::AUTHORIZATION) {
        authorization.iter_mut().for_each(|value| value.set_sensitive(true));
    }
}
