//! Text of strangers on a terminal: what can't be seen, or changes how the rest is seen, is written out.

use serde_json::Value;
use std::fmt::Write;

/// Control characters, which a terminal obeys, and what it shows nothing of: bidirectional controls (Unicode UAX #9, "Trojan Source"),
/// characters of no width, line separators, tags.
pub fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// A JSON text on one line, or on several with `{:#}`'s indentation, whose strings have such characters as `\u` escapes (RFC 8259
/// section 7): to a reader of JSON it is the same.
pub fn json(value: &Value, is_indented: bool) -> String {
    let text = if is_indented { format!("{value:#}") } else { value.to_string() };
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        // In a string serde_json has escaped it, so that this one is between the members.
        if letter == '\n' || !is_unseen(letter) {
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

/// A text of several lines, with such characters as Rust would write them.
pub fn lines(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter == '\n' || !is_unseen(letter) {
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

    const UNSEEN: &str = "\u{1b}[2J\u{7f}\u{9b}31m\u{202e}\u{2066}\u{200b}\u{2028}\u{feff}\u{e0041}\r";

    #[test]
    fn json_is_the_same_to_a_reader_and_has_nothing_unseen() {
        let value = json!({ UNSEEN: [UNSEEN, { "plain": "é 漢 🦀 \"\\\n\t" }] });
        for is_indented in [false, true] {
            let shown = json(&value, is_indented);
            assert!(!shown.chars().any(|letter| letter != '\n' && is_unseen(letter)), "{shown:?}");
            assert_eq!(shown.contains('\n'), is_indented);
            assert_eq!(serde_json::from_str::<Value>(&shown).expect("JSON"), value);
        }
        let plain = json!({ "plain": "é 漢 🦀 नमस्ते" });
        assert_eq!(json(&plain, false), plain.to_string());
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(lines("a\nb é"), "a\nb é");
        assert_eq!(lines("a\u{1b}[2J\u{202e}\rb"), "a\\u{1b}[2J\\u{202e}\\rb");
    }
}
