//! What a registry of WebAssembly is told about an artifact: custom sections that tools make annotations of when they push it
//! (`org.opencontainers.image.…` of the OCI image specification; `wasm-metadata` has the sections' names).

use wasm_encoder::{CustomSection, Encode, Section};

/// The WebAssembly, a module or a component, with its annotations at the end.
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
