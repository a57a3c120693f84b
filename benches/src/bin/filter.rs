//! Writes the Envoy filter's module to a file: `filter [--plain | --cognito] FILE`.

use poolgate_artifacts::{ENVOY_FILTER, ENVOY_FILTER_COGNITO, ENVOY_FILTER_PLAIN};
use std::{env, fs, process::ExitCode};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (module, file) = match arguments[..] {
        [file] if !file.starts_with('-') => (ENVOY_FILTER, file),
        ["--plain", file] => (ENVOY_FILTER_PLAIN, file),
        ["--cognito", file] => (ENVOY_FILTER_COGNITO, file),
        _ => {
            eprintln!("usage: filter [--plain | --cognito] FILE");
            return ExitCode::from(2);
        }
    };
    match fs::write(file, module) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{file}: {error}");
            ExitCode::FAILURE
        }
    }
}
