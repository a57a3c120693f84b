//! Medians of interleaved rounds, so that other load on the machine affects both libraries alike.

/// The median; 0 if there are no values.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// The medians of two libraries, which take turns. Each function runs one round and returns its duration.
pub async fn interleaved(
    rounds: usize,
    mut ours: impl AsyncFnMut(usize) -> f64,
    mut peer: impl AsyncFnMut(usize) -> f64,
) -> (f64, f64) {
    // The first round is not counted: it warms up caches and branch predictors.
    ours(0).await;
    peer(0).await;
    let (mut our_times, mut peer_times) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        our_times.push(ours(round).await);
        peer_times.push(peer(round).await);
    }
    (median(our_times), median(peer_times))
}
