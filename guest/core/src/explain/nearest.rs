//! The accepted issuer that is most like that of a token.

use super::json_text::string;
use alloc::{format, string::String};

/// Says in what the nearest accepted issuer differs. Returns `None` if none is near.
#[cold]
pub(super) fn nearest<'i>(issuer: &str, accepted: impl IntoIterator<Item = &'i str>) -> Option<String> {
    let (_, own) = accepted
        .into_iter()
        .map(|own| (common(issuer, own), own))
        .max_by_key(|((before, after), _)| before.saturating_add(*after))?;
    let (before, after) = common(issuer, own);
    // Two URLs begin alike. An issuer that has less than half of its bytes in common is another one.
    if before.saturating_add(after).saturating_mul(2) < issuer.len().max(own.len()) {
        return None;
    }
    let nearest = format!("The nearest accepted issuer is {}", string(own));
    if own.eq_ignore_ascii_case(issuer) {
        return Some(format!("{nearest}. They differ in upper and lower case only."));
    }
    let middle = |text: &str| text.get(before..text.len().saturating_sub(after)).map(string);
    match (middle(own)?.as_str(), middle(issuer)?.as_str()) {
        ("\"\"", "\"/\"") => Some(format!("{nearest}. The issuer of the token has one slash more.")),
        ("\"/\"", "\"\"") => Some(format!("{nearest}. The issuer of the token has one slash less.")),
        ("\"\"", more) => Some(format!("{nearest}. The issuer of the token has {more} more.")),
        (less, "\"\"") => Some(format!("{nearest}. The issuer of the token lacks {less}.")),
        (other, found) => Some(format!("{nearest}. It has {other} where the token has {found}.")),
    }
}

/// Returns the length of the common start and of the common end of two texts, which don't overlap, in bytes.
#[cold]
fn common(one: &str, other: &str) -> (usize, usize) {
    let pairs = || one.chars().zip(other.chars());
    let before: usize = pairs().take_while(|(one, other)| one == other).map(|(letter, _)| letter.len_utf8()).sum();
    let (one, other) = (one.get(before..).unwrap_or_default(), other.get(before..).unwrap_or_default());
    let from_end = one.chars().rev().zip(other.chars().rev());
    let after = from_end.take_while(|(one, other)| one == other).map(|(letter, _)| letter.len_utf8()).sum();
    (before, after)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_nearest_issuer_is_named_with_its_difference() {
        const OWN: [&str; 3] = [
            "https://a.example",
            "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_One",
            "https://tenant.eu.auth0.com/",
        ];
        for (issuer, expected) in [
            ("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Two", r#"has "One" where the token has "Two""#),
            ("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_One/", "one slash more"),
            ("https://tenant.eu.auth0.com", "one slash less"),
            ("https://Tenant.eu.auth0.com/", "upper and lower case"),
            ("https://tenant.auth0.com/", r#"lacks "eu.""#),
            ("https://é.example", r#"has "a" where the token has "é""#),
        ] {
            let text = nearest(issuer, OWN).unwrap();
            assert!(text.contains(expected), "{issuer}: {text}");
        }
        for issuer in ["", "x", "https://accounts.google.com"] {
            assert_eq!(nearest(issuer, ["https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_One"]), None);
        }
        assert_eq!(nearest("https://a.example", []), None);
    }
}
