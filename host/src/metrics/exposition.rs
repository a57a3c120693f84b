//! The metrics as text.

use super::{
    families::Metrics,
    labels::{IssuerLabels, issuer_label},
};
use crate::KeyReport;
use prometheus_client::{encoding::text, registry::Registry};

impl Metrics {
    /// Returns all metrics as text, with the state of the keys from `reports`.
    pub(crate) fn text(&self, reports: &[KeyReport]) -> String {
        self.encoded(reports, &[&self.registry, &self.operator_registry])
    }

    /// Like [`text`](Self::text), without the metrics that reveal whether an account exists.
    pub(crate) fn public_text(&self, reports: &[KeyReport]) -> String {
        self.encoded(reports, &[&self.registry])
    }

    fn encoded(&self, reports: &[KeyReport], registries: &[&Registry]) -> String {
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
        let mut text = String::new();
        // Writing to a string cannot fail.
        for registry in registries {
            let _ = text::encode_registry(&mut text, registry);
        }
        let _ = text::encode_eof(&mut text);
        text
    }
}
