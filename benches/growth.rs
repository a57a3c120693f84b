//! How does the cost of a verification grow: with the token's size, the number of pools, of keys in a set, the size of the token cache, and
//! the number of threads?
//!
//! The points of a series are measured in turn. `--json` prints a JSON object a series, which `benches/growth/run.py` draws.

#[path = "growth/cached.rs"]
mod cached;
#[path = "growth/series.rs"]
mod series;
#[path = "growth/uncached.rs"]
mod uncached;

use series::{Effort, Series};
use std::env;

fn main() {
    let is_asked = |option: &str| env::args().any(|argument| argument == option);
    let effort = if is_asked("--test") { Effort::SMOKE } else { Effort::FULL };
    let measurements: [fn(&Effort) -> Series; 5] =
        [uncached::by_size, uncached::by_pools, uncached::by_keys, cached::by_cache, uncached::by_threads];
    for measure in measurements {
        let series = measure(&effort);
        if is_asked("--json") { println!("{}", series.to_json()) } else { print!("{}", series.to_text()) }
    }
}
