//! The sources and the book do not contain names and phrases that were replaced before version 0.1.0. The new ones are terms of the RFCs, of
//! Cognito and of HTTP.

use std::{fs, path::Path, process::Command};

/// Names in code. CHANGELOG.md lists what replaced the public ones.
#[rustfmt::skip]
const NAMES: &[&str] = &[
    "Moment", "Timeline", "PlaceId", "place_of", "TokenPlace", "News", "hear_of", "has_worked", "Judgement", "judgement", "Recalled",
    "recall_or_verify", "remembered_tokens", "remembered_unknown_keys", "forget_keys_of", "forget_if_changed", "miss_again", "Underway",
    "UnderWay", "HeldRequest", "StatedKeys", "stated_keys", "Revocable", "ask_revocation", "ask-revocation", "verify_asked", "verify-asked",
    "RevocationAnswer", "revocation-answer", "verify_again", "verify-again", "awaits_keys", "awaits-keys", "AwaitsKeys", "awaits_revocation",
    "awaits-revocation", "SeedError", "SeedFailure", "KeySetFault", "seed-error", "seed_keys", "seed-keys", "seeded_keys_only",
    "older-than-held", "OlderThanHeld", "proof_comes_first", "proof-comes-first", "floor-ms", "floor-jitter-ms", "PrivateReason",
    "ProblemName", "problem-name", "Unstated", "ConfigFault", "FetchFault", "KeyFault", "SignatureFault", "of_sign_in_of", "of_user_of",
    "LONGEST_COGNITO_TOKEN", "Answering", "haunt", "test_doors", "test-doors", "tell_reason", "calls_under_way", "without_maintenance",
    "maintain_every", "name_issuers", "count_let_through", "poolgate_revocation_let_through_total", "poolgate_revocation_questions_total",
    "poolgate_stale_serves_total", "poolgate_negative_hits_total", "poolgate_key_sets_refused_total", "poolgate_keys_shared",
    "poolgate_requests_held", "came_at", "came-at", "dice", "Dice",
];

/// Phrases in prose, comments and messages. Case is ignored.
#[rustfmt::skip]
const PHRASES: &[&str] = &[
    "comes again", "come again", "unless stated", "is stated", "are stated", "nobody can find out", "tells nobody", "tell nobody", "can't be had",
    "of yours", "two doors", "one door", "rooms in order", "who doubts", "as good as new", "what becomes of", "all the same", "good token",
    "good tokens", "bad token", "bad tokens", "hears of", "has heard", "under way",
];

const ENDINGS: [&str; 14] =
    ["rs", "wit", "py", "js", "mjs", "ts", "md", "toml", "yaml", "json", "html", "conf", "sh", "Caddyfile"];

/// Returns whether a file is not searched: this file, the changelog (which lists the old names), and generated files.
fn is_exempt(path: &str) -> bool {
    path == "tests/words.rs"
        || path == "CHANGELOG.md"
        || path.contains("/corpus/")
        || path.ends_with("package-lock.json")
}

fn is_part_of_a_word(character: Option<char>) -> bool {
    character.is_some_and(|it| it.is_alphanumeric() || matches!(it, '_' | '-'))
}

fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (text[..at].chars().next_back(), text[at + word.len()..].chars().next());
        !is_part_of_a_word(before) && !is_part_of_a_word(after)
    })
}

/// Returns the text in lower case, on one line and without comment markers, so that a phrase is found even if a line break divides it.
fn flowing(text: &str) -> String {
    let words = text.split_whitespace().filter(|word| !matches!(*word, "//" | "///" | "//!" | "#" | "*"));
    words.collect::<Vec<_>>().join(" ").to_lowercase()
}

#[test]
fn no_replaced_name_or_phrase_is_left() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(&root).output().expect("git runs");
    assert!(listed.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
    let listed = String::from_utf8(listed.stdout).expect("paths in UTF-8");
    let (mut files, mut found) = (0, Vec::new());
    for path in
        listed.split('\0').filter(|path| !is_exempt(path) && ENDINGS.iter().any(|ending| path.ends_with(ending)))
    {
        // git also lists files that are deleted in this work tree.
        let Ok(text) = fs::read_to_string(root.join(path)) else { continue };
        files += 1;
        let flowing = flowing(&text);
        let names = NAMES.iter().filter(|name| has_word(&text, name));
        let phrases = PHRASES.iter().filter(|phrase| has_word(&flowing, phrase));
        found.extend(names.chain(phrases).map(|word| format!("{path}: {word}")));
    }
    assert!(files > 400, "only {files} files were read");
    assert!(found.is_empty(), "replaced words:\n{}", found.join("\n"));
}

#[test]
fn a_word_is_found_across_lines_and_not_within_another() {
    assert!(has_word("let x: Moment = 1;", "Moment"));
    assert!(!has_word("Momentum, the_Moment", "Moment"));
    assert!(has_word(&flowing("/// A good\n/// token."), "good token"));
}
