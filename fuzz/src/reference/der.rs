//! DER (X.690 sections 8 and 10): elements with a one-byte tag and a definite length in its shortest form.

pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;

/// Reads an element with this tag. Returns its contents, and what follows it.
pub(crate) fn first(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let [own, length, rest @ ..] = bytes else { return None };
    if *own != tag {
        return None;
    }
    let (length, rest) = match length {
        0..0x80 => (usize::from(*length), rest),
        // The number of bytes of the length. 0x80 is the indefinite form of BER.
        _ => {
            let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            let length = digits
                .iter()
                .try_fold(0usize, |length, digit| length.checked_mul(256)?.checked_add((*digit).into()))?;
            let is_shortest = length >= 0x80 && digits.first() != Some(&0);
            (Some(length).filter(|_| is_shortest)?, rest)
        }
    };
    rest.split_at_checked(length)
}

/// Reads an element with this tag, which nothing follows. Returns its contents.
pub(crate) fn only(tag: u8, bytes: &[u8]) -> Option<&[u8]> {
    first(tag, bytes).filter(|(_, rest)| rest.is_empty()).map(|(contents, _)| contents)
}

/// Reads the arcs of an object identifier (X.690 section 8.19).
pub(crate) fn arcs(contents: &[u8]) -> Option<Vec<u64>> {
    let mut numbers = Vec::new();
    let mut number = None;
    for byte in contents {
        // A number starts with no zero digit.
        if number.is_none() && *byte == 0x80 {
            return None;
        }
        let digits: u64 = number.unwrap_or(0);
        let longer = digits.checked_mul(128)?.checked_add(u64::from(byte & 0x7f))?;
        number = (*byte >= 0x80).then_some(longer);
        if number.is_none() {
            numbers.push(longer);
        }
    }
    let (joint, others) = numbers.split_first().filter(|_| number.is_none())?;
    let root = (joint / 40).min(2);
    Some([root, joint - 40 * root].into_iter().chain(others.iter().copied()).collect())
}
