//! The recipes of `docs/issuers`, and their samples as signed tokens. `docs/issuers/README.md` describes the files.

use crate::{
    keys::key_for,
    minting::{NOW, base64url},
};
use base64::{Engine, engine::general_purpose::URL_SAFE};
use poolgate_core::Algorithm;
use serde_json::{Map, Value, json};
use std::{fs, path::Path};

/// A file.
pub struct Recipe {
    /// Its name without `.json`.
    pub name: String,
    /// Its contents.
    pub document: Value,
}

/// A token that a recipe expects to be accepted or rejected.
pub struct Sample {
    /// The names of the recipe and of the sample.
    pub title: String,
    /// The reason code. `None` if the token is accepted.
    pub reason: Option<String>,
    /// The pool, without placeholders, and with the issuer's key as its only key.
    pub pool: Value,
    /// The token, which is valid at the time [`NOW`].
    pub token: String,
}

/// Reads all recipes, sorted by name.
///
/// # Panics
/// Panics if a file can't be read, or is not JSON.
pub fn recipes() -> Vec<Recipe> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/issuers");
    let files = fs::read_dir(folder).expect("the recipes").map(|entry| entry.expect("a file").path());
    let files = files.filter(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.ends_with(".json") && !name.ends_with(".schema.json")
    });
    let mut recipes: Vec<Recipe> = files
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a recipe");
            let document =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{} is not JSON: {error}", path.display()));
            Recipe { name: path.file_stem().expect("a name").to_string_lossy().into_owned(), document }
        })
        .collect();
    recipes.sort_by(|one, other| one.name.cmp(&other.name));
    recipes
}

impl Recipe {
    /// Returns the samples.
    ///
    /// # Panics
    /// Panics if the file does not have the form of a recipe.
    pub fn samples(&self) -> Vec<Sample> {
        let samples = self.document["samples"].as_array().expect("samples");
        samples.iter().map(|sample| self.sample(sample)).collect()
    }

    /// Returns the pool with an example for each placeholder.
    ///
    /// # Panics
    /// Panics if the file does not have the form of a recipe.
    pub fn example(&self) -> Value {
        let replacements = self.document["samples"][0]["replace"].as_object().expect("replacements");
        replaced(&self.document["pool"], replacements)
    }

    fn sample(&self, sample: &Value) -> Sample {
        let text = |name: &str| sample[name].as_str().unwrap_or_else(|| panic!("{}: no {name}", self.name)).to_owned();
        let mut pool = replaced(&self.document["pool"], sample["replace"].as_object().expect("replacements"));
        // A token with an algorithm that poolgate does not have is rejected, whatever its signature is.
        let named = [&sample["header"]["alg"], &sample["jwk"]["alg"]].into_iter().filter_map(Value::as_str);
        let algorithm = named.filter_map(Algorithm::from_name).next().unwrap_or(Algorithm::Rs256);
        let key = key_for(algorithm);
        let mut jwk = key.jwk(sample["header"]["kid"].as_str().unwrap_or("key"));
        for (member, value) in sample["jwk"].as_object().into_iter().flatten() {
            jwk[member] = value.clone();
        }
        pool["keys"] = json!({"jwks": {"keys": [jwk]}});
        let is_padded = sample["padded"] == Value::Bool(true);
        let encode = |bytes: &[u8]| if is_padded { URL_SAFE.encode(bytes) } else { base64url(bytes) };
        let part = |name: &str| encode(at(NOW, &sample[name]).to_string().as_bytes());
        let input = format!("{}.{}", part("header"), part("payload"));
        let signature = encode(&key.sign(algorithm, input.as_bytes()));
        let reason = Some(text("expect")).filter(|expected| expected != "accept");
        Sample {
            title: format!("{}: {}", self.name, text("title")),
            reason,
            pool,
            token: format!("{input}.{signature}"),
        }
    }
}

/// Returns the words of a text: what is between characters other than letters, digits and `_`.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !is_word(character)).filter(|word| !word.is_empty())
}

/// Returns all texts in a value, without the names of members.
pub fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Object(members) => members.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// Replaces words in all texts of a value.
fn replaced(value: &Value, replacements: &Map<String, Value>) -> Value {
    match value {
        Value::String(text) => {
            let parts = text.split_inclusive(|character: char| !is_word(character)).map(|part| {
                let word = part.trim_end_matches(|character: char| !is_word(character));
                match replacements.get(word).and_then(Value::as_str) {
                    Some(example) => part.replacen(word, example, 1),
                    None => part.to_owned(),
                }
            });
            Value::String(parts.collect())
        }
        Value::Array(values) => values.iter().map(|value| replaced(value, replacements)).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), replaced(value, replacements))).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// Returns a header or a payload with the relative times as numbers.
fn at(now: u64, part: &Value) -> Value {
    let mut part = part.clone();
    for name in ["exp", "nbf", "iat", "auth_time"] {
        if let Some(time) = part.get_mut(name)
            && let Some(seconds) = time.as_str()
        {
            let seconds: i64 = seconds.parse().unwrap_or_else(|_| panic!("{name} is not a relative time: {seconds}"));
            *time = json!(now.saturating_add_signed(seconds));
        }
    }
    part
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}
