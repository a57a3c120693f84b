//! `poolgate inspect`: what a token says, which proves nothing.

use super::{
    arguments::InspectArguments,
    input,
    output::{CommandError, Outcome, Palette},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use std::io::{self, Write};

const WARNING: &str = "NOT VERIFIED: anyone can write a token that says this. `poolgate verify` judges it.";

pub fn run(arguments: &InspectArguments) -> Result<Outcome, CommandError> {
    let token = input::token(Some(&arguments.token))?;
    let (header, claims) = match read(token.trim()) {
        Ok(parts) => parts,
        Err(problem) => {
            eprintln!("poolgate: {problem}");
            return Ok(Outcome::Denied);
        }
    };
    let mut stdout = io::stdout().lock();
    if arguments.json {
        writeln!(stdout, "{}", json!({ "verified": false, "header": header, "claims": claims }))?;
        return Ok(Outcome::Allowed);
    }
    let palette = Palette::for_stdout();
    writeln!(stdout, "{}\n", palette.loud(WARNING))?;
    for (title, object) in [("header", header), ("claims", claims)] {
        writeln!(stdout, "{}\n{:#}\n", palette.strong(title), Value::Object(object))?;
    }
    writeln!(stdout, "{}", palette.loud(WARNING))?;
    Ok(Outcome::Allowed)
}

type JsonObject = Map<String, Value>;

/// Header and claims. The signature is left where it is.
fn read(token: &str) -> Result<(JsonObject, JsonObject), &'static str> {
    let mut parts = token.split('.');
    let (Some(header), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err("this is not a token of three parts");
    };
    let header = object(header).ok_or("the header is not a JSON object in base64url")?;
    let claims = object(claims).ok_or("the payload is not a JSON object in base64url")?;
    Ok((header, claims))
}

fn object(part: &str) -> Option<JsonObject> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
