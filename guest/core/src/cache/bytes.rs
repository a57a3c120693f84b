//! The bytes of a token: comparing them, and a fingerprint to find them by.

/// Returns whether two strings have the same bytes. It compares eight words at a time: on wasm32, `==` compares byte by byte, which takes
/// longer than the rest of a cache hit.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    const ROUND: usize = 64;
    if one.len() != other.len() {
        return false;
    }
    let ((one, one_rest), (other, other_rest)) =
        (one.as_bytes().as_chunks::<ROUND>(), other.as_bytes().as_chunks::<ROUND>());
    let words = |round: &[u8; ROUND]| {
        let (words, _) = round.as_chunks::<8>();
        let word = |at: usize| words.get(at).map_or(0, |word| u64::from_le_bytes(*word));
        [word(0), word(1), word(2), word(3), word(4), word(5), word(6), word(7)]
    };
    let differs = |(one, other): (&[u8; ROUND], &[u8; ROUND])| {
        words(one).into_iter().zip(words(other)).fold(0, |differs, (one, other)| differs | (one ^ other)) != 0
    };
    !one.iter().zip(other).any(differs) && one_rest == other_rest
}

/// Returns eight characters from the end of the signature, which are as random as a hash of the whole token. They serve to find an entry,
/// whose bytes are then compared.
///
/// The last character is left out, because it may encode only two bits. A string of fewer than nine characters has no signature.
pub(super) fn fingerprint(token: &str) -> Option<u64> {
    let (_, tail) = token.as_bytes().split_last_chunk::<9>()?;
    let (start, _) = tail.split_first_chunk::<8>()?;
    Some(u64::from_le_bytes(*start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_the_same_if_every_byte_is() {
        let text = "x".repeat(300);
        for length in [0, 1, 7, 8, 63, 64, 65, 128, 200, 300] {
            let one = text.get(..length).unwrap();
            assert!(is_same(one, one));
            assert!(!is_same(one, text.get(..length + 1).unwrap_or("y")));
            for index in 0..length {
                let mut other = one.as_bytes().to_vec();
                other[index] ^= 1;
                assert!(!is_same(one, core::str::from_utf8(&other).unwrap()), "{length} bytes, at {index}");
            }
        }
    }
}
