//! The exported handler.

use crate::bindings::{
    exports::wasi::http::handler::Guest,
    wasi::http::types::{ErrorCode, Fields, Request, Response},
    wit_future,
};

/// The type that exports `wasi:http/handler`.
pub struct Echo;

impl Guest for Echo {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let mut lines = vec![
            ("echo-method".to_owned(), format!("{:?}", request.get_method()).into_bytes()),
            ("echo-path".to_owned(), request.get_path_with_query().unwrap_or_default().into_bytes()),
            ("echo-authority".to_owned(), request.get_authority().unwrap_or_default().into_bytes()),
        ];
        for (name, value) in request.get_headers().copy_all() {
            lines.push(("echo-header".to_owned(), [name.as_bytes(), b": ", &value].concat()));
        }
        let headers = Fields::from_list(&lines).map_err(|_| ErrorCode::InternalError(None))?;
        let (_, was_read) = wit_future::new(|| Ok(()));
        let (body, trailers) = Request::consume_body(request, was_read);
        let (response, _) = Response::new(headers, Some(body), trailers);
        Ok(response)
    }
}
