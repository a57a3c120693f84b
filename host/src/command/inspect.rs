//! `poolgate inspect`: prints a token without verifying it.

use super::{
    arguments::InspectArguments,
    explain::Content,
    input,
    output::{self, CommandError, Outcome, Palette},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use poolgate::{Clock, SystemClock};
use serde_json::{Map, Value, json};

const WARNING: &str = "To verify it, use `poolgate verify`; with `--explain`, it says what is wrong with a token.";

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
    let content =
        Content { header: header.into(), payload: claims.into(), is_verified: false, now: SystemClock.now().as_secs() };
    let json = || {
        let Content { header, payload, .. } = &content;
        json!({ "verified": false, "header": header, "claims": payload, "times": content.times_json() })
    };
    let text = |palette: Palette| format!("{}\n{}\n", content.text(palette), palette.warning(WARNING));
    output::conclude(Outcome::Allowed, arguments.json, json, text)
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

/// Decodes a part. Load balancers pad theirs.
fn object(part: &str) -> Option<JsonObject> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?).ok()
}
