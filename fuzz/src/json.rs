//! The JSON parser of the core, compared with a reference and serde_json.
//!
//! Oracles: the parser accepts exactly what the reference accepts (RFC 8259, the depth, one object, no duplicates at any depth). Every member
//! and value is that of the reference and of serde_json. If duplicates are marked, exactly the objects with duplicates are marked. Another
//! encoding of the same JSON has the same result.

use crate::{
    reference::json::{ParseError, Tree},
    text::{Order, respelled},
};
use arbitrary::Unstructured;
use core_json::{Duplicates, Object, Value, parse_object, parse_object_text};

/// The parser, which is private to the core.
#[path = "../../guest/core/src/json/mod.rs"]
#[allow(dead_code, missing_docs, unreachable_pub, unused_imports, reason = "it is a file of another crate")]
mod core_json;

/// The input is a byte for the depth, followed by the text.
pub fn run(data: &[u8]) {
    let Some((depth, text)) = data.split_first() else { return };
    // The range that the limits allow: from 4 to 100.
    let depth = 4 + u32::from(*depth) % 97;
    let expected = Tree::read(text, depth);
    if expected == Err(ParseError::Unsure) {
        return;
    }
    let expected = expected.ok().filter(|tree| matches!(tree, Tree::Object(_)));
    let rejecting = parse_object(text, depth, Duplicates::Reject);
    let marking = parse_object(text, depth, Duplicates::Mark);
    if let Ok(text) = std::str::from_utf8(text) {
        assert_eq!(parse_object_text(text, depth, Duplicates::Reject), rejecting, "read as text");
        assert_eq!(parse_object_text(text, depth, Duplicates::Mark), marking, "read as text");
    }
    let public = poolgate_core::check_json_object(text, depth);
    assert_eq!(public.is_ok(), rejecting.is_ok(), "{public:?}");

    let Some(tree) = expected else {
        assert!(
            rejecting.is_err() && marking.is_err(),
            "accepted, and the reference rejects it: {rejecting:?} {marking:?}"
        );
        return;
    };
    match &marking {
        Ok(object) => {
            assert!(!tree.is_ambiguous() && is_marked(object, &tree), "{object:?} is marked differently from {tree:?}")
        }
        Err(error) => assert!(tree.is_ambiguous(), "{error:?}, and the reference accepts {tree:?}"),
    }
    match &rejecting {
        Err(error) => {
            assert!(tree.has_duplicates(), "{error:?}, and the reference accepts {tree:?}");
            assert_eq!(*error, core_json::ParseError::DuplicateMember);
        }
        Ok(object) => {
            assert!(!tree.has_duplicates(), "duplicates are accepted: {tree:?}");
            assert!(is_marked(object, &tree), "{object:?} is not {tree:?}");
            let theirs = serde_json::from_slice(text).expect("serde_json accepts what is accepted");
            assert!(is_theirs(object, &theirs), "{object:?} is not {theirs:?}");
            let again = respelled(&tree, Order::Kept, &mut Unstructured::new(text));
            assert_eq!(parse_object(again.as_bytes(), depth, Duplicates::Reject).as_ref(), Ok(object), "{again}");
        }
    }
}

/// Returns whether an object is equal to that of the reference, with exactly the objects marked that have duplicates.
fn is_marked(object: &Object<'_>, tree: &Tree) -> bool {
    let Tree::Object(members) = tree else { return false };
    let is_same =
        |((name, value), (own, tree)): ((&str, &Value<'_>), &(String, Tree))| name == own && is_same_value(value, tree);
    object.iter().count() == members.len()
        && object.iter().zip(members).all(is_same)
        && members.iter().all(|(name, tree)| object.get(name).is_some_and(|value| is_same_value(value, tree)))
}

fn is_same_value(value: &Value<'_>, tree: &Tree) -> bool {
    match (value, tree) {
        (Value::Ambiguous, tree) => tree.is_ambiguous(),
        (Value::Null, Tree::Null) => true,
        (Value::Bool(value), Tree::Bool(expected)) => value == expected,
        (Value::String(value), Tree::String(expected)) => value == expected,
        (Value::Unsigned(value), tree) => tree.as_u64() == Some(*value),
        (Value::Number(value), Tree::Number(_)) => {
            tree.as_u64().is_none() && tree.as_f64().is_some_and(|expected| is_near(*value, expected))
        }
        (Value::Array(values), Tree::Array(trees)) => {
            values.len() == trees.len() && values.iter().zip(trees).all(|(value, tree)| is_same_value(value, tree))
        }
        (Value::Object(object), tree) => !tree.is_ambiguous() && is_marked(object, tree),
        _ => false,
    }
}

/// serde_json rounds some doubles differently from std, in the last one or two bits.
fn is_near(value: f64, expected: f64) -> bool {
    (value - expected).abs() <= expected.abs() * 1e-14 + 1e-300
}

fn is_theirs(object: &Object<'_>, theirs: &serde_json::Value) -> bool {
    let Some(members) = theirs.as_object() else { return false };
    object.iter().count() == members.len()
        && object.iter().all(|(name, value)| members.get(name).is_some_and(|theirs| is_their_value(value, theirs)))
}

fn is_their_value(value: &Value<'_>, theirs: &serde_json::Value) -> bool {
    match (value, theirs) {
        (Value::Null, serde_json::Value::Null) => true,
        (Value::Bool(value), serde_json::Value::Bool(theirs)) => value == theirs,
        (Value::String(value), serde_json::Value::String(theirs)) => value == theirs,
        (Value::Unsigned(value), serde_json::Value::Number(theirs)) => theirs.as_u64() == Some(*value),
        (Value::Number(value), serde_json::Value::Number(theirs)) => theirs.as_f64() == Some(*value),
        (Value::Array(values), serde_json::Value::Array(theirs)) => {
            values.len() == theirs.len()
                && values.iter().zip(theirs).all(|(value, theirs)| is_their_value(value, theirs))
        }
        (Value::Object(object), theirs) => is_theirs(object, theirs),
        _ => false,
    }
}
