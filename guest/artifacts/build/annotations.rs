//! Adds metadata to an artifact, as custom sections. Tools that push an artifact to a WebAssembly registry convert these sections to
//! annotations (`org.opencontainers.image.…` of the OCI image specification). The names of the sections are those of `wasm-metadata`.

use wasm_encoder::{CustomSection, Encode, Section};

/// Returns the module or component with the metadata sections at its end.
pub fn add(mut wasm: Vec<u8>, summary: &str) -> Vec<u8> {
    let annotations = [
        ("version", env!("CARGO_PKG_VERSION")),
        ("description", summary),
        ("licenses", env!("CARGO_PKG_LICENSE")),
        ("authors", "The poolgate authors"),
    ];
    for (name, data) in annotations {
        let section = CustomSection { name: name.into(), data: data.as_bytes().into() };
        wasm.push(section.id());
        section.encode(&mut wasm);
    }
    wasm
}
