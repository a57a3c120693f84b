//! A minimal filter with the `proxy-wasm` SDK: it only reads the header with the token. The rest of its cost is that of the SDK.

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
