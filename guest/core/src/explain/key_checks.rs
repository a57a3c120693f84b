//! The checks of the key and of the signature.

use super::{
    explanation::{Check, CheckResult, Stage},
    json_text::string,
    time_text::duration,
};
use crate::{
    header::Header,
    keys::{KeyRefreshError, KeyReport, KeyState},
    reason::Reason,
};
use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use core::fmt::{Debug, Write};

/// The maximum number of skipped keys that are listed.
const SKIPPED_MAX: usize = 20;

/// `report` is about the key set of the issuer.
#[cold]
pub(crate) fn key_check(header: &Header, report: &KeyReport, result: Result<(), Reason>) -> Check {
    let name = |key_id: &alloc::boxed::Box<str>| {
        if key_id.is_empty() { "a key without `kid`".to_owned() } else { string(key_id) }
    };
    Check {
        member: Some("kid".to_owned()),
        found: header.key_id.as_deref().map(string),
        accepted: report.key_ids.iter().map(name).collect(),
        detail: Some(state(report)),
        ..Check::new(Stage::Key, result.into())
    }
}

#[cold]
pub(crate) fn signature_check(header: &Header, result: Option<Result<(), Reason>>) -> Check {
    let detail = result.map(|_| format!("{} with the key of the issuer.", header.algorithm.name()));
    Check { detail, ..Check::new(Stage::Signature, result.map_or(CheckResult::NotChecked, CheckResult::from)) }
}

#[cold]
fn state(report: &KeyReport) -> String {
    let origin =
        report.url.as_deref().map_or_else(|| "loaded locally".to_owned(), |url| format!("from {}", string(url)));
    let age = report.age.map(|age| format!(", {} old", duration(age))).unwrap_or_default();
    let mut text = match report.state {
        KeyState::Missing => format!("There is no key set yet ({origin})."),
        KeyState::Fresh | KeyState::Stale => {
            format!("The key set ({origin}{age}) has {} usable keys by `kid`.", report.key_ids.len())
        }
        KeyState::Expired => format!("The key set ({origin}{age}) is past its hard lifetime and is not used."),
    };
    if let Some(error) = report.last_error {
        let error = match error {
            KeyRefreshError::Fetch(error) => name_of(&error),
            KeyRefreshError::KeySet(error) => name_of(&error),
        };
        // Writing to a text can't fail.
        let _ = write!(text, " The last fetch failed: {error}.");
    }
    let skipped: Vec<String> = report.skipped.iter().take(SKIPPED_MAX).map(skipped_key).collect();
    if !skipped.is_empty() {
        let _ = write!(text, " Skipped: {}.", skipped.join("; "));
    }
    let more = report.skipped.len().saturating_sub(SKIPPED_MAX);
    if more > 0 {
        let _ = write!(text, " {more} more keys are skipped.");
    }
    text
}

#[cold]
fn skipped_key(key: &crate::keys::SkippedKey) -> String {
    let name = key.key_id.as_deref().map(|key_id| format!(" ({})", string(key_id))).unwrap_or_default();
    let member = key.member.map(|member| format!(", `{member}`")).unwrap_or_default();
    format!("keys[{}]{name}: {}{member}", key.index, name_of(&key.error))
}

/// Returns the name of an error as in the WIT contract: its Rust name, in lower case with hyphens.
#[cold]
fn name_of(error: &impl Debug) -> String {
    let mut name = String::new();
    for letter in format!("{error:?}").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{FetchError, KeyError, KeySetError};

    #[test]
    fn errors_have_the_names_of_the_contract() {
        assert_eq!(name_of(&KeyError::ModulusTooSmall), "modulus-too-small");
        assert_eq!(name_of(&KeySetError::NoUsableKey), "no-usable-key");
        assert_eq!(name_of(&FetchError::TimedOut), "timed-out");
    }
}
