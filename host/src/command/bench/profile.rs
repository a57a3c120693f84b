//! The amount of work of a benchmark run.

/// The amount of work behind each figure.
#[derive(Clone, Copy)]
pub struct BenchProfile {
    /// Interleaved measurement rounds.
    pub rounds: usize,
    /// Tokens per round.
    pub slice: usize,
    /// Distinct tokens, used in rotation.
    pub tokens: usize,
    /// Numbers of verifications after which the memory is measured.
    pub memory: [usize; 2],
}

impl BenchProfile {
    pub const FULL: Self = Self { rounds: 41, slice: 250, tokens: 2_000, memory: [100_000, 1_000_000] };
    /// Takes less than 20 seconds.
    pub const QUICK: Self = Self { rounds: 11, slice: 100, tokens: 500, memory: [10_000, 50_000] };
}
