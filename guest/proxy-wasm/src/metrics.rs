//! Counters and gauges; Envoy shows them at `/stats/prometheus`.
//!
//! | name | what |
//! |---|---|
//! | `poolgate_requests.verdict.V.reason.R` | requests, by verdict (`verified`, `anonymous`, `refused`, `reported`) and reason (`none`, or a reason's name) |
//! | `poolgate_key_fetches.outcome.O` | fetches of keys, by outcome (`taken`, `unmodified`, `refused`, `failed`) |
//! | `poolgate_shared_fetches_applied` | key sets that another worker had fetched |
//! | `poolgate_requests_paused` | requests that had to wait for keys |
//! | `poolgate_key_age_seconds.pool.P` | gauge: seconds since the pool's keys were fetched or confirmed |
//! | `poolgate_keys.pool.P` | gauge: how many keys the pool has |

use proxy_wasm::{hostcalls, types::MetricType};
use std::{cell::RefCell, collections::HashMap};

#[derive(Default)]
pub struct Metrics {
    ids: RefCell<HashMap<String, u32>>,
    /// The same for requests, by verdict and reason, the most frequent first, or nearly.
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
            // A count that is lost is not worth a request.
            let _ = hostcalls::increment_metric(id, 1);
        }
    }

    pub fn set(&self, name: &[&str], value: u64) {
        if let Some(id) = self.id(MetricType::Gauge, name) {
            let _ = hostcalls::record_metric(id, value);
        }
    }

    /// Names are made of reasons and of pools' names: of neither are there more than the operator knows.
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
