//! Untrusted text on a terminal: characters that are invisible or change how other text is displayed are escaped.

use serde_json::Value;
use std::fmt::Write;

/// Whether a character is a control character or invisible: bidirectional controls (Unicode UAX #9, "Trojan Source"), zero-width
/// characters, line separators, tags.
pub fn is_invisible(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Formats JSON on one line, or indented like `{:#}`, with such characters as `\u` escapes (RFC 8259 section 7). A JSON parser reads the
/// same value.
pub fn json(value: &Value, is_indented: bool) -> String {
    let text = if is_indented { format!("{value:#}") } else { value.to_string() };
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        // serde_json escapes line breaks in strings, so this one separates members.
        if letter == '\n' || !is_invisible(letter) {
            shown.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            // Writing to a string does not fail.
            let _ = write!(shown, "\\u{unit:04x}");
        }
    }
    shown
}

/// Formats text on one line: line breaks are escaped too.
pub fn line(text: &str) -> String {
    lines(text).replace('\n', "\\n")
}

/// Formats text of several lines, with such characters as Rust escapes.
pub fn lines(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter == '\n' || !is_invisible(letter) {
            shown.push(letter);
        } else {
            shown.extend(letter.escape_default());
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const INVISIBLE: &str = "\u{1b}[2J\u{7f}\u{9b}31m\u{202e}\u{2066}\u{200b}\u{2028}\u{feff}\u{e0041}\r";

    #[test]
    fn json_has_the_same_value_and_no_invisible_characters() {
        let value = json!({ INVISIBLE: [INVISIBLE, { "plain": "é 漢 🦀 \"\\\n\t" }] });
        for is_indented in [false, true] {
            let shown = json(&value, is_indented);
            assert!(!shown.chars().any(|letter| letter != '\n' && is_invisible(letter)), "{shown:?}");
            assert_eq!(shown.contains('\n'), is_indented);
            assert_eq!(serde_json::from_str::<Value>(&shown).expect("JSON"), value);
        }
        let plain = json!({ "plain": "é 漢 🦀 नमस्ते" });
        assert_eq!(json(&plain, false), plain.to_string());
    }

    #[test]
    fn line_breaks_are_kept_and_invisible_characters_are_escaped() {
        assert_eq!(lines("a\nb é"), "a\nb é");
        assert_eq!(lines("a\u{1b}[2J\u{202e}\rb"), "a\\u{1b}[2J\\u{202e}\\rb");
    }
}
