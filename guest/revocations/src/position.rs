//! The position of a reader in the feed.

use core::{fmt, str::FromStr};

/// A position in the feed: the number of the last change that a reader has applied.
///
/// Its text, the value of `after` in a request, is `EPOCH-SEQUENCE`, each with 16 hexadecimal digits in lower case.
///
/// ```
/// use poolgate_revocations::Position;
///
/// let position = Position { epoch: 0xabc, sequence: 16 };
/// assert_eq!(position.to_string(), "0000000000000abc-0000000000000010");
/// assert_eq!("0000000000000abc-0000000000000010".parse(), Ok(position));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// The numbering. A publisher that starts to count anew chooses another number at random. It is not zero.
    pub epoch: u64,
    /// The number of the change within the numbering. It increases with every change, by one or more.
    pub sequence: u64,
}

/// The text is not that of a [`Position`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PositionError;

/// The number of hexadecimal digits of a number.
const DIGITS: usize = 16;

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}-{:016x}", self.epoch, self.sequence)
    }
}

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        let (epoch, sequence) = text.split_once('-').ok_or(PositionError)?;
        let position = Self { epoch: number(epoch)?, sequence: number(sequence)? };
        if position.epoch == 0 { Err(PositionError) } else { Ok(position) }
    }
}

fn number(text: &str) -> Result<u64, PositionError> {
    let is_lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() != DIGITS || !text.bytes().all(is_lower_hex) {
        return Err(PositionError);
    }
    u64::from_str_radix(text, 16).map_err(|_| PositionError)
}

impl fmt::Display for PositionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .write_str("a position is two numbers of 16 hexadecimal digits in lower case with a hyphen between them")
    }
}

impl core::error::Error for PositionError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_position_has_one_spelling() {
        for position in [
            Position { epoch: 1, sequence: 0 },
            Position { epoch: u64::MAX, sequence: u64::MAX },
            Position { epoch: 0xdead_beef, sequence: 42 },
        ] {
            assert_eq!(position.to_string().parse(), Ok(position));
        }
        for text in [
            "",
            "-",
            "1-2",
            "0000000000000000-0000000000000001",
            "0000000000000001-000000000000000A",
            "0000000000000001-00000000000000001",
            "0000000000000001-+000000000000001",
            "0000000000000001 0000000000000001",
            "0000000000000001-0000000000000001 ",
            "0000000000000001-0000000000000001-0000000000000001",
            "000000000000000é-0000000000000001",
        ] {
            assert_eq!(text.parse::<Position>(), Err(PositionError), "{text:?}");
        }
    }
}
