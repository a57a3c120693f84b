//! `poolgate inspect`: prints a token without verifying it.

use super::{
    arguments::InspectArguments,
    input,
    output::{self, CommandError, Outcome, Palette},
    shown,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

const WARNING: &str = "NOT VERIFIED: anyone can create a token with this content. To verify it, use `poolgate verify`.";

pub fn run(arguments: &InspectArguments) -> Result<Outcome, CommandError> {
    let token = input::token(Some(&arguments.token))?;
    let (header, claims) = match read(token.trim()) {
        Ok(parts) => parts,
        Err(error) => {
            output::notify(&format!("error: {error}"));
            if let Some(hint) = input::hint(&token) {
                output::notify(&format!("hint: {hint}"));
            }
            return Ok(Outcome::Denied);
        }
    };
    let json = || json!({ "verified": false, "header": header, "claims": claims });
    output::conclude(Outcome::Allowed, arguments.json, json, |palette| text(&header, &claims, palette))
}

fn text(header: &JsonObject, claims: &JsonObject, palette: Palette) -> String {
    let (warning, title) = (palette.warning(WARNING), |text| palette.bold(text));
    let object = |object: &JsonObject| shown::json(&Value::Object(object.clone()), true);
    let (header_title, claims_title) = (title("header"), title("claims"));
    format!("{warning}\n\n{header_title}\n{}\n\n{claims_title}\n{}\n\n{warning}\n", object(header), object(claims))
}

type JsonObject = Map<String, Value>;

/// The header and the claims. The signature is ignored.
fn read(token: &str) -> Result<(JsonObject, JsonObject), &'static str> {
    let mut parts = token.split('.');
    let (Some(header), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err("the token does not have three parts");
    };
    let header = object(header).ok_or("the header is not a base64url-encoded JSON object")?;
    let claims = object(claims).ok_or("the payload is not a base64url-encoded JSON object")?;
    Ok((header, claims))
}

fn object(part: &str) -> Option<JsonObject> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
