//! A series: the cost of a token as a function of one number.

use poolgate_benches::interleaved::{Work, interleaved, median};
use serde_json::{Value, json};
use std::fmt::Write;

/// The amount of work behind each figure.
pub struct BenchProfile {
    pub rounds: usize,
    /// Verifications of a point per round.
    pub slice: usize,
    /// The maximum number of pools and of keys.
    pub most: usize,
    /// Distinct tokens in the mix for the caches.
    pub mix: usize,
}

impl BenchProfile {
    pub const FULL: Self = Self { rounds: 41, slice: 400, most: 1_000, mix: 100_000 };
    /// Only checks that the benchmark runs, for `cargo test --benches`.
    pub const SMOKE: Self = Self { rounds: 1, slice: 20, most: 10, mix: 200 };
}

pub struct Series {
    id: &'static str,
    /// The meaning of `x`.
    what: &'static str,
    points: Vec<Point>,
}

struct Point {
    x: usize,
    us: Vec<f64>,
}

impl Series {
    pub fn measure(
        id: &'static str,
        what: &'static str,
        profile: &BenchProfile,
        works: Vec<(usize, Work<'_>)>,
    ) -> Self {
        let (numbers, mut works): (Vec<_>, Vec<_>) = works.into_iter().unzip();
        let figures = interleaved(&mut works, profile.rounds);
        let points = numbers.into_iter().zip(figures).map(|(x, us)| Point { x, us }).collect();
        Self { id, what, points }
    }

    pub fn to_json(&self) -> Value {
        let point = |Point { x, us }: &Point| json!({ "x": x, "us": us });
        json!({ "id": self.id, "what": self.what, "points": self.points.iter().map(point).collect::<Vec<_>>() })
    }

    pub fn to_text(&self) -> String {
        let mut text = format!("\nµs a token, by {}\n", self.what);
        for Point { x, us } in &self.points {
            // Writing to a String does not fail.
            let _ = writeln!(text, "  {x:>10} {:8.2}", median(us));
        }
        text
    }
}
