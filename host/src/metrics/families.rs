//! The metrics of a verifier, and their registration with names and descriptions.

use super::{
    gauges::SandboxGauges,
    labels::{
        AccountLabels, AnswerLabels, FailureLabels, FetchLabels, IssuerLabels, MisfitLabels, OutcomeLabels,
        RejectedLabels, RequestLabels, VerdictLabels,
    },
};
use crate::{Reason, failure::Failure};
use prometheus_client::{
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
    sync::{OnceLock, atomic::AtomicBool},
};

/// The metrics of one verifier, with the names that docs/operations.md lists.
pub(crate) struct Metrics {
    pub(super) verdict_family: Family<VerdictLabels, Counter>,
    /// The counters of `verdict_family`: that of accepted tokens, and one for each reason.
    pub(super) verdicts: Vec<Counter>,
    pub(super) requests: Family<RequestLabels, Counter>,
    pub(super) decide: Histogram,
    pub(super) verify: Histogram,
    pub(super) queue: Histogram,
    pub(super) key_waits: Counter,
    pub(super) stale_key_verifications: Counter,
    pub(super) unknown_key_cache_hits: Counter,
    pub(super) fetches: Family<FetchLabels, Counter>,
    pub(super) discovery_fetches: Family<FetchLabels, Counter>,
    pub(super) rejected_key_sets: Family<RejectedLabels, Counter>,
    pub(super) key_age: Family<IssuerLabels, Gauge>,
    pub(super) keys: Family<IssuerLabels, Gauge>,
    pub(super) misfits: Family<MisfitLabels, Counter>,
    pub(super) accounts: Family<AccountLabels, Counter>,
    pub(super) revocation_checks: Family<AnswerLabels, Counter>,
    pub(super) revocation_fail_open: Counter,
    pub(super) revocations: Family<OutcomeLabels, Counter>,
    pub(super) feed_requests: Family<AnswerLabels, Counter>,
    pub(super) failure_family: Family<FailureLabels, Counter>,
    /// The counters of `failure_family`.
    pub(super) failures: [Counter; Failure::ALL.len()],
    pub(crate) sandbox: SandboxGauges,
    /// Whether a token had an issuer that differs from a configured one only by a final slash.
    pub(super) has_seen_issuer_slash: AtomicBool,
    /// The label of each JWKS URL: the issuer.
    pub(super) issuers: OnceLock<HashMap<String, String>>,
}

impl Metrics {
    /// Creates the metrics of a verifier, all with the value zero.
    pub(crate) fn new() -> Self {
        let verdict_family: Family<VerdictLabels, Counter> = Family::default();
        let allowed = VerdictLabels { verdict: "allow", reason: "" };
        let denied = |reason: &Reason| VerdictLabels { verdict: "deny", reason: reason.name() };
        let labels = std::iter::once(allowed).chain(Reason::ALL.iter().map(denied));
        let failure_family: Family<FailureLabels, Counter> = Family::default();
        let failure = |failure: Failure| failure_family.get_or_create_owned(&FailureLabels { kind: failure.name() });
        let metrics = Self {
            verdicts: labels.map(|labels| verdict_family.get_or_create_owned(&labels)).collect(),
            requests: Family::default(),
            decide: Histogram::new(exponential_buckets(20e-6, 2.0, 18)),
            verify: Histogram::new(exponential_buckets(20e-6, 2.0, 18)),
            queue: Histogram::new(exponential_buckets(20e-6, 2.0, 18)),
            key_waits: Counter::default(),
            stale_key_verifications: Counter::default(),
            unknown_key_cache_hits: Counter::default(),
            fetches: Family::default(),
            discovery_fetches: Family::default(),
            rejected_key_sets: Family::default(),
            key_age: Family::default(),
            keys: Family::default(),
            misfits: Family::default(),
            accounts: Family::default(),
            revocation_checks: Family::default(),
            revocation_fail_open: Counter::default(),
            revocations: Family::default(),
            feed_requests: Family::default(),
            failures: Failure::ALL.map(failure),
            sandbox: SandboxGauges::default(),
            has_seen_issuer_slash: AtomicBool::new(false),
            issuers: OnceLock::new(),
            verdict_family,
            failure_family,
        };
        // These exist from the start, so that rates can be computed.
        metrics.requests.get_or_create_owned(&RequestLabels { decision: "verified", reason: String::new() });
        metrics.revocation_checks.get_or_create_owned(&AnswerLabels { answer: "not-revoked" });
        metrics.revocations.get_or_create_owned(&OutcomeLabels { outcome: "remembered" });
        metrics
    }

    /// Adds all metrics to a registry, except those of [`register_for_operator`](Self::register_for_operator).
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "verdicts",
            "Tokens verified or rejected, by verdict and reason",
            self.verdict_family.clone(),
        );
        registry.register("sandbox_failures", "Sandbox failures, by kind", self.failure_family.clone());
        let requests = self.requests.clone();
        registry.register("requests", "Requests that a gate has decided about, by decision and reason", requests);
        let decide = self.decide.clone();
        registry.register_with_unit("decide", "Time of a decision about a request", Unit::Seconds, decide);
        let seconds = Unit::Seconds;
        let verify = self.verify.clone();
        registry.register_with_unit("verify", "Time from the call to the result", seconds, verify);
        let queue = self.queue.clone();
        registry.register_with_unit("queue", "Time that a call waited for a sandbox instance", Unit::Seconds, queue);
        registry.register("key_waits", "Calls that waited for a key fetch", self.key_waits.clone());
        let stale = self.stale_key_verifications.clone();
        registry.register("stale_key_verifications", "Tokens verified with keys older than their soft lifetime", stale);
        let negative = self.unknown_key_cache_hits.clone();
        registry.register("unknown_key_cache_hits", "Tokens rejected because their kid is cached as unknown", negative);
        registry.register("key_fetches", "Key fetches, by outcome", self.fetches.clone());
        let discovery = self.discovery_fetches.clone();
        registry.register("discovery_fetches", "Requests for discovery documents, by outcome", discovery);
        let misfits = self.misfits.clone();
        registry.register("claim_rule_misfits", "Tokens that do not fit a claim rule, by rule", misfits);
        let rejected = self.rejected_key_sets.clone();
        registry.register("key_sets_rejected", "Key sets that were fetched and rejected, by error", rejected);
        let age = self.key_age.clone();
        registry.register_with_unit(
            "key_age",
            "Time since the keys were fetched or confirmed; absent if there are none",
            Unit::Seconds,
            age,
        );
        registry.register("keys", "Usable keys", self.keys.clone());
        registry.register("instances", "Sandbox instances", self.sandbox.instances.clone());
        let memory = self.sandbox.memory.clone();
        registry.register_with_unit("instance_memory", "Linear memory of all instances", Unit::Bytes, memory);
        let checks = self.revocation_checks.clone();
        registry.register("revocation_checks", "Queries to the revocation store, by answer", checks);
        let fail_open = self.revocation_fail_open.clone();
        registry.register(
            "revocation_fail_open",
            "Tokens accepted without a revocation status, in the mode fail-open",
            fail_open,
        );
        registry.register("revocations", "Revocations to be stored, by outcome", self.revocations.clone());
        let feed = self.feed_requests.clone();
        registry.register("revocation_feed_requests", "Requests for the revocation feed, by answer", feed);
    }

    /// Adds the metrics that reveal whether an account exists. Only the operator may read them.
    pub(super) fn register_for_operator(&self, registry: &mut Registry) {
        let accounts = self.accounts.clone();
        registry.register(
            "account_flows",
            "Account flows, by the response to the client and the internal reason",
            accounts,
        );
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Metrics").finish_non_exhaustive()
    }
}
