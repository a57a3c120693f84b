//! Many tokens: one a line, one JSON object a line, in order, to the end.

use super::{
    input,
    output::{CommandError, Outcome},
};
use serde_json::Value;
use std::{
    io::{self, BufWriter, IsTerminal, Write},
    path::Path,
};

/// Judges every line. The outcome is the worst one.
pub async fn run(path: &Path, mut judge: impl AsyncFnMut(&str) -> (Outcome, Value)) -> Result<Outcome, CommandError> {
    let mut output = BufWriter::new(io::stdout().lock());
    let is_watched = io::stdout().is_terminal();
    let mut worst = Outcome::Allowed;
    for line in input::lines(path)? {
        let line = line.map_err(|error| CommandError::Usage(format!("could not read {}: {error}", path.display())))?;
        let (outcome, object) = judge(&line).await;
        worst = worst.max(outcome);
        writeln!(output, "{object}")?;
        if is_watched {
            output.flush()?;
        }
    }
    output.flush()?;
    Ok(worst)
}
