//! The services of `examples/axum` and `examples/tonic` on loopback ports. Each test that needs them includes this file.

use axum::{Router, middleware, response::Response};
use example_tonic::Nothing;
use poolgate::{Denial, Verifier};
use tokio::net::TcpListener;
use tonic::{
    Request,
    transport::{Channel, Endpoint, Server, server::TcpIncoming},
};

/// The header that [`with_reason`] adds.
pub const REASON: &str = "x-reason-for-the-test";

/// Serves on a free port, and returns the address.
pub async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(axum::serve(listener, router).into_future());
    address.to_string()
}

/// Adds an outer layer that reads the denial of the layers inside, and adds its reason to the response as a header.
pub fn with_reason(router: Router) -> Router {
    router.layer(middleware::map_response(add_reason))
}

async fn add_reason(mut response: Response) -> Response {
    if let Some(denial) = response.extensions().get::<Denial>().copied() {
        response.headers_mut().insert(REASON, denial.reason.name().parse().expect("a header"));
    }
    response
}

/// Starts the example server and connects to it.
pub async fn channel(verifier: Verifier) -> Channel {
    let incoming = TcpIncoming::bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let address = incoming.local_addr().expect("an address");
    let server = Server::builder()
        .http2_max_header_list_size(example_tonic::HEADER_LIMIT)
        .layer(example_tonic::auth_layer(verifier))
        .add_routes(example_tonic::services());
    tokio::spawn(server.serve_with_incoming(incoming));
    Endpoint::from_shared(format!("http://{address}")).expect("a URL").connect().await.expect("the server listens")
}

/// Creates a call with these values of `authorization`.
pub fn call(authorizations: &[String]) -> Request<Nothing> {
    let mut request = Request::new(Nothing {});
    for value in authorizations {
        request.metadata_mut().append("authorization", value.parse().expect("metadata"));
    }
    request
}
