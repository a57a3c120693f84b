//! What a verifier counts, for Prometheus (the OpenMetrics text format). No label holds anything of a token.

use crate::{
    Denial, KeyReport, Reason, Verified,
    bindings::{
        exports::poolgate::auth::verifier::KeySetError,
        poolgate::auth::key_source::{FetchError, KeyResponse},
    },
    revocation::RevocationError,
    sandbox::{Failure, SandboxGauges},
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};
use std::{
    collections::HashMap,
    fmt,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// The metrics of one verifier, with the names that docs/operations.md lists.
pub(crate) struct Metrics {
    registry: Registry,
    /// Metrics that reveal whether an account exists. Only the operator may read them.
    operator_registry: Registry,
    verdicts: Vec<Counter>,
    verify: Histogram,
    queue: Histogram,
    key_waits: Counter,
    stale_key_verifications: Counter,
    unknown_key_cache_hits: Counter,
    fetches: Family<FetchLabels, Counter>,
    rejected_key_sets: Family<RejectedLabels, Counter>,
    key_age: Family<IssuerLabels, Gauge>,
    keys: Family<IssuerLabels, Gauge>,
    accounts: Family<AccountLabels, Counter>,
    revocation_checks: Family<RevocationCheckLabels, Counter>,
    revocation_fail_open: Counter,
    revocations: Family<RevocationLabels, Counter>,
    failures: [Counter; Failure::ALL.len()],
    pub(crate) sandbox: SandboxGauges,
    /// Whether a token came whose issuer differs from a configured one by a slash.
    has_seen_issuer_slash: AtomicBool,
    /// From a JWK Set's URL to the issuer that metrics and people know it by.
    issuers: OnceLock<HashMap<String, String>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VerdictLabels {
    verdict: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FetchLabels {
    issuer: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RejectedLabels {
    issuer: String,
    error: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct IssuerLabels {
    issuer: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FailureLabels {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RevocationCheckLabels {
    answer: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RevocationLabels {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AccountLabels {
    flow: &'static str,
    response: &'static str,
    internal: String,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("poolgate");
        let verdicts: Family<VerdictLabels, Counter> = Family::default();
        registry.register("verdicts", "Tokens judged, by verdict and reason", verdicts.clone());
        let allowed = VerdictLabels { verdict: "allow", reason: "" };
        let denied = |reason: &Reason| VerdictLabels { verdict: "deny", reason: reason.name() };
        let labels = std::iter::once(allowed).chain(Reason::ALL.iter().map(denied));
        let failures: Family<FailureLabels, Counter> = Family::default();
        registry.register("sandbox_failures", "Calls that ended because the sandbox failed", failures.clone());
        let mut metrics = Self {
            verdicts: labels.map(|labels| verdicts.get_or_create_owned(&labels)).collect(),
            verify: Histogram::new(exponential_buckets(20e-6, 2.0, 18)),
            queue: Histogram::new(exponential_buckets(20e-6, 2.0, 18)),
            key_waits: Counter::default(),
            stale_key_verifications: Counter::default(),
            unknown_key_cache_hits: Counter::default(),
            fetches: Family::default(),
            rejected_key_sets: Family::default(),
            key_age: Family::default(),
            keys: Family::default(),
            accounts: Family::default(),
            revocation_checks: Family::default(),
            revocation_fail_open: Counter::default(),
            revocations: Family::default(),
            failures: Failure::ALL.map(|failure| failures.get_or_create_owned(&FailureLabels { kind: failure.name() })),
            sandbox: SandboxGauges::default(),
            has_seen_issuer_slash: AtomicBool::new(false),
            issuers: OnceLock::new(),
            registry,
            operator_registry: Registry::with_prefix("poolgate"),
        };
        // There from the start, for rates.
        metrics.revocation_checks.get_or_create_owned(&RevocationCheckLabels { answer: "not-revoked" });
        metrics.revocations.get_or_create_owned(&RevocationLabels { outcome: "remembered" });
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        let seconds = Unit::Seconds;
        let verify = self.verify.clone();
        registry.register_with_unit("verify", "From the call to the verdict", seconds, verify);
        let queue = self.queue.clone();
        registry.register_with_unit("queue", "How long calls waited for an instance", Unit::Seconds, queue);
        registry.register("key_waits", "Calls that waited for a fetch", self.key_waits.clone());
        let stale = self.stale_key_verifications.clone();
        registry.register("stale_key_verifications", "Tokens verified with keys past their soft lifetime", stale);
        let negative = self.unknown_key_cache_hits.clone();
        registry.register(
            "unknown_key_cache_hits",
            "Tokens refused because their kid was not found a moment ago",
            negative,
        );
        registry.register("key_fetches", "Fetches of key sets, by outcome", self.fetches.clone());
        let refused = self.rejected_key_sets.clone();
        registry.register("key_sets_rejected", "Key sets that came and were not taken, by error", refused);
        let age = self.key_age.clone();
        registry.register_with_unit("key_age", "The age of the keys; absent where there are none", Unit::Seconds, age);
        registry.register("keys", "Keys that tokens are verified with", self.keys.clone());
        registry.register("instances", "Instances of the component that are there", self.sandbox.instances.clone());
        let memory = self.sandbox.memory.clone();
        registry.register_with_unit("instance_memory", "Linear memory of all instances", Unit::Bytes, memory);
        let questions = self.revocation_checks.clone();
        registry.register("revocation_checks", "Good tokens whose revocation was asked about, by answer", questions);
        let through = self.revocation_fail_open.clone();
        registry.register("revocation_fail_open", "Tokens let through unasked, because the mode is fail-open", through);
        registry.register("revocations", "Revocations to be remembered, by outcome", self.revocations.clone());
        let accounts = self.accounts.clone();
        self.operator_registry.register(
            "account_flows",
            "Account flows, by the response to the client and the internal reason",
            accounts,
        );
    }

    /// Learns the issuers' names; once.
    pub(crate) fn set_issuer_labels(&self, reports: &[KeyReport]) {
        let named = reports.iter().filter_map(|report| Some((report.url.clone()?, label(report))));
        // It is called once, by the verifier's only builder.
        let _ = self.issuers.set(named.collect());
    }

    pub(crate) fn count_verdict(&self, verdict: &Result<Verified, Denial>, time: Duration) {
        let index = match verdict {
            Ok(verified) => {
                self.stale_key_verifications.inc_by(verified.keys_are_stale.into());
                0
            }
            Err(denial) => {
                self.unknown_key_cache_hits.inc_by((denial.reason == Reason::KeyUnknownCached).into());
                denial.reason as usize + 1
            }
        };
        if let Some(counter) = self.verdicts.get(index) {
            counter.inc();
        }
        self.verify.observe(time.as_secs_f64());
    }

    pub(crate) fn count_queue(&self, time: Duration) {
        self.queue.observe(time.as_secs_f64());
    }

    pub(crate) fn count_key_wait(&self) {
        self.key_waits.inc();
    }

    pub(crate) fn key_waits(&self) -> u64 {
        self.key_waits.get()
    }

    pub(crate) fn count_fetch(&self, url: &str, outcome: &Result<KeyResponse, FetchError>) {
        let outcome = match outcome {
            Ok(KeyResponse { body: Some(_), .. }) => "fetched",
            Ok(KeyResponse { body: None, .. }) => "not-modified",
            Err(error) => error.name(),
        };
        self.fetches.get_or_create_owned(&FetchLabels { issuer: self.issuer(url), outcome }).inc();
    }

    pub(crate) fn count_rejected_key_set(&self, url: &str, error: KeySetError) {
        self.rejected_key_sets
            .get_or_create_owned(&RejectedLabels { issuer: self.issuer(url), error: error.name() })
            .inc();
    }

    /// Counts an account flow. A `failed` flow has the label `other`, because its internal reason can be any name that the server sends.
    pub(crate) fn count_account(&self, flow: &'static str, response: &'static str, internal: &str) {
        let internal = if response == "failed" { "other" } else { internal };
        let labels = AccountLabels { flow, response, internal: internal.into() };
        self.accounts.get_or_create_owned(&labels).inc();
    }

    pub(crate) fn count_revocation_check(&self, answer: Result<bool, RevocationError>) {
        let answer = match answer {
            Ok(true) => "revoked",
            Ok(false) => "not-revoked",
            Err(error) => error.name(),
        };
        self.revocation_checks.get_or_create_owned(&RevocationCheckLabels { answer }).inc();
    }

    /// A token went through although nobody could say whether it was revoked.
    pub(crate) fn record_fail_open(&self) {
        self.revocation_fail_open.inc();
    }

    pub(crate) fn count_revocation(&self, taken: Result<(), RevocationError>) {
        let outcome = taken.err().map_or("remembered", RevocationError::name);
        self.revocations.get_or_create_owned(&RevocationLabels { outcome }).inc();
    }

    /// Notes that a token came whose issuer differs from a configured one by a slash. True for the first.
    pub(crate) fn note_issuer_slash(&self) -> bool {
        !self.has_seen_issuer_slash.swap(true, Ordering::Relaxed)
    }

    pub(crate) fn has_seen_issuer_slash(&self) -> bool {
        self.has_seen_issuer_slash.load(Ordering::Relaxed)
    }

    pub(crate) fn count_failure(&self, failure: Failure) {
        self.failures[failure as usize].inc();
    }

    pub(crate) fn failures(&self) -> u64 {
        self.failures.iter().map(Counter::get).sum()
    }

    /// The text of all metrics; the keys' as the reports say.
    pub(crate) fn text(&self, reports: &[KeyReport]) -> String {
        self.encoded(reports, &[&self.registry, &self.operator_registry])
    }

    /// The same without what tells who has an account.
    pub(crate) fn public_text(&self, reports: &[KeyReport]) -> String {
        self.encoded(reports, &[&self.registry])
    }

    fn encoded(&self, reports: &[KeyReport], registries: &[&Registry]) -> String {
        for report in reports {
            let labels = IssuerLabels { issuer: label(report) };
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
        // Writing to a string does not fail.
        for registry in registries {
            let _ = text::encode_registry(&mut text, registry);
        }
        let _ = text::encode_eof(&mut text);
        text
    }

    fn issuer(&self, url: &str) -> String {
        self.issuers.get().and_then(|issuers| issuers.get(url)).map_or(url, String::as_str).to_owned()
    }
}

/// The issuer; where none is checked, the URL of its keys.
fn label(report: &KeyReport) -> String {
    report.issuers.first().or(report.url.as_ref()).cloned().unwrap_or_default()
}

impl fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Metrics").finish_non_exhaustive()
    }
}
