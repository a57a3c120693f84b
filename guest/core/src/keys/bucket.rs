//! A token bucket, which limits the fetches for unknown key IDs.

use super::monotonic_clock::Instant;

#[derive(Debug)]
pub(crate) struct Bucket {
    left: u32,
    /// When the bucket last gained a fetch, or was full.
    filled: Instant,
}

impl Bucket {
    pub(crate) fn full(capacity: u32, now: Instant) -> Self {
        Self { left: capacity, filled: now }
    }

    /// Takes one fetch, and returns whether there was one. `interval` is in seconds.
    pub(crate) fn take(&mut self, now: Instant, capacity: u32, interval: u32) -> bool {
        self.fill(now, capacity, interval);
        let is_left = self.left > 0;
        self.left = self.left.saturating_sub(1);
        is_left
    }

    /// Reduces the bucket to at most `left` fetches. It fills again with time.
    pub(crate) fn leave(&mut self, left: u32) {
        self.left = self.left.min(left);
    }

    fn fill(&mut self, now: Instant, capacity: u32, interval: u32) {
        let gained = now.since(self.filled).checked_div(interval.into()).unwrap_or(0);
        self.left = self.left.saturating_add(u32::try_from(gained).unwrap_or(u32::MAX)).min(capacity);
        self.filled =
            if self.left == capacity { now } else { self.filled.after(gained.saturating_mul(interval.into())) };
    }
}

#[cfg(test)]
mod tests {
    use super::super::monotonic_clock::MonotonicClock;
    use super::*;

    #[test]
    fn it_never_gives_more_than_its_capacity_and_one_an_interval() {
        let mut clock = MonotonicClock::new();
        let mut bucket = Bucket::full(3, clock.advance(0));
        let mut taken = 0;
        for now in 0..100 {
            let now = clock.advance(now);
            while bucket.take(now, 3, 10) {
                taken += 1;
            }
        }
        assert_eq!(taken, 3 + 9, "three at once, and one at 10, 20 … 90");
        let much_later = clock.advance(1_000_000);
        assert_eq!((0..10).filter(|_| bucket.take(much_later, 3, 10)).count(), 3, "it holds no more than its capacity");
    }

    #[test]
    fn a_reduced_bucket_gains_one_an_interval() {
        let mut clock = MonotonicClock::new();
        let mut bucket = Bucket::full(3, clock.advance(0));
        bucket.leave(1);
        let now = clock.advance(1);
        assert!(bucket.take(now, 3, 10) && !bucket.take(now, 3, 10));
        let later = clock.advance(1_000);
        assert_eq!((0..10).filter(|_| bucket.take(later, 3, 10)).count(), 3);
    }
}
