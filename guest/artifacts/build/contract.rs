//! Writes the WIT package `poolgate:auth` to one file, for hosts in other languages: as text, and encoded as WebAssembly. Registries store
//! WIT packages in the second form.

use crate::annotations;
use std::{error::Error, fs, path::Path};
use wit_component::{OutputToString, WitPrinter, encode};
use wit_parser::Resolve;

pub const WASM: &str = "contract.wasm";
pub const TEXT: &str = "contract.wit";

pub fn write(wit: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(wit)?;
    let wasm = encode(&resolve, package)?;
    fs::write(out.join(WASM), annotations::add(wasm, "poolgate's contract: the WIT package poolgate:auth"))?;
    let others: Vec<_> = resolve.packages.iter().map(|(id, _)| id).filter(|id| *id != package).collect();
    let mut printer = WitPrinter::<OutputToString>::default();
    printer.print(&resolve, package, &others)?;
    fs::write(out.join(TEXT), String::from(printer.output))?;
    Ok(())
}
