//! The explanation of a verdict, and the content of a token.

mod checks;
mod content;
mod times;

pub use content::Content;

use super::output::Palette;
use poolgate::Explanation;
use serde_json::{Value, json};

/// The explanation as JSON. The content of the token is parsed where it is JSON.
pub fn json(explanation: &Explanation, now: u64) -> Value {
    let content = Content::of(explanation, now);
    json!({
        "reason": explanation.reason.map(|reason| reason.name()),
        "signatureValid": explanation.is_signature_valid,
        "pool": explanation.pool,
        "checks": explanation.checks.iter().map(checks::json).collect::<Vec<_>>(),
        "header": content.header,
        "payload": content.payload,
        "times": content.times_json(),
    })
}

/// The explanation as text: the checks, the header, the payload, and its times.
pub fn text(explanation: &Explanation, now: u64, palette: Palette) -> String {
    let content = Content::of(explanation, now);
    format!("\n{}\n{}", checks::text(&explanation.checks, palette), content.text(palette))
}
