//! Verifies many tokens: reads one per line, and prints one JSON object per line in the same order.

use super::{
    input,
    output::{self, CommandError, Outcome},
    shown,
};
use serde_json::Value;
use std::{
    io::{self, BufWriter, ErrorKind, IsTerminal, Write},
    path::Path,
};

/// Verifies every line. The outcome is the worst one. If there is no line, nothing was verified, and the outcome is `Unavailable`.
///
/// All verdicts are written before the command waits for the next line, so that another process can write a line to one pipe and then
/// wait for its verdict on the other.
pub async fn run(path: &Path, mut verify: impl AsyncFnMut(&str) -> (Outcome, Value)) -> Result<Outcome, CommandError> {
    let mut output = BufWriter::new(io::stdout().lock());
    let is_watched = io::stdout().is_terminal();
    let (mut worst, mut is_empty) = (Outcome::Allowed, true);
    let mut lines = input::lines(path)?;
    loop {
        if (is_watched || lines.may_wait())
            && let Err(error) = output.flush()
        {
            return cut_short(error, lines, worst);
        }
        let Some(line) = lines.next() else { break };
        let line = line.map_err(|error| CommandError::Usage(format!("could not read {}: {error}", path.display())))?;
        is_empty = false;
        let (outcome, object) = verify(&line).await;
        worst = worst.max(outcome);
        if let Err(error) = writeln!(output, "{}", shown::json(&object, false)) {
            return cut_short(error, lines, worst);
        }
    }
    match output.flush() {
        Ok(()) if is_empty => {
            output::notify(&format!("error: no token was verified: {} is empty", path.display()));
            Ok(Outcome::Unavailable)
        }
        Ok(()) => Ok(worst),
        Err(error) => cut_short(error, lines, worst),
    }
}

/// Returns the outcome after the reader has closed the output. If the input had more lines, it is `Unavailable`, because the reader has not
/// received all verdicts.
fn cut_short(error: io::Error, lines: input::Lines, worst: Outcome) -> Result<Outcome, CommandError> {
    match error.kind() {
        ErrorKind::BrokenPipe if lines.are_known_to_be_over() => Ok(worst),
        ErrorKind::BrokenPipe => Ok(Outcome::Unavailable),
        _ => Err(error.into()),
    }
}
