//! Forwards a request to the next handler, with the claim headers and, if configured, without the token.

use crate::{
    authorizer,
    bindings::{
        wasi::http::{
            handler,
            types::{ErrorCode, Headers, Request, Response},
        },
        wit_future,
    },
    log, rejecting,
};
use poolgate_edge::{Admitted, HeaderMutation};

/// Forwards the request. Its body and the response are not changed.
pub async fn forward(request: Request, admitted: &Admitted) -> Result<Response, ErrorCode> {
    if let Some(rejection) = admitted.reported {
        log::line(format!(
            "poolgate: forwarded a request that its rule (report_only) would reject: {}",
            rejection.name()
        ));
    }
    let changes = changes(admitted);
    if changes.is_empty() {
        return handler::handle(request).await;
    }
    match rewritten(request, &changes) {
        Some(request) => handler::handle(request).await,
        // The request must not be forwarded with claim headers that the client sent.
        None => rejecting::fail(),
    }
}

/// Returns the headers to set (with a value) and to remove (without), in order.
fn changes(admitted: &Admitted) -> Vec<(String, Option<String>)> {
    let mutations = admitted.mutations.iter().map(|mutation| match mutation {
        HeaderMutation::Remove(name) => (name.clone(), None),
        HeaderMutation::Set(name, value) => (name.clone(), Some(value.clone())),
    });
    let claims = authorizer::with(|authorizer| {
        let headers = authorizer.claim_headers(admitted);
        headers.map(|(name, value)| (name.to_owned(), value.map(str::to_owned))).collect::<Vec<_>>()
    });
    mutations.chain(claims.unwrap_or_default()).collect()
}

/// Returns the same request with changed headers and path, or `None` if the host rejects a change.
fn rewritten(request: Request, changes: &[(String, Option<String>)]) -> Option<Request> {
    let headers = request.get_headers().clone();
    let mut path = request.get_path_with_query();
    for (name, value) in changes {
        match (name.as_str(), value) {
            // The token was in the query string.
            (":path", value) => path.clone_from(value),
            (name, Some(value)) => headers.set(name, &[value.clone().into_bytes()]).ok()?,
            (name, None) => headers.delete(name).ok()?,
        }
    }
    copy(request, headers, path)
}

fn copy(request: Request, headers: Headers, path: Option<String>) -> Option<Request> {
    let (method, scheme, authority) = (request.get_method(), request.get_scheme(), request.get_authority());
    // The options are a child resource of the request, which is consumed below.
    let options = request.get_options().map(|options| options.clone());
    let (sent, was_sent) = wit_future::new(|| Ok(()));
    let (body, trailers) = Request::consume_body(request, was_sent);
    let (copy, transmitted) = Request::new(headers, Some(body), trailers, options);
    // Reports the result of the transmission to the sender of the body.
    wit_bindgen::spawn_local(async move {
        let _ = sent.write(transmitted.await).await;
    });
    copy.set_method(&method).ok()?;
    copy.set_scheme(scheme.as_ref()).ok()?;
    copy.set_authority(authority.as_deref()).ok()?;
    copy.set_path_with_query(path.as_deref()).ok()?;
    Some(copy)
}
