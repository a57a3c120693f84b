//! A request that passes: to the handler behind, without the token if it is not to have it, and with the claims that it wants.

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

/// Hands the request on. Its body, and the response, are not touched.
pub async fn pass(request: Request, admitted: &Admitted) -> Result<Response, ErrorCode> {
    if let Some(rejection) = admitted.reported {
        log::line(format!("poolgate: let through, but its rule would refuse it: {}", rejection.name()));
    }
    let changes = changes(admitted);
    if changes.is_empty() {
        return handler::handle(request).await;
    }
    match rewritten(request, &changes) {
        Some(request) => handler::handle(request).await,
        // With the client's own claims it must not go on.
        None => rejecting::fail(),
    }
}

/// Headers that get a value, and those that lose theirs, in order.
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

/// The same request with other headers, or another path. None if it can't be had.
fn rewritten(request: Request, changes: &[(String, Option<String>)]) -> Option<Request> {
    let headers = request.get_headers().clone();
    let mut path = request.get_path_with_query();
    for (name, value) in changes {
        match (name.as_str(), value) {
            // A token in the query string is taken out of it.
            (":path", value) => path.clone_from(value),
            (name, Some(value)) => headers.set(name, &[value.clone().into_bytes()]).ok()?,
            (name, None) => headers.delete(name).ok()?,
        }
    }
    copy(request, headers, path)
}

fn copy(request: Request, headers: Headers, path: Option<String>) -> Option<Request> {
    let (method, scheme, authority) = (request.get_method(), request.get_scheme(), request.get_authority());
    // The options are a child of the request, which goes.
    let options = request.get_options().map(|options| options.clone());
    let (sent, was_sent) = wit_future::new(|| Ok(()));
    let (body, trailers) = Request::consume_body(request, was_sent);
    let (copy, transmitted) = Request::new(headers, Some(body), trailers, options);
    // Who sent the body hears what became of it.
    wit_bindgen::spawn_local(async move {
        let _ = sent.write(transmitted.await).await;
    });
    copy.set_method(&method).ok()?;
    copy.set_scheme(scheme.as_ref()).ok()?;
    copy.set_authority(authority.as_deref()).ok()?;
    copy.set_path_with_query(path.as_deref()).ok()?;
    Some(copy)
}
