//! Reads the names and the documentation of the contract's enums from `wit/`, so that they are written down once, and lists the recipes for
//! issuers.

use std::{env, error::Error, fmt::Write, fs, path::PathBuf};
use wit_parser::{Resolve, TypeDefKind};

/// The contract's enums that the host shows to people: WIT name and Rust path.
///
/// (Enums that are a function's error get `name` and `message` from wasmtime already.)
const ENUMS: [(&str, &str); 8] = [
    ("reason", "bindings::exports::poolgate::auth::verifier::Reason"),
    ("hint", "bindings::exports::poolgate::auth::verifier::Hint"),
    ("check-stage", "bindings::exports::poolgate::auth::verifier::CheckStage"),
    ("key-error", "bindings::exports::poolgate::auth::verifier::KeyError"),
    ("algorithm", "bindings::exports::poolgate::auth::verifier::Algorithm"),
    ("account-error-code", "accounts::bindings::exports::poolgate::auth::accounts::AccountErrorCode"),
    ("challenge-name", "accounts::bindings::exports::poolgate::auth::accounts::ChallengeName"),
    ("delivery-medium", "accounts::bindings::exports::poolgate::auth::accounts::DeliveryMedium"),
];

fn main() -> Result<(), Box<dyn Error>> {
    let wit = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("wit");
    println!("cargo:rerun-if-changed=wit");
    let mut resolve = Resolve::default();
    resolve.push_dir(&wit)?;
    let mut code = String::new();
    for (name, path) in ENUMS {
        let definition = resolve.types.iter().find_map(|(_, definition)| match &definition.kind {
            TypeDefKind::Enum(cases) if definition.name.as_deref() == Some(name) => Some(cases),
            _ => None,
        });
        let cases = &definition.ok_or_else(|| format!("wit/ has no enum {name}"))?.cases;
        let arms = |text: &dyn Fn(usize) -> String| -> String {
            cases.iter().enumerate().fold(String::new(), |mut arms, (index, case)| {
                let _ = writeln!(arms, "Self::{} => {:?},", variant(&case.name), text(index));
                arms
            })
        };
        let names = arms(&|index| cases[index].name.clone());
        let descriptions = arms(&|index| {
            let docs = cases[index].docs.contents.as_deref().unwrap_or_default();
            docs.split_whitespace().collect::<Vec<_>>().join(" ")
        });
        let all: String = cases.iter().map(|case| format!("Self::{},", variant(&case.name))).collect();
        writeln!(
            code,
            "impl crate::{path} {{
                /// Every case, in the order of the contract.
                pub const ALL: &[Self] = &[{all}];
                /// The stable name in the contract.
                pub fn name(self) -> &'static str {{ match self {{ {names} }} }}
                /// What the contract says about it.
                pub fn description(self) -> &'static str {{ match self {{ {descriptions} }} }}
            }}"
        )?;
    }
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("contract_names.rs"), code)?;
    write_recipes()
}

/// Writes the list of recipes, with their text, sorted by name.
fn write_recipes() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=issuers");
    let mut recipes = Vec::new();
    for file in fs::read_dir(PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("issuers"))? {
        let path = file?.path();
        let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".json"));
        if let Some(name) = name.filter(|name| *name != "recipe.schema") {
            recipes.push((name.to_owned(), fs::read_to_string(&path)?));
        }
    }
    recipes.sort();
    let code = format!("/// The name of each recipe, and its JSON.\nstatic RECIPES: &[(&str, &str)] = &{recipes:?};\n");
    Ok(fs::write(PathBuf::from(env::var("OUT_DIR")?).join("recipes.rs"), code)?)
}

/// `key-id-missing` to `KeyIdMissing`.
fn variant(name: &str) -> String {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    name.split('-').map(capital).collect()
}
