//! docs/cookbook.md: every policy on the page is valid, complete and minimal, and every row of its tables is true.

mod in_gate;
mod native;
mod outcome;
mod page;
mod request;
mod tokens;

/// The page.
const PAGE: &str = include_str!("../../docs/cookbook.md");
