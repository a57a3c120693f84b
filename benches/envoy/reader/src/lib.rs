//! The least that a filter made with the `proxy-wasm` SDK can do about a token: read the header. Everything else is the SDK's own.

use proxy_wasm::{
    traits::{Context, HttpContext},
    types::Action,
};

struct Reader;

impl Context for Reader {}

impl HttpContext for Reader {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        match self.get_http_request_header("authorization") {
            Some(_) => Action::Continue,
            None => Action::Pause,
        }
    }
}

mod entry {
    proxy_wasm::main! {{
        proxy_wasm::set_http_context(|_, _| Box::new(crate::Reader));
    }}
}
