//! The file with the configuration.

use crate::command::{cache::compilation_cache, output::CommandError};
use poolgate::{Gate, GateBuilder};
use std::{
    fs::{self, File},
    io::{self, Read, stdin},
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

/// The maximum length of a configuration, in bytes.
const LIMIT: u64 = 8 * 1024 * 1024;

/// Reads a configuration from a file or, if it is `-`, from standard input. It must be UTF-8 and have at most 8 MiB. Anything but a regular file is
/// refused, because reading it could wait for ever.
pub fn read(file: &Path) -> Result<String, CommandError> {
    let text = match file.as_os_str() == "-" {
        true => limited(stdin()),
        false => regular(file).and_then(limited),
    };
    text.map_err(|error| CommandError::Usage(format!("{}: {error}", file.display())))
}

fn regular(file: &Path) -> io::Result<File> {
    match fs::metadata(file)?.is_file() {
        true => File::open(file),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")),
    }
}

fn limited(source: impl Read) -> io::Result<String> {
    let mut text = String::new();
    source.take(LIMIT + 1).read_to_string(&mut text)?;
    match text.len() as u64 > LIMIT {
        true => Err(io::Error::new(io::ErrorKind::InvalidData, "it is longer than 8 MiB")),
        false => Ok(text),
    }
}
