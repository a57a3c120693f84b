//! Writes the token verifier's component to a file: `component (wide | simd | portable | cognito) FILE`.

use poolgate_artifacts::{TOKEN_VERIFIER_COGNITO, TOKEN_VERIFIER_PORTABLE, TOKEN_VERIFIER_SIMD, TOKEN_VERIFIER_WIDE};
use std::{env, fs, process::ExitCode};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (component, file) = match arguments[..] {
        ["wide", file] => (TOKEN_VERIFIER_WIDE, file),
        ["simd", file] => (TOKEN_VERIFIER_SIMD, file),
        ["portable", file] => (TOKEN_VERIFIER_PORTABLE, file),
        ["cognito", file] => (TOKEN_VERIFIER_COGNITO, file),
        _ => {
            eprintln!("usage: component (wide | simd | portable | cognito) FILE");
            return ExitCode::from(2);
        }
    };
    match fs::write(file, component) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{file}: {error}");
            ExitCode::FAILURE
        }
    }
}
