//! The metrics of a revocation feed that is read.

use super::labels::OutcomeLabels;
use crate::revocation::FeedReport;
use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

/// Adds the metrics to a registry.
pub(super) fn register(report: &FeedReport, registry: &mut Registry) {
    let gauge = |value: u64| {
        let gauge: Gauge = Gauge::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        gauge
    };
    let entries = gauge(u64::try_from(report.entries).unwrap_or(u64::MAX));
    registry.register("revocation_feed_entries", "Revocations of the feed in memory", entries);
    if let Some(age) = report.age {
        registry.register_with_unit(
            "revocation_feed_age",
            "Time since the revocations of the feed were the present ones; absent if it has not been read yet",
            Unit::Seconds,
            gauge(age.as_secs()),
        );
    }
    let polls: Family<OutcomeLabels, Counter> = Family::default();
    for (outcome, count) in [("succeeded", report.polls), ("failed", report.failed_polls)] {
        polls.get_or_create_owned(&OutcomeLabels { outcome }).inc_by(count);
    }
    registry.register("revocation_feed_polls", "Polls of the revocation feed, by outcome", polls);
}
