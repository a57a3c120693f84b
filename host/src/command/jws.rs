//! `poolgate jws`.

use super::{
    arguments::JwsArguments,
    batch,
    cache::compilation_cache,
    input,
    output::{self, CommandError, Outcome, Palette},
};
use poolgate::{Denial, JwsVerifier, VerifiedJws};
use serde_json::Value;

pub async fn run(arguments: JwsArguments) -> Result<Outcome, CommandError> {
    let jwks = input::key_set(&arguments.jwks)?;
    let algorithms = input::algorithms(&arguments.algorithms)?;
    let mut verifier = JwsVerifier::new(compilation_cache(), jwks, algorithms).await?;
    if let Ok(report) = verifier.report().await {
        output::warn_of_skipped_keys(&arguments.jwks.display().to_string(), &report);
    }
    if let Some(path) = &arguments.subject.batch {
        let verdict = async |compact: &str| {
            let verdict = verifier.verify(compact).await;
            (outcome(&verdict), json(compact, &verdict))
        };
        return batch::run(path, verdict).await;
    }
    let compact = input::token(arguments.subject.compact.as_deref())?;
    let verdict = verifier.verify(&compact).await;
    output::conclude(
        outcome(&verdict),
        arguments.json,
        || json(&compact, &verdict),
        |palette| text(&compact, &verdict, palette),
    )
}

fn outcome(verdict: &Result<VerifiedJws, Denial>) -> Outcome {
    verdict.as_ref().map_or_else(Outcome::from, |_| Outcome::Allowed)
}

fn json(compact: &str, verdict: &Result<VerifiedJws, Denial>) -> Value {
    match verdict {
        Ok(jws) => output::allowed_jws(jws),
        Err(denial) => output::denied(denial, input::hint(compact)),
    }
}

fn text(compact: &str, verdict: &Result<VerifiedJws, Denial>, palette: Palette) -> String {
    let jws = match verdict {
        Err(denial) => return output::denied_text(denial, input::hint(compact), palette),
        Ok(jws) => jws,
    };
    let payload = match std::str::from_utf8(&jws.payload) {
        Ok(text) => text.escape_debug().to_string(),
        Err(_) => format!("{} bytes, not UTF-8", jws.payload.len()),
    };
    let key_id = jws.key_id.as_deref().unwrap_or("(none)").escape_debug();
    let algorithm = jws.algorithm.jose_name();
    format!(
        "{}\n  algorithm   {algorithm}\n  key         {key_id}\n  payload     {payload}\n",
        palette.success("allow")
    )
}
