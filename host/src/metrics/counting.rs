//! Counts and records what happens.

use super::{
    families::Metrics,
    labels::{
        AccountLabels, AnswerLabels, FetchLabels, MisfitLabels, OutcomeLabels, RejectedLabels, RequestLabels,
        issuer_label,
    },
};
use crate::{
    Denial, KeyReport, Reason, Verified,
    bindings::{
        exports::poolgate::auth::verifier::KeySetError,
        poolgate::auth::key_source::{FetchError, KeyResponse},
    },
    failure::Failure,
};
use prometheus_client::metrics::counter::Counter;
use std::{sync::atomic::Ordering, time::Duration};

impl Metrics {
    /// Sets the labels of the JWKS endpoints. The builder calls this once.
    pub(crate) fn set_issuer_labels(&self, reports: &[KeyReport]) {
        let named = reports.iter().filter_map(|report| Some((report.url.clone()?, issuer_label(report))));
        let _ = self.issuers.set(named.collect());
    }

    /// Counts a verdict, and records the time of the call.
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

    /// Counts a request that a gate has decided about, and records the time. `reason` is one of a fixed set of names.
    pub(crate) fn count_request(&self, decision: &'static str, reason: &str, time: Duration) {
        self.requests.get_or_create_owned(&RequestLabels { decision, reason: reason.to_owned() }).inc();
        self.decide.observe(time.as_secs_f64());
    }

    /// Records the time that a call waited for an instance.
    pub(crate) fn count_queue(&self, time: Duration) {
        self.queue.observe(time.as_secs_f64());
    }

    /// Counts a call that waited for a key fetch.
    pub(crate) fn count_key_wait(&self) {
        self.key_waits.inc();
    }

    pub(crate) fn key_waits(&self) -> u64 {
        self.key_waits.get()
    }

    /// Counts a completed key fetch.
    pub(crate) fn count_fetch(&self, url: &str, outcome: &Result<KeyResponse, FetchError>) {
        let outcome = match outcome {
            Ok(KeyResponse { body: Some(_), .. }) => "fetched",
            Ok(KeyResponse { body: None, .. }) => "not-modified",
            Err(error) => error.name(),
        };
        self.fetches.get_or_create_owned(&FetchLabels { issuer: self.issuer(url), outcome }).inc();
    }

    /// Counts a request for a discovery document.
    pub(crate) fn count_discovery(&self, url: &str, outcome: &'static str) {
        self.discovery_fetches.get_or_create_owned(&FetchLabels { issuer: self.issuer(url), outcome }).inc();
    }

    /// Counts a fetched key set that was rejected.
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

    /// Adds the counters of a claim rule, with the value zero.
    pub(crate) fn add_misfit(&self, rule: &str) {
        for claim in ["absent", "present"] {
            self.misfits.get_or_create_owned(&MisfitLabels { rule: rule.to_owned(), claim });
        }
    }

    /// Counts a token that does not fit a claim rule. If the claim is absent from all tokens, the rule probably names the wrong claim.
    pub(crate) fn count_misfit(&self, rule: String, is_absent: bool) {
        let claim = if is_absent { "absent" } else { "present" };
        self.misfits.get_or_create_owned(&MisfitLabels { rule, claim }).inc();
    }

    /// Counts a query to the revocation store.
    pub(crate) fn count_revocation_check(&self, answer: &'static str) {
        self.revocation_checks.get_or_create_owned(&AnswerLabels { answer }).inc();
    }

    /// Counts a token that was accepted without a revocation status.
    pub(crate) fn record_fail_open(&self) {
        self.revocation_fail_open.inc();
    }

    /// Counts a revocation to be stored.
    pub(crate) fn count_revocation(&self, outcome: &'static str) {
        self.revocations.get_or_create_owned(&OutcomeLabels { outcome }).inc();
    }

    /// Records a token with an issuer that differs from a configured one only by a final slash. Returns `true` for the first one.
    pub(crate) fn note_issuer_slash(&self) -> bool {
        !self.has_seen_issuer_slash.swap(true, Ordering::Relaxed)
    }

    pub(crate) fn has_seen_issuer_slash(&self) -> bool {
        self.has_seen_issuer_slash.load(Ordering::Relaxed)
    }

    /// Counts a request for the revocation feed.
    pub(crate) fn count_feed_request(&self, answer: &'static str) {
        self.feed_requests.get_or_create_owned(&AnswerLabels { answer }).inc();
    }

    /// Counts a sandbox failure.
    pub(crate) fn count_failure(&self, failure: Failure) {
        self.failures[failure as usize].inc();
    }

    pub(crate) fn failures(&self) -> u64 {
        self.failures.iter().map(Counter::get).sum()
    }

    /// Returns the label of a JWKS URL. The last segment of a load balancer's key URL came from a token, so it is never in the label.
    fn issuer(&self, url: &str) -> String {
        let of = |url: &str| self.issuers.get().and_then(|issuers| issuers.get(url)).cloned();
        let of_prefix = || of(url.rsplit_once('/')?.0);
        of(url).or_else(of_prefix).unwrap_or_else(|| "unknown".to_owned())
    }
}
