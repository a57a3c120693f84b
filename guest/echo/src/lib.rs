//! A `wasi:http` application (WASI 0.3) for the tests of the middleware. It does not check tokens. It responds with the request that it
//! received: the head in response headers (`echo-method`, `echo-path`, `echo-header: NAME: VALUE`), and the body as it arrives, chunk by
//! chunk.

mod bindings;
mod export;
mod handler;
