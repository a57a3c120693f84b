//! Encodes the same JSON in different ways, which must not change the result.

use crate::reference::json::Tree;
use arbitrary::Unstructured;
use std::fmt::Write;

/// What may change in the text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Only whitespace and escapes.
    Kept,
    /// Also the order of members.
    Changed,
}

/// Encodes a value in a way that the input chooses, and plainly when the input is used up.
pub(crate) fn respelled(tree: &Tree, order: Order, input: &mut Unstructured<'_>) -> String {
    let mut text = String::new();
    spell(tree, order, input, &mut text);
    text
}

/// Encodes a value plainly.
pub(crate) fn plain(tree: &Tree) -> String {
    respelled(tree, Order::Kept, &mut Unstructured::new(&[]))
}

/// Returns the next byte of the input, or 0.
fn choice(input: &mut Unstructured<'_>) -> u8 {
    if input.is_empty() { 0 } else { input.arbitrary().unwrap_or(0) }
}

fn spell(tree: &Tree, order: Order, input: &mut Unstructured<'_>, text: &mut String) {
    space(input, text);
    match tree {
        Tree::Null => text.push_str("null"),
        Tree::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Tree::Number(number) => text.push_str(number),
        Tree::String(value) => string(value, input, text),
        Tree::Array(values) => {
            text.push('[');
            for (at, value) in values.iter().enumerate() {
                text.push_str(if at == 0 { "" } else { "," });
                spell(value, order, input, text);
            }
            space(input, text);
            text.push(']');
        }
        Tree::Object(members) => {
            text.push('{');
            let mut members: Vec<&(String, Tree)> = members.iter().collect();
            if order == Order::Changed {
                for at in 1..members.len() {
                    let other = usize::from(choice(input)) % (at + 1);
                    members.swap(at, other);
                }
            }
            for (at, (name, value)) in members.into_iter().enumerate() {
                text.push_str(if at == 0 { "" } else { "," });
                space(input, text);
                string(name, input, text);
                space(input, text);
                text.push(':');
                spell(value, order, input, text);
            }
            space(input, text);
            text.push('}');
        }
    }
    space(input, text);
}

fn space(input: &mut Unstructured<'_>, text: &mut String) {
    text.push_str(match choice(input) {
        1..=31 => " ",
        32 => "\t",
        33 => "\n",
        34 => "\r\n  ",
        _ => "",
    });
}

fn string(value: &str, input: &mut Unstructured<'_>, text: &mut String) {
    text.push('"');
    for character in value.chars() {
        let is_forced = matches!(character, '"' | '\\' | '\0'..='\u{1f}');
        if is_forced || choice(input) % 16 == 15 {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        } else {
            text.push(character);
        }
    }
    text.push('"');
}
