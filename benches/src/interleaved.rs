//! Several things measured in turn, so that a busy minute of the machine falls on all alike.

use std::time::Instant;

/// What is measured: it does the work of one round, which it is told, and says how many tokens that were.
pub type Work<'a> = Box<dyn FnMut(usize) -> usize + 'a>;

/// Microseconds a token, for each work and each round. In every round another work is the first, so that none always runs in the wake of
/// the same other. A round before the first warms up and does not count.
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

/// Of an odd number of figures the middle one.
pub fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
