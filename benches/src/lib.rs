//! Shared by the benchmarks: the verifiers, configured alike, and interleaved measurement.

pub mod eddsa;
pub mod interleaved;
pub mod ours;
pub mod peers;
pub mod providers;
pub mod side;
pub mod zipf;
