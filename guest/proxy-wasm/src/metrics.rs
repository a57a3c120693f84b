//! Counters and gauges. Envoy serves them at `/stats/prometheus`.
//!
//! | name | meaning |
//! |---|---|
//! | `poolgate_requests.verdict.V.reason.R` | requests, by verdict (`verified`, `anonymous`, `refused`, `reported`, `answered`) and reason (`none`, or a reason code) |
//! | `poolgate_key_fetches.outcome.O` | key fetches of this worker, by outcome: `taken` (a new key set was accepted), `unmodified` (304), `refused` (the key set was rejected), `failed` |
//! | `poolgate_shared_fetches_applied` | fetch results of other workers that this worker applied |
//! | `poolgate_requests_paused` | requests that waited for keys |
//! | `poolgate_key_age_seconds.pool.P` | gauge: seconds since the pool's key set was fetched or confirmed |
//! | `poolgate_keys.pool.P` | gauge: number of the pool's keys |

use proxy_wasm::{hostcalls, types::MetricType};
use std::{cell::RefCell, collections::HashMap};

#[derive(Default)]
pub struct Metrics {
    ids: RefCell<HashMap<String, u32>>,
    /// The identifiers of `poolgate_requests`, by verdict and reason, in the order of first use, so that frequent ones usually come first.
    requests: RefCell<Vec<(&'static str, &'static str, u32)>>,
}

impl Metrics {
    pub fn request(&self, verdict: &'static str, reason: &'static str) {
        let known = self.requests.borrow().iter().find(|own| (own.0, own.1) == (verdict, reason)).map(|own| own.2);
        let name = ["poolgate_requests.verdict.", verdict, ".reason.", reason];
        if let Some(id) = known.or_else(|| self.id(MetricType::Counter, &name)) {
            if known.is_none() {
                self.requests.borrow_mut().push((verdict, reason, id));
            }
            let _ = hostcalls::increment_metric(id, 1);
        }
    }

    pub fn fetch(&self, outcome: &str) {
        self.count(&["poolgate_key_fetches.outcome.", outcome]);
    }

    pub fn count(&self, name: &[&str]) {
        if let Some(id) = self.id(MetricType::Counter, name) {
            // An error here must not fail the request.
            let _ = hostcalls::increment_metric(id, 1);
        }
    }

    pub fn set(&self, name: &[&str], value: u64) {
        if let Some(id) = self.id(MetricType::Gauge, name) {
            let _ = hostcalls::record_metric(id, value);
        }
    }

    /// Returns the proxy's identifier of a metric. The number of metrics is bounded: names consist of reason codes and pool names only.
    fn id(&self, kind: MetricType, name: &[&str]) -> Option<u32> {
        let name = name.concat();
        let mut ids = self.ids.borrow_mut();
        if let Some(id) = ids.get(&name) {
            return Some(*id);
        }
        let id = hostcalls::define_metric(kind, &name).ok()?;
        ids.insert(name, id);
        Some(id)
    }
}
