//! What the layers do with a request that they admit.

use super::{claims::Claims, error_format::ResponseBody};
use http::{HeaderMap, Request, Response, header};
use http_body_util::Either;
use std::future::poll_fn;
use tower_service::Service;

/// Calls the service. The request has these claims and no others: claims from an outer layer, which may use another verifier, must not be used.
pub(super) async fn call<S, B, R>(
    mut inner: S,
    mut request: Request<B>,
    claims: Option<Claims>,
) -> Result<Response<ResponseBody<R>>, S::Error>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    let extensions = request.extensions_mut();
    extensions.remove::<Claims>();
    claims.map(|claims| extensions.insert(claims));
    poll_fn(|context| inner.poll_ready(context)).await?;
    Ok(inner.call(request).await?.map(Either::Left))
}

/// Keeps tokens and the cookies of sessions out of `Debug` output. `token_headers` are further headers with tokens.
pub(super) fn mark_sensitive(headers: &mut HeaderMap, token_headers: &[String]) {
    let names = [header::AUTHORIZATION.as_str(), header::COOKIE.as_str()].into_iter();
    for name in names.chain(token_headers.iter().map(String::as_str)) {
        if let Ok(header::Entry::Occupied(mut values)) = headers.try_entry(name) {
            values.iter_mut().for_each(|value| value.set_sensitive(true));
        }
    }
}
