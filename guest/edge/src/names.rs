//! The names of cookies and query parameters that carry a token.

/// A name, or every name with a start, an end, and at least one byte between them.
#[derive(Debug)]
pub(crate) struct NamePattern {
    start: String,
    /// None: the start is the name.
    end: Option<String>,
}

impl NamePattern {
    pub(crate) fn exact(name: &str) -> Self {
        Self { start: name.to_owned(), end: None }
    }

    /// Creates a pattern with one `*`.
    pub(crate) fn pattern(text: &str) -> Self {
        match text.split_once('*') {
            Some((start, end)) => Self { start: start.to_owned(), end: Some(end.to_owned()) },
            None => Self::exact(text),
        }
    }

    /// Returns whether this is such a name, byte for byte.
    pub(crate) fn matches(&self, own: &[u8]) -> bool {
        self.matches_by(own, |byte| byte)
    }

    /// Returns whether an application may read `own` as such a name of a cookie or parameter. Some decode percent-encoding (CVE-2020-8184), some
    /// ignore white space around the name, also that of Unicode or Latin-1, and PHP reads dots, spaces and brackets as `_` (CVE-2022-31629).
    pub(crate) fn may_match(&self, own: &str) -> bool {
        let own: Vec<u8> = decoded(own).collect();
        let start = own.iter().position(u8::is_ascii_graphic).unwrap_or_default();
        let end = own.iter().rposition(u8::is_ascii_graphic).unwrap_or_default();
        let inner = own.get(start..=end).unwrap_or_default();
        self.matches_by(inner, |byte| if matches!(byte, b'.' | b' ' | b'[' | b'+') { b'_' } else { byte })
    }

    fn matches_by(&self, own: &[u8], plain: fn(u8) -> u8) -> bool {
        let equal = |own: &[u8], text: &str| own.iter().copied().map(plain).eq(text.bytes().map(plain));
        let Some(end) = &self.end else { return equal(own, &self.start) };
        let rest = own.split_at_checked(self.start.len()).filter(|(start, _)| equal(start, &self.start));
        rest.is_some_and(|(_, rest)| {
            let between = rest.len().saturating_sub(end.len());
            between > 0 && rest.get(between..).is_some_and(|own| equal(own, end))
        })
    }
}

/// Decodes percent-encoding (RFC 3986 section 2.1).
pub(crate) fn decoded(text: &str) -> impl Iterator<Item = u8> {
    let mut bytes = text.bytes();
    std::iter::from_fn(move || match bytes.next()? {
        b'%' => {
            let after = bytes.clone();
            let mut digit = || bytes.next().and_then(|digit| char::from(digit).to_digit(16));
            match (digit(), digit()) {
                (Some(high), Some(low)) => u8::try_from(high << 4 | low).ok(),
                _ => {
                    bytes = after;
                    Some(b'%')
                }
            }
        }
        byte => Some(byte),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_needs_a_byte_in_place_of_the_star() {
        let names = NamePattern::pattern("Provider.id.*.accessToken");
        for (own, expected) in [
            ("Provider.id.ada.accessToken", true),
            ("Provider.id.a.b%40c.accessToken", true),
            ("Provider.id.*.accessToken", true),
            ("Provider.id..accessToken", false),
            ("Provider.id.accessToken", false),
            ("Provider.id.ada.accessTokenX", false),
            ("xProvider.id.ada.accessToken", false),
            ("provider.id.ada.accessToken", false),
            ("Provider.id.ada.idToken", false),
            ("Provider.id.LastAuthUser", false),
        ] {
            assert_eq!(names.matches(own.as_bytes()), expected, "{own}");
            assert!(!expected || names.may_match(own), "{own}");
        }
        for own in
            ["Provider_id_ada_accessToken", "Provider%2Eid.ada.accessToken ", "\u{2003}Provider.id.ada.accessToken"]
        {
            assert!(!names.matches(own.as_bytes()) && names.may_match(own), "{own}");
        }
        for own in ["", "Provider.id.", "Provider.id.ada", ".accessToken", "Provider_id_accessToken"] {
            assert!(!names.may_match(own), "{own}");
        }
        let at_the_end = NamePattern::pattern("t_*");
        assert!(at_the_end.matches(b"t_1") && !at_the_end.matches(b"t_") && !at_the_end.matches(b"t"));
    }
}
