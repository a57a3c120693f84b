//! The two-sample Kolmogorov–Smirnov test: the probability that two samples of one distribution differ at least as much as these
//! (Press et al., Numerical Recipes, section 14.3.3, with Stephens' approximation).

/// The probability, from 0 to 1. Neither sample may be empty.
pub fn p_value(one: &[f64], other: &[f64]) -> f64 {
    let distance = distance(one, other);
    let (one, other) = (one.len() as f64, other.len() as f64);
    let root = (one * other / (one + other)).sqrt();
    tail((root + 0.12 + 0.11 / root) * distance)
}

/// The largest difference between the two empirical distribution functions.
fn distance(one: &[f64], other: &[f64]) -> f64 {
    let sorted = |sample: &[f64]| {
        let mut sorted = sample.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted
    };
    let (one, other) = (sorted(one), sorted(other));
    let share = |sample: &[f64], value: f64| sample.partition_point(|it| *it <= value) as f64 / sample.len() as f64;
    one.iter().chain(&other).map(|value| (share(&one, *value) - share(&other, *value)).abs()).fold(0.0, f64::max)
}

/// `2 Σ (−1)^(j−1) exp(−2 j² λ²)`.
fn tail(lambda: f64) -> f64 {
    // For small values the series does not converge, and the result is 1.
    if lambda < 0.2 {
        return 1.0;
    }
    let term = |j: i32| {
        let j = f64::from(j);
        let sign = if j % 2.0 == 0.0 { -1.0 } else { 1.0 };
        sign * (-2.0 * j * j * lambda * lambda).exp()
    };
    (2.0 * (1..=100).map(term).sum::<f64>()).clamp(0.0, 1.0)
}

#[test]
fn the_p_values_match_scipy() {
    // scipy.stats.kstwobign.sf of 1.0, 1.36 and 2.0.
    for (lambda, expected) in [(1.0, 0.269_999_67), (1.36, 0.049_485_88), (2.0, 0.000_670_925_25)] {
        assert!((tail(lambda) - expected).abs() < 1e-7, "{lambda}: {}", tail(lambda));
    }
    let even: Vec<f64> = (0..500).map(f64::from).collect();
    let moved: Vec<f64> = even.iter().map(|value| value + 100.0).collect();
    assert_eq!(p_value(&even, &even), 1.0);
    assert!((distance(&even, &moved) - 0.2).abs() < 1e-12);
    assert!(p_value(&even, &moved) < 1e-8);
}
