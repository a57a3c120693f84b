//! Changes of the members of a JSON object.

use super::NOW;
use crate::drawing as arbitrary;
use crate::reference::json::Tree;
use derive_arbitrary::Arbitrary;

/// A change of one member, by the number of its name.
#[derive(Arbitrary, Debug)]
pub(super) enum Change {
    Set(u8, Value),
    Remove(u8),
    Again(u8, Value),
}

#[derive(Arbitrary, Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// Seconds from now.
    Time(i16),
    HalfLater(i16),
    Exponent(u16, i8),
    Negative(u32),
    Unsigned(u64),
    Name(u8),
    Names(Vec<u8>),
    Mixed(Vec<u8>),
    Nested(u8),
    Text(String),
}

/// Changes the members of an object. The names are of members, and the texts are likely values.
pub(super) fn change(members: &mut Vec<(String, Tree)>, changes: &[Change], names: &[&str], texts: &[&str]) {
    for change in changes.iter().take(12) {
        let named = |number: &u8| names[usize::from(*number) % names.len()];
        match change {
            Change::Remove(number) => members.retain(|(own, _)| own != named(number)),
            Change::Again(number, value) => members.push((named(number).to_owned(), value.tree(texts))),
            Change::Set(number, value) => {
                members.retain(|(own, _)| own != named(number));
                members.push((named(number).to_owned(), value.tree(texts)));
            }
        }
    }
}

impl Value {
    /// Fractions and exponents are chosen so that every parser reads the same double.
    fn tree(&self, texts: &[&str]) -> Tree {
        let text = |number: &u8| Tree::String(texts[usize::from(*number) % texts.len()].to_owned());
        match self {
            Value::Null => Tree::Null,
            Value::Bool(value) => Tree::Bool(*value),
            Value::Time(offset) => Tree::Number(near(*offset).to_string()),
            Value::HalfLater(offset) => Tree::Number(format!("{}.5", near(*offset))),
            Value::Exponent(digits, power) => Tree::Number(format!("{digits}e{}", power.rem_euclid(20))),
            Value::Negative(number) => Tree::Number(format!("-{number}")),
            Value::Unsigned(number) => Tree::Number(number.to_string()),
            Value::Name(number) => text(number),
            Value::Names(numbers) => Tree::Array(numbers.iter().take(6).map(text).collect()),
            Value::Mixed(numbers) => Tree::Array(
                numbers.iter().take(6).map(|number| if *number > 200 { Tree::Null } else { text(number) }).collect(),
            ),
            Value::Nested(depth) => (0..depth % 24).fold(Tree::Null, |inner, _| Tree::Array(vec![inner])),
            Value::Text(text) => Tree::String(text.chars().take(40).collect()),
        }
    }
}

/// Returns a time that is this many seconds from now.
pub(super) fn near(offset: i16) -> u64 {
    NOW.saturating_add_signed(offset.into())
}
