//! Jitter, which spreads refreshes and retries over time: the same in all instances of a verifier, different between verifiers.

use crate::config::KeyPolicy;

/// Returns the seconds to wait after `failures` consecutive failures: exponential back-off, reduced at random by up to one half.
pub(crate) fn retry_delay(policy: &KeyPolicy, endpoint: usize, failures: u32) -> u64 {
    let doublings = failures.saturating_sub(1).min(31);
    let delay = u64::from(policy.retry_min).checked_shl(doublings).unwrap_or(u64::MAX).min(policy.retry_max.into());
    delay.saturating_sub(below(delay / 2, policy.jitter_seed, endpoint, failures.into()))
}

/// Returns the seconds after which keys with this soft lifetime are refreshed: up to one tenth early.
pub(crate) fn refresh_delay(policy: &KeyPolicy, endpoint: usize, soft_ttl: u64, generation: u64) -> u64 {
    soft_ttl.saturating_sub(below(soft_ttl / 10, policy.jitter_seed, endpoint, generation))
}

/// Returns a number from 0 to `most`.
fn below(most: u64, seed: u64, endpoint: usize, count: u64) -> u64 {
    let endpoint = u64::try_from(endpoint).unwrap_or(0);
    let mixed = mix(mix(mix(seed) ^ endpoint) ^ count);
    // `most` is at most 2^32, so the bias of the modulus does not matter.
    mixed.checked_rem(most.saturating_add(1)).unwrap_or(0)
}

/// The finalizer of splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
fn mix(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_double_up_to_the_maximum_and_are_spread_by_half() {
        let policy = KeyPolicy { retry_min: 2, retry_max: 60, ..KeyPolicy::default() };
        for (failures, full) in [(1, 2), (2, 4), (3, 8), (4, 16), (5, 32), (6, 60), (7, 60), (40, 60), (u32::MAX, 60)] {
            for endpoint in 0..50 {
                let delay = retry_delay(&policy, endpoint, failures);
                assert!((full / 2..=full).contains(&delay), "{failures} failures: {delay} of {full}");
            }
        }
        let delays: alloc::collections::BTreeSet<u64> =
            (0..50).map(|endpoint| retry_delay(&policy, endpoint, 6)).collect();
        assert!(delays.len() > 10, "fifty endpoints retry at {} different times", delays.len());
    }

    #[test]
    fn another_seed_is_another_spread() {
        let with = |jitter_seed| KeyPolicy { jitter_seed, ..KeyPolicy::default() };
        let delays = |seed| {
            (0..20).map(|endpoint| refresh_delay(&with(seed), endpoint, 3_600, 1)).collect::<alloc::vec::Vec<_>>()
        };
        assert_eq!(delays(7), delays(7));
        assert_ne!(delays(7), delays(8));
        assert!(delays(7).iter().all(|delay| (3_240..=3_600).contains(delay)));
    }
}
