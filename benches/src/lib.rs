//! What the benchmarks share: the verifiers, each set up the same way, and the measuring of several things in turn.

pub mod eddsa;
pub mod interleaved;
pub mod ours;
pub mod peers;
pub mod providers;
pub mod side;
pub mod zipf;
