//! The file with the configuration.

use crate::command::{cache::compilation_cache, output::CommandError};
use poolgate::{Gate, GateBuilder};
use std::{
    fs,
    io::{Read, stdin},
    path::Path,
};

/// A builder of the gate that a file configures.
pub fn builder(json: String, allow_http_loopback: bool) -> GateBuilder {
    let builder = Gate::builder(json).allow_http_loopback(allow_http_loopback);
    match compilation_cache() {
        Some(directory) => builder.compilation_cache(directory),
        None => builder,
    }
}

/// Reads a configuration. It must be UTF-8.
pub fn read(file: &Path) -> Result<String, CommandError> {
    let mut text = String::new();
    let read = match file.as_os_str() == "-" {
        true => stdin().read_to_string(&mut text).map(|_| ()),
        false => fs::read_to_string(file).map(|read| text = read),
    };
    read.map_err(|error| CommandError::Usage(format!("{}: {error}", file.display())))?;
    Ok(text)
}
