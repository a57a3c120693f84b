//! The times of a token. The details of an explanation have dates too, from guest/core/src/explain/time_text.rs.

use aws_sdk_cognitoidentityprovider::primitives::{DateTime, DateTimeFormat};
use serde_json::Value;

/// The claims that are times, in the order in which they are shown (RFC 7519 section 4.1, OpenID Connect Core 1.0 section 2).
const CLAIMS: [&str; 5] = ["iat", "nbf", "exp", "auth_time", "updated_at"];

/// A claim that is a time.
pub struct Time {
    pub claim: &'static str,
    /// RFC 3339.
    pub date: String,
    /// Seconds from now; negative if it has passed.
    pub from_now: i64,
}

/// The times of a payload. A claim that is no time is left out.
pub fn of(payload: &Value, now: u64) -> Vec<Time> {
    let time = |claim: &'static str| {
        let number = payload.get(claim)?.as_f64()?;
        // The last second of the year 9999.
        let seconds = (0.0..=253_402_300_799.0).contains(&number).then_some(number as i64)?;
        let date = DateTime::from_secs(seconds).fmt(DateTimeFormat::DateTime).ok()?;
        Some(Time { claim, date, from_now: seconds.saturating_sub_unsigned(now) })
    };
    CLAIMS.into_iter().filter_map(time).collect()
}

/// Formats a distance from now with its two largest units: `in 2 h 5 min`, `3 d 4 h ago`.
pub fn distance(from_now: i64) -> String {
    let seconds = from_now.unsigned_abs();
    let [days, hours, minutes, rest] = [seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60];
    let parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")];
    let first = parts.iter().position(|(number, _)| *number > 0).unwrap_or(3);
    let two = parts.iter().skip(first).take(2).filter(|(number, unit)| *number > 0 || (first == 3 && *unit == "s"));
    let text = two.map(|(number, unit)| format!("{number} {unit}")).collect::<Vec<_>>().join(" ");
    if from_now > 0 { format!("in {text}") } else { format!("{text} ago") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_are_dates_and_distances() {
        let payload =
            json!({ "iat": 1_700_000_000, "exp": 1_700_003_600.5, "nbf": "1700000000", "auth_time": -1, "sub": 5 });
        let times = of(&payload, 1_700_000_060);
        let shown: Vec<_> = times.iter().map(|time| (time.claim, time.date.as_str(), time.from_now)).collect();
        assert_eq!(shown, [("iat", "2023-11-14T22:13:20Z", -60), ("exp", "2023-11-14T23:13:20Z", 3_540)]);
        for (seconds, text) in [
            (0, "0 s ago"),
            (-60, "1 min ago"),
            (3_540, "in 59 min"),
            (7_505, "in 2 h 5 min"),
            (-183_600, "2 d 3 h ago"),
            (86_401, "in 1 d"),
        ] {
            assert_eq!(distance(seconds), text);
        }
    }
}
