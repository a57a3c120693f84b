//! A mix of tokens in which a few are frequent and many are rare.

use poolgate_tests::rng::Rng;

/// Numbers below `count`, distributed by Zipf's law with exponent 1. The sequence is the same in every run.
pub fn zipf(count: usize, length: usize) -> Vec<usize> {
    let mut sums: Vec<f64> = Vec::with_capacity(count);
    for rank in 1..=count {
        sums.push(sums.last().copied().unwrap_or(0.0) + 1.0 / rank as f64);
    }
    let total = sums.last().copied().unwrap_or(1.0);
    let mut rng = Rng::new(1_949);
    let mut pick = || {
        // Drawn once per number, not in each comparison of the binary search.
        let at = total * rng.draw(1 << 30) as f64 / f64::from(1 << 30);
        sums.partition_point(|sum| *sum < at).min(count - 1)
    };
    (0..length).map(|_| pick()).collect()
}
