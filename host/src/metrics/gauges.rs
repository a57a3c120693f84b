//! Gauges of the sandbox, which the instances update.

use prometheus_client::metrics::gauge::Gauge;

/// The number of instances of a verifier, and the linear memory of all of them together.
#[derive(Clone, Debug, Default)]
pub(crate) struct SandboxGauges {
    pub(crate) instances: Gauge,
    pub(crate) memory: Gauge,
}
