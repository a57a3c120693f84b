//! EMSA-PKCS1-v1_5 (RFC 8017 section 9.2): the encoded message of a digest.

/// Returns whether `encoded` is `00 01 FF … FF 00 T`. T is the DER encoding of a DigestInfo: the object identifier of the hash with the
/// parameter NULL, and the digest.
///
/// Every byte of `encoded` is compared with the expected encoding. Nothing is parsed, because Bleichenbacher's signature forgery exploits
/// lenient parsers (RFC 8017 section 8.2.2, note).
pub(super) fn is_encoding(encoded: &[u8], object_identifier: &[u8], digest: &[u8]) -> bool {
    let (Some(info), Ok(oid_length), Ok(digest_length)) = (
        digest_info_length(object_identifier, digest),
        u8::try_from(object_identifier.len()),
        u8::try_from(digest.len()),
    ) else {
        return false;
    };
    // SEQUENCE { SEQUENCE { OBJECT IDENTIFIER, NULL }, OCTET STRING }. Each length is one byte.
    let sequence = [0x30, info, 0x30, oid_length.saturating_add(4), 0x06, oid_length];
    let parts: [&[u8]; 5] = [&sequence, object_identifier, &[0x05, 0x00, 0x04], &[digest_length], digest];
    let t_length: usize = parts.iter().map(|part| part.len()).sum();
    // "emLen < tLen + 11": too short for eight bytes of padding.
    let Some(padding) = encoded.len().checked_sub(t_length.saturating_add(3)).filter(|length| *length >= 8) else {
        return false;
    };
    let (head, rest) = match encoded.split_at_checked(2) {
        Some(split) => split,
        None => return false,
    };
    let Some((filling, rest)) = rest.split_at_checked(padding) else { return false };
    let Some((zero, mut rest)) = rest.split_at_checked(1) else { return false };
    let is_padded = head == [0x00, 0x01] && is_all_ones(filling) && zero == [0x00];
    let is_same = parts.iter().all(|part| match rest.split_at_checked(part.len()) {
        Some((start, end)) => {
            rest = end;
            start == *part
        }
        None => false,
    });
    is_padded && is_same && rest.is_empty()
}

/// Returns whether every bit is set. Compares eight bytes at a time.
fn is_all_ones(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<8>();
    words.iter().all(|word| u64::from_le_bytes(*word) == u64::MAX) && rest.iter().all(|byte| *byte == 0xff)
}

/// Returns the length of the content of the outer SEQUENCE, if it fits in one byte (X.690 section 8.1.3.4).
fn digest_info_length(object_identifier: &[u8], digest: &[u8]) -> Option<u8> {
    let length = object_identifier.len().checked_add(digest.len())?.checked_add(8)?;
    u8::try_from(length).ok().filter(|length| *length < 0x80)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// The object identifier 2.16.840.1.101.3.4.2.1.
    const SHA_256: [u8; 9] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
    /// RFC 8017 section 9.2, note 1.
    const PREFIX: [u8; 19] = [
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04,
        0x20,
    ];

    fn encoding(length: usize, digest: &[u8]) -> Vec<u8> {
        let padding = length - PREFIX.len() - digest.len() - 3;
        [&[0, 1][..], &alloc::vec![0xff; padding], &[0], &PREFIX, digest].concat()
    }

    #[test]
    fn the_encoding_of_a_digest_is_the_one_of_the_rfc() {
        let digest = [7; 32];
        for length in [62, 256, 384, 512] {
            assert!(is_encoding(&encoding(length, &digest), &SHA_256, &digest), "{length} bytes");
        }
        assert!(!is_encoding(&encoding(61, &digest), &SHA_256, &digest), "seven bytes of padding are too few");
    }

    #[test]
    fn no_byte_of_it_may_differ_and_none_may_be_missing_or_more() {
        let digest = [7; 32];
        let good = encoding(256, &digest);
        for index in 0..good.len() {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[index] ^= 1 << bit;
                assert!(!is_encoding(&bad, &SHA_256, &digest), "byte {index}, bit {bit}");
            }
        }
        // Bleichenbacher's forgery: less padding, and other bytes after the digest.
        let mut forged = encoding(200, &digest);
        forged.resize(256, 0);
        assert!(!is_encoding(&forged, &SHA_256, &digest));
        assert!(!is_encoding(&good[..255], &SHA_256, &digest) && !is_encoding(&[], &SHA_256, &digest));
        // Without the parameter NULL.
        let mut without = good.clone();
        without.splice(220..222, []);
        without.splice(2..2, [0xff, 0xff]);
        assert!(!is_encoding(&without, &SHA_256, &digest));
    }
}
