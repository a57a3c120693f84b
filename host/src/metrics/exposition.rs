//! The metrics as text.

use super::{
    families::Metrics,
    feed,
    labels::{IssuerLabels, issuer_label},
};
use crate::{KeyReport, revocation::FeedReport};
use prometheus_client::{encoding::text, registry::Registry};
use std::borrow::Cow;

const PREFIX: &str = "poolgate";
/// The first line of a metric family starts with this. No line of a sample does, because it starts with the name of the metric.
const FAMILY: &str = "# HELP ";

impl Metrics {
    /// Returns all metrics as text, with the state of the keys from `reports`.
    pub(crate) fn text(&self, reports: &[KeyReport], feed: Option<FeedReport>) -> String {
        with_end(self.samples(reports, feed, None, false))
    }

    /// Like [`text`](Self::text), without the metrics that reveal whether an account exists.
    pub(crate) fn public_text(&self, reports: &[KeyReport], feed: Option<FeedReport>) -> String {
        with_end(self.samples(reports, feed, None, true))
    }

    /// Returns the metrics without the end of the text. `verifier` is the label of that name, if there are several verifiers.
    /// `feed` is the state of the revocation feed, if the store reads one.
    pub(crate) fn samples(
        &self,
        reports: &[KeyReport],
        feed: Option<FeedReport>,
        verifier: Option<&'static str>,
        for_clients: bool,
    ) -> String {
        self.set_key_gauges(reports);
        let labels = verifier.map(|name| (Cow::Borrowed("verifier"), Cow::Borrowed(name)));
        let mut registry = Registry::with_prefix_and_labels(PREFIX, labels.into_iter());
        self.register(&mut registry);
        if let Some(feed) = feed {
            feed::register(&feed, &mut registry);
        }
        if !for_clients {
            self.register_for_operator(&mut registry);
        }
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = text::encode_registry(&mut text, &registry);
        text
    }

    fn set_key_gauges(&self, reports: &[KeyReport]) {
        for report in reports {
            let labels = IssuerLabels { issuer: issuer_label(report) };
            match report.age {
                Some(age) => {
                    self.key_age.get_or_create_owned(&labels).set(i64::try_from(age).unwrap_or(i64::MAX));
                }
                None => {
                    self.key_age.remove(&labels);
                }
            }
            let keys = i64::try_from(report.key_ids.len()).unwrap_or(i64::MAX);
            self.keys.get_or_create_owned(&labels).set(keys);
        }
    }
}

/// Returns the samples of several verifiers as one text. Each metric family occurs once, with the samples of all verifiers (OpenMetrics 1.0,
/// "MetricFamily": names must be unique, and families must not be interleaved).
pub(crate) fn merged(texts: &[String]) -> String {
    let mut families: Vec<Family<'_>> = Vec::new();
    for text in texts {
        for family in Family::all(text) {
            match families.iter_mut().find(|known| known.name == family.name) {
                Some(known) => known.samples.extend(family.samples),
                None => families.push(family),
            }
        }
    }
    let lines = families.iter().flat_map(|family| family.description.iter().chain(&family.samples));
    with_end(lines.map(|line| format!("{line}\n")).collect())
}

/// The lines of a metric family.
struct Family<'t> {
    name: &'t str,
    /// The comments, which are the same for all verifiers.
    description: Vec<&'t str>,
    samples: Vec<&'t str>,
}

impl<'t> Family<'t> {
    fn all(text: &'t str) -> Vec<Self> {
        let mut families: Vec<Self> = Vec::new();
        for line in text.lines() {
            if let Some(name) = line.strip_prefix(FAMILY).and_then(|rest| rest.split(' ').next()) {
                families.push(Self { name, description: Vec::new(), samples: Vec::new() });
            }
            let Some(family) = families.last_mut() else { continue };
            let lines = if line.starts_with('#') { &mut family.description } else { &mut family.samples };
            lines.push(line);
        }
        families
    }
}

fn with_end(mut text: String) -> String {
    // Writing to a string cannot fail.
    let _ = text::encode_eof(&mut text);
    text
}
