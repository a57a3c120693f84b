//! Points in time and durations, for people. The command has its own for `poolgate inspect`, which starts no sandbox:
//! host/src/command/explain/times.rs.

use alloc::{format, string::String};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Formats seconds since the Unix epoch as RFC 3339 in UTC. The year is at most 9999 for every date of a token.
#[cold]
pub(super) fn date(seconds: u64) -> String {
    let of =
        |unit: u64, most: u64| seconds.checked_div(unit).and_then(|units| units.checked_rem(most)).unwrap_or_default();
    let (year, month, day) = civil(seconds.checked_div(DAY).unwrap_or_default());
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", of(HOUR, 24), of(MINUTE, 60), of(1, 60))
}

/// Returns the year, the month and the day of a number of days since 1970-01-01, in the Gregorian calendar.
#[cold]
fn civil(days: u64) -> (u64, u64, u64) {
    let (mut year, mut left) = (1970u64, days);
    // 400 years have 146,097 days.
    year = year.saturating_add((left / 146_097).saturating_mul(400));
    left %= 146_097;
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        match left.checked_sub(length) {
            Some(rest) => (year, left) = (year.saturating_add(1), rest),
            None => break,
        }
    }
    let february = if is_leap(year) { 29 } else { 28 };
    for (month, length) in (1..).zip([31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) {
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => return (year, month, left.saturating_add(1)),
        }
    }
    (year, 12, 31)
}

/// Formats a number of seconds with its two largest units.
#[cold]
pub(super) fn duration(seconds: u64) -> String {
    let two = |large: u64, large_name: &str, small: u64, small_name: &str| {
        let whole = seconds.checked_div(large).unwrap_or_default();
        match seconds.checked_rem(large).and_then(|rest| rest.checked_div(small)).unwrap_or_default() {
            0 => format!("{whole} {large_name}"),
            rest => format!("{whole} {large_name} {rest} {small_name}"),
        }
    };
    match seconds {
        DAY.. => two(DAY, "d", HOUR, "h"),
        HOUR.. => two(HOUR, "h", MINUTE, "min"),
        MINUTE.. => two(MINUTE, "min", 1, "s"),
        _ => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_gregorian_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_700_000_000, "2023-11-14T22:13:20Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (13_569_465_600, "2400-01-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(date(seconds), text);
        }
    }

    #[test]
    fn durations_have_two_units() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_599, "59 min 59 s"),
            (3_600, "1 h"),
            (7_500, "2 h 5 min"),
            (86_400, "1 d"),
            (183_600, "2 d 3 h"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }
}
