//! Exit codes, verdicts as JSON, and text with colours.

use super::shown;
use anstyle::{AnsiColor, Style};
use poolgate::{BuildError, Denial, ErrorCode, Hint, KeyReport, SkippedKey, VerifiedJws};
use serde_json::{Value, json};
use std::{
    env, fmt,
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

/// The result of a command. The help documents its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Allowed,
    Denied,
    /// Not verified. With several tokens, this outcome has precedence over `Denied`.
    Unavailable,
    BadUsage,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        ExitCode::from(match outcome {
            Outcome::Allowed => 0,
            Outcome::Denied => 1,
            Outcome::BadUsage => 2,
            Outcome::Unavailable => 3,
        })
    }
}

impl From<&Denial> for Outcome {
    fn from(denial: &Denial) -> Self {
        match denial.error {
            ErrorCode::InvalidToken | ErrorCode::InsufficientScope => Outcome::Denied,
            ErrorCode::Unavailable => Outcome::Unavailable,
        }
    }
}

/// Why a command failed. The text never contains a token.
#[derive(Debug)]
pub enum CommandError {
    Usage(String),
    Build(BuildError),
    Output(io::Error),
}

impl CommandError {
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, CommandError::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommandError::Usage(text) => formatter.write_str(text),
            CommandError::Build(error) => error.fmt(formatter),
            CommandError::Output(error) => write!(formatter, "could not write the output: {error}"),
        }
    }
}

impl From<BuildError> for CommandError {
    fn from(error: BuildError) -> Self {
        CommandError::Build(error)
    }
}

impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> Self {
        CommandError::Output(error)
    }
}

/// A denial. `hint` is a hint about the token's text, if there is one.
pub fn denied(denial: &Denial, hint: Option<&'static str>) -> Value {
    let mut object = json!({ "verdict": "deny", "reason": denial.reason.name(), "status": denial.error.status() });
    if let (Some(hint), Some(members)) = (hint.or(denial.hint.map(Hint::description)), object.as_object_mut()) {
        members.insert("hint".into(), hint.into());
    }
    object
}

pub fn allowed(payload: &str) -> Value {
    // The component has parsed the payload as JSON, more strictly than serde_json does.
    let claims: Value = serde_json::from_str(payload).unwrap_or(Value::Null);
    json!({ "verdict": "allow", "claims": claims })
}

pub fn allowed_jws(jws: &VerifiedJws) -> Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let header: Value = serde_json::from_str(&jws.header).unwrap_or(Value::Null);
    let mut object = json!({
        "verdict": "allow",
        "alg": header.get("alg"),
        "kid": jws.key_id,
        "header": header,
        "payload": URL_SAFE_NO_PAD.encode(&jws.payload),
    });
    if let (Ok(text), Some(members)) = (std::str::from_utf8(&jws.payload), object.as_object_mut()) {
        members.insert("text".into(), text.into());
    }
    object
}

/// Masks everything in a text that looks like a token, because an error may repeat a misplaced argument.
pub fn masked(text: &str) -> String {
    let is_part_of_token = |letter: char| letter.is_ascii_alphanumeric() || "-_.=".contains(letter);
    let looks_like_token = |word: &str| word.len() >= 40 && word.matches('.').count() >= 2;
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.find(|letter| !is_part_of_token(letter)).unwrap_or(rest.len()));
        masked += if looks_like_token(word) { "<token>" } else { word };
        let (between, after) = after.split_at(after.find(is_part_of_token).unwrap_or(after.len()));
        masked += between;
        rest = after;
    }
    masked
}

/// Colours on a terminal. They are disabled elsewhere and by `NO_COLOR` (<https://no-color.org>).
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    is_coloured: bool,
}

impl Palette {
    pub fn for_stdout() -> Self {
        let is_disabled = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { is_coloured: io::stdout().is_terminal() && !is_disabled }
    }

    pub fn success(self, text: &str) -> String {
        self.paint(AnsiColor::Green.on_default(), text)
    }

    pub fn failure(self, text: &str) -> String {
        self.paint(AnsiColor::Red.on_default(), text)
    }

    pub fn warning(self, text: &str) -> String {
        self.paint(AnsiColor::Yellow.on_default().bold(), text)
    }

    pub fn bold(self, text: &str) -> String {
        self.paint(Style::new().bold(), text)
    }

    fn paint(self, style: Style, text: &str) -> String {
        if self.is_coloured { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// Prints the result of a command as JSON or as text. If the reader has closed the output, the exit code is still that of the outcome, so
/// that a caller who only checks the exit code is not misled.
pub fn conclude(
    outcome: Outcome,
    as_json: bool,
    json: impl FnOnce() -> Value,
    text: impl FnOnce(Palette) -> String,
) -> Result<Outcome, CommandError> {
    let text = if as_json { shown::json(&json(), false) + "\n" } else { text(Palette::for_stdout()) };
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(outcome),
    }
}

/// Writes a line to standard error. If standard error is closed, the line is dropped.
pub fn notify(text: &str) {
    let _ = writeln!(io::stderr(), "{}", shown::lines(text));
}

/// A denial as text: the reason code, the HTTP status, and an explanation.
pub fn denied_text(denial: &Denial, hint: Option<&'static str>, palette: Palette) -> String {
    let Denial { reason, error, .. } = denial;
    let verdict = palette.failure("deny");
    let hint = hint.or(denial.hint.map(Hint::description)).map_or(String::new(), |hint| format!("  hint: {hint}\n"));
    format!("{verdict}  {} (status {})\n  {}\n{hint}", reason.name(), error.status(), reason.description())
}

/// Lists on standard error which keys of a key set are not used, and why.
pub fn warn_of_skipped_keys(path: &str, report: &KeyReport) {
    for SkippedKey { index, key_id, error, .. } in &report.skipped {
        let name = key_id.as_deref().map_or(String::new(), |id| format!(" ({})", id.escape_debug()));
        let (error, meaning) = (error.name(), error.description());
        notify(&format!("warning: {path}: key {index}{name} is not used: {error}: {meaning}"));
    }
}
