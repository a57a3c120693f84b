//! Time, so that a busy machine does not decide who wins: slices of both sides in turn, and medians.

/// The median of some numbers; 0 of none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// The medians of two sides, each of which does a slice of its work in turn and says how long it took.
pub async fn interleaved(
    rounds: usize,
    mut ours: impl AsyncFnMut(usize) -> f64,
    mut peer: impl AsyncFnMut(usize) -> f64,
) -> (f64, f64) {
    // Not counted: caches and branch predictors learn.
    ours(0).await;
    peer(0).await;
    let (mut our_times, mut peer_times) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        our_times.push(ours(round).await);
        peer_times.push(peer(round).await);
    }
    (median(our_times), median(peer_times))
}
