//! Dates in claims.

use crate::json::Value;

/// Seconds since the Unix epoch, possibly with a fraction (RFC 7519 section 2, "NumericDate").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NumericDate {
    seconds: u64,
    has_fraction: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DateError {
    NotANumber,
    OutOfRange,
}

impl NumericDate {
    /// 9999-12-31T23:59:59Z, the last second that RFC 3339 can express.
    const LAST: u64 = 253_402_300_799;

    pub(super) fn parse(value: &Value<'_>) -> Result<Self, DateError> {
        match *value {
            Value::Unsigned(seconds) if seconds <= Self::LAST => Ok(Self { seconds, has_fraction: false }),
            Value::Number(number) if (0.0..=Self::LAST as f64).contains(&number) => {
                let seconds = number as u64;
                Ok(Self { seconds, has_fraction: seconds as f64 != number })
            }
            Value::Unsigned(_) | Value::Number(_) => Err(DateError::OutOfRange),
            _ => Err(DateError::NotANumber),
        }
    }

    /// Returns the last whole second that is not later.
    pub(crate) fn floor(self) -> u64 {
        self.seconds
    }

    /// Returns the first whole second that is not earlier.
    pub(crate) fn ceil(self) -> u64 {
        self.seconds.saturating_add(u64::from(self.has_fraction))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numeric_date_is_a_finite_number_before_the_year_10000() {
        for (value, expected) in [
            (Value::Unsigned(0), Ok((0, 0))),
            (Value::Number(1.5), Ok((1, 2))),
            (Value::Number(2.0), Ok((2, 2))),
            (Value::Unsigned(NumericDate::LAST), Ok((NumericDate::LAST, NumericDate::LAST))),
            (Value::Unsigned(NumericDate::LAST + 1), Err(DateError::OutOfRange)),
            (Value::Number(1e300), Err(DateError::OutOfRange)),
            (Value::Number(-1.0), Err(DateError::OutOfRange)),
            (Value::Null, Err(DateError::NotANumber)),
            (Value::Bool(true), Err(DateError::NotANumber)),
            (Value::String("1700000000".into()), Err(DateError::NotANumber)),
        ] {
            assert_eq!(NumericDate::parse(&value).map(|date| (date.floor(), date.ceil())), expected, "{value:?}");
        }
    }
}
