//! Log lines on standard error. A line must never contain a token.

use crate::bindings::{wasi::cli::stderr, wit_stream};

/// Writes a line. A failed write is ignored, because it must not fail the request.
pub fn line(mut text: String) {
    text.push('\n');
    wit_bindgen::spawn_local(async move {
        let (mut writer, reader) = wit_stream::new();
        let written = stderr::write_via_stream(reader);
        let _ = writer.write_all(text.into_bytes()).await;
        drop(writer);
        let _ = written.await;
    });
}
