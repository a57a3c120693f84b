//! Many tokens: one a line, one JSON object a line, in order, to the end.

use super::{
    input,
    output::{CommandError, Outcome},
    shown,
};
use serde_json::Value;
use std::{
    io::{self, BufWriter, ErrorKind, IsTerminal, Write},
    path::Path,
};

/// Judges every line. The outcome is the worst one.
///
/// What was judged is written before a line is waited for: whoever writes a line into a pipe can wait for its verdict from the other one.
pub async fn run(path: &Path, mut judge: impl AsyncFnMut(&str) -> (Outcome, Value)) -> Result<Outcome, CommandError> {
    let mut output = BufWriter::new(io::stdout().lock());
    let is_watched = io::stdout().is_terminal();
    let mut worst = Outcome::Allowed;
    let mut lines = input::lines(path)?;
    loop {
        if (is_watched || lines.may_wait())
            && let Err(error) = output.flush()
        {
            return cut_short(error, lines, worst);
        }
        let Some(line) = lines.next() else { break };
        let line = line.map_err(|error| CommandError::Usage(format!("could not read {}: {error}", path.display())))?;
        let (outcome, object) = judge(&line).await;
        worst = worst.max(outcome);
        if let Err(error) = writeln!(output, "{}", shown::json(&object, false)) {
            return cut_short(error, lines, worst);
        }
    }
    match output.flush() {
        Ok(()) => Ok(worst),
        Err(error) => cut_short(error, lines, worst),
    }
}

/// The reader has gone. What was judged stays judged; if that was not all, nobody may take it for all.
fn cut_short(error: io::Error, lines: input::Lines, worst: Outcome) -> Result<Outcome, CommandError> {
    match error.kind() {
        ErrorKind::BrokenPipe if lines.are_known_to_be_over() => Ok(worst),
        ErrorKind::BrokenPipe => Ok(Outcome::Unavailable),
        _ => Err(error.into()),
    }
}
