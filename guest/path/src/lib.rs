//! Chooses a rule by the path of a request, and refuses a path that two readers would take for two different ones.
//!
//! [`Rules::choose`] reads the path of a request target in every way that a known proxy, router or framework reads it, and in every way that
//! such readers read it one after another. If all readings choose the same rule, that is the rule. If two readings choose different rules,
//! the path is ambiguous.
//!
//! Rules are stated by a [`Pattern`], which compares text and nothing more; all knowledge of spellings is in the readings (the module
//! `readings`, and docs/paths.md in the repository, which names the reader of each).
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod pattern;
mod readings;
mod rules;
mod transform;

pub use pattern::{Pattern, PatternError};
pub use rules::{Case, Rule, Rules, RulesError};

/// The README's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
