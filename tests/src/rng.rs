//! A pseudorandom generator with a fixed seed, so that every run of a test draws the same numbers.

/// Marsaglia's xorshift64 generator.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// Creates a generator. The seed must not be 0.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Draws a number from 0 to `bound - 1`.
    pub fn draw(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let bound = bound.max(1) as u64;
        (self.0 % bound) as usize
    }
}
