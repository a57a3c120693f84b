//! The metrics of a verifier, in the OpenMetrics text format of Prometheus. No label contains any part of a token.

mod counting;
mod exposition;
mod families;
mod feed;
mod gauges;
mod labels;

pub(crate) use exposition::merged;
pub(crate) use families::Metrics;
pub(crate) use gauges::SandboxGauges;
