//! How the cost of a verification grows with the size of the token, the number of pools, the number of keys in a key set, the size of the
//! token cache, and the number of threads.
//!
//! The points of a series are measured in interleaved rounds. `--json` prints one JSON object per series, which `benches/growth/run.py`
//! draws. `growth threads` measures only that series.

#[path = "growth/cached.rs"]
mod cached;
#[path = "growth/series.rs"]
mod series;
#[path = "growth/uncached.rs"]
mod uncached;

use series::{BenchProfile, Series};
use std::env;

/// Measures a series.
type Measure = fn(&BenchProfile) -> Series;

fn main() {
    let is_asked = |option: &str| env::args().any(|argument| argument == option);
    let profile = if is_asked("--test") { BenchProfile::SMOKE } else { BenchProfile::FULL };
    let measurements: [(&str, Measure); 5] = [
        ("size", uncached::by_size),
        ("pools", uncached::by_pools),
        ("keys", uncached::by_keys),
        ("cache", cached::by_cache),
        ("threads", uncached::by_threads),
    ];
    let are_named = measurements.iter().any(|(name, _)| is_asked(name));
    for (name, measure) in measurements {
        if are_named && !is_asked(name) {
            continue;
        }
        let series = measure(&profile);
        if is_asked("--json") { println!("{}", series.to_json()) } else { print!("{}", series.to_text()) }
    }
}
