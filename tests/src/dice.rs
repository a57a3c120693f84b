//! Choices that are the same in every run.

/// A small generator (Marsaglia's xorshift64).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The seed must not be 0.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from 0 to `sides - 1`.
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let sides = sides.max(1) as u64;
        (self.0 % sides) as usize
    }
}
