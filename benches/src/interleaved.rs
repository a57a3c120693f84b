//! Interleaved measurement, so that other load on the machine affects all alternatives alike.

use std::time::Instant;

/// One alternative. It does the work of the given round, and returns the number of tokens.
pub type Work<'a> = Box<dyn FnMut(usize) -> usize + 'a>;

/// Microseconds per token, for each alternative and each round. The order changes in every round, so that no alternative always runs after
/// the same other one. A first round for warming up is not counted.
pub fn interleaved(works: &mut [Work<'_>], rounds: usize) -> Vec<Vec<f64>> {
    let mut figures = vec![Vec::with_capacity(rounds); works.len()];
    for round in 0..=rounds {
        for place in 0..works.len() {
            let which = (place + round) % works.len();
            let begun = Instant::now();
            let tokens = works[which](round);
            let us = begun.elapsed().as_secs_f64() * 1e6 / tokens as f64;
            if round > 0 {
                figures[which].push(us);
            }
        }
    }
    figures
}

/// The median of an odd number of values.
pub fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
