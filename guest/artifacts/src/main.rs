//! `poolgate-artifact`: writes poolgate's WebAssembly to files.

use poolgate_artifacts::{Artifact, PUBLISHED};
use std::{env, fs, path::Path, process::ExitCode};

const USAGE: &str = "\
Writes poolgate's WebAssembly to files.

usage: poolgate-artifact list          print names, sizes in bytes and purposes
       poolgate-artifact NAME FILE     write one file
       poolgate-artifact all FOLDER    write all files as FOLDER/NAME.wasm, .wit or .json

exit codes: 0 success, 1 a file can't be written, 2 invalid arguments";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let written = match arguments[..] {
        ["-h" | "--help"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        ["list"] => {
            for artifact in PUBLISHED {
                println!(
                    "{:<24} {:<5} {:>7}  {}",
                    artifact.name,
                    artifact.extension,
                    artifact.bytes.len(),
                    artifact.summary
                );
            }
            return ExitCode::SUCCESS;
        }
        ["all", folder] => all(Path::new(folder)),
        [name, file] => match PUBLISHED.iter().find(|artifact| artifact.name == name) {
            Some(artifact) => write(artifact, Path::new(file)),
            None => {
                let names: Vec<&str> = PUBLISHED.iter().map(|artifact| artifact.name).collect();
                eprintln!("unknown artifact {name}; expected one of {}", names.join(", "));
                return ExitCode::from(2);
            }
        },
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn all(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    PUBLISHED
        .iter()
        .try_for_each(|artifact| write(artifact, &folder.join(format!("{}.{}", artifact.name, artifact.extension))))
}

fn write(artifact: &Artifact, file: &Path) -> Result<(), String> {
    fs::write(file, artifact.bytes).map_err(|error| format!("{}: {error}", file.display()))
}
