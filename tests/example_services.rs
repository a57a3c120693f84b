//! The services of `examples/axum` and `examples/tonic` on loopback ports. Each test that needs them includes this file.

use axum::{Router, middleware, response::Response};
use example_tonic::Nothing;
use poolgate::{Denial, Verifier};
use tokio::net::TcpListener;
use tonic::{
    Request,
    transport::{Channel, Endpoint, Server, server::TcpIncoming},
};

/// The header of [`telling`].
pub const REASON: &str = "x-reason-for-the-test";

/// Serves on a port of the system's choice, and says where.
pub async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(axum::serve(listener, router).into_future());
    address.to_string()
}

/// With a layer further out that finds the denials of the layers within, and tells what no service tells its callers.
pub fn telling(router: Router) -> Router {
    router.layer(middleware::map_response(tell))
}

async fn tell(mut response: Response) -> Response {
    if let Some(denial) = response.extensions().get::<Denial>().copied() {
        response.headers_mut().insert(REASON, denial.reason.name().parse().expect("a header"));
    }
    response
}

/// The connection to a server of the example's.
pub async fn channel(verifier: Verifier) -> Channel {
    let incoming = TcpIncoming::bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let address = incoming.local_addr().expect("an address");
    let server = Server::builder()
        .http2_max_header_list_size(example_tonic::HEADER_LIMIT)
        .layer(example_tonic::guard(verifier))
        .add_routes(example_tonic::services());
    tokio::spawn(server.serve_with_incoming(incoming));
    Endpoint::from_shared(format!("http://{address}")).expect("a URL").connect().await.expect("the server listens")
}

/// A call with these values of `authorization`.
pub fn call(authorizations: &[String]) -> Request<Nothing> {
    let mut request = Request::new(Nothing {});
    for value in authorizations {
        request.metadata_mut().append("authorization", value.parse().expect("metadata"));
    }
    request
}
