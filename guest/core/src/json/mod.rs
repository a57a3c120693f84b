//! A strict JSON parser: the syntax of serde_json (RFC 8259), without duplicate members at any depth, with a limit on nesting, and with
//! nothing after the value (RFC 7515 section 4, RFC 8725 section 2.4). So a text can't be interpreted in two ways.

mod parse;
mod reader;
mod value;

pub use parse::check_json_object;
pub(crate) use parse::{parse_object, parse_object_text};
pub(crate) use reader::Duplicates;
pub use reader::ParseError;
pub(crate) use value::{Object, Value};
