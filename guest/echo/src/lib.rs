//! A wasi:http application (WASI 0.3) that knows nothing of tokens. It answers with what it got: the head of the request, a line each,
//! in headers of its own (`echo-method`, `echo-path`, `echo-header: NAME: VALUE`), and the body as it comes, chunk by chunk.

mod bindings {
    #![allow(unsafe_code, missing_docs, clippy::all, clippy::restriction)]

    wit_bindgen::generate!({
        inline: "
            package poolgate:echo;
            world application {
                import wasi:http/types@0.3.0;
                export wasi:http/handler@0.3.0;
            }
        ",
        path: "../../wit/edge",
        generate_all,
    });

    export!(Echo);

    use super::Echo;
}

use bindings::{
    exports::wasi::http::handler::Guest,
    wasi::http::types::{ErrorCode, Fields, Request, Response},
    wit_future,
};

struct Echo;

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
