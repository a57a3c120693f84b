//! Chooses a rule by the path of a request, and rejects a path that two readers would interpret differently.
//!
//! [`Rules::choose`] reads the path of a request target in every way that a known proxy, router or framework reads it, and in every way that
//! such readers read it one after another. If all readings choose the same rule, that is the rule. If two readings choose different rules,
//! the path is ambiguous.
//!
//! A rule may be for some hosts only. A [`Host`] is read in the same spirit: if it is spelled in an unusual way, or is absent, any rule may be the one
//! that a reader would choose, and the request is rejected unless they are the same.
//!
//! A rule has a [`Pattern`], which only compares text. The different ways to read a path are in the module `readings`; docs/paths.md in the
//! repository names a reader for each.
//!
//! The gateway, the Envoy filter and the middleware also share what they know about headers: [`path_override`] finds the headers from which an
//! application may take another path, and [`encode_claim`] encodes a claim.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod encoding;
mod headers;
mod host;
mod pattern;
mod readings;
mod rule;
mod rules;
mod rules_error;
mod transform;

pub use encoding::encode_claim;
pub use headers::{are_alike, is_host_override, path_override};
pub use host::{Host, HostPattern, HostPatternError};
pub use pattern::{Pattern, PatternError};
pub use rule::Rule;
pub use rules::{Case, Rules};
pub use rules_error::RulesError;

/// Runs the example of the README as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
