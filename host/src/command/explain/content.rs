//! The content of a token: its header, its payload, and the times in it.

use super::{
    super::{output::Palette, shown},
    times,
};
use poolgate::Explanation;
use serde_json::{Value, json};

const NOT_VERIFIED: &str = "NOT VERIFIED: anyone can create a token with this content.";

/// The content of a token.
pub struct Content {
    /// As JSON, or as a text if it is no JSON. `Null` if it could not be decoded.
    pub header: Value,
    pub payload: Value,
    /// Whether the signature was verified.
    pub is_verified: bool,
    /// Seconds since the Unix epoch.
    pub now: u64,
}

impl Content {
    pub fn of(explanation: &Explanation, now: u64) -> Self {
        let value = |text: &Option<String>| match text {
            Some(text) => serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into()),
            None => Value::Null,
        };
        Self {
            header: value(&explanation.header),
            payload: value(&explanation.payload),
            is_verified: explanation.is_signature_valid,
            now,
        }
    }

    /// The times in the payload, by claim.
    pub fn times_json(&self) -> Value {
        let entry =
            |time: times::Time| (time.claim.to_owned(), json!({ "date": time.date, "secondsFromNow": time.from_now }));
        Value::Object(times::of(&self.payload, self.now).into_iter().map(entry).collect())
    }

    pub fn text(&self, palette: Palette) -> String {
        let warning = if self.is_verified { String::new() } else { palette.warning(NOT_VERIFIED) + "\n\n" };
        let mark = if self.is_verified { "verified" } else { "not verified" };
        let part = |name: &str, value: &Value| {
            let value = if value.is_null() { "could not be decoded".to_owned() } else { shown::json(value, true) };
            format!("{} ({mark})\n{value}\n\n", palette.bold(name))
        };
        format!(
            "{warning}{}{}{}",
            part("header", &self.header),
            part("payload", &self.payload),
            self.times_text(palette)
        )
    }

    fn times_text(&self, palette: Palette) -> String {
        let times = times::of(&self.payload, self.now);
        if times.is_empty() {
            return String::new();
        }
        let lines = times
            .into_iter()
            .map(|time| format!("  {:<10} {}  {}\n", time.claim, time.date, times::distance(time.from_now)));
        format!(
            "{} ({})\n{}",
            palette.bold("times"),
            if self.is_verified { "verified" } else { "not verified" },
            lines.collect::<String>()
        )
    }
}
