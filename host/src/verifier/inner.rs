//! The state that all clones of a verifier share, and the steps of a verification outside of the sandbox.

use super::question::{IsValid, Question};
use crate::{
    Hint, LoadKeySetError, Misfit, Reason,
    bindings::exports::poolgate::auth::verifier::{KeyReport, RevocationClaims, RevocationStatus},
    claim_rule_lists::ListNames,
    explanation::Explanation,
    failure::Failure,
    id_token_checks::IdTokenChecks,
    key_source::{KeyEventKind, LocalKeySet, is_url_of_key},
    revocation::{FeedDocument, FeedPosition, FeedReport, Revocation, RevocationChecker, RevocationError},
    sandbox::{Instance, InstancePool, Shared, Step},
    verdict::{Denial, Verified},
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::time::timeout_at;

/// The state of a verifier.
pub(crate) struct Inner {
    pub(super) pool: InstancePool,
    pub(super) shared: Shared,
    pub(super) revocation: Option<RevocationChecker>,
    /// The maximum length of a token, in bytes.
    pub(super) token_limit: usize,
    /// The maximum time that a call waits for keys.
    pub(super) key_wait: Duration,
    pub(super) last_reports: LastReports,
    /// The names of the lists of claim rules.
    pub(super) list_names: ListNames,
    /// The names of the claim rules of each pool.
    pub(super) rule_names: Vec<Vec<Option<String>>>,
}

/// The key reports that an instance returned last, and when. They are used while no instance is free.
#[derive(Default)]
pub(super) struct LastReports(Mutex<(Duration, Vec<KeyReport>)>);

impl Inner {
    /// Verifies a token, and compares it with `checks` if there is something to compare.
    pub(super) async fn verify(&self, token: &str, checks: Option<&IdTokenChecks>) -> Result<Verified, Denial> {
        let started = Instant::now();
        let checks = checks.filter(|checks| !checks.is_empty());
        let verdict = match (self.verify_and_wait(token).await, checks) {
            (Ok(verified), Some(checks)) => self.check_id_token(token, checks).await.map(|()| verified),
            (verdict, _) => verdict,
        };
        self.shared.metrics.count_verdict(&verdict, started.elapsed());
        if let Err(denial) = &verdict {
            self.log(denial);
        }
        if self.list_names.is_empty() {
            return verdict;
        }
        verdict.map(|verified| Verified { fitting: verified.fitting.clone().with_names(&self.list_names), ..verified })
    }

    async fn check_id_token(&self, token: &str, checks: &IdTokenChecks) -> Result<(), Denial> {
        self.pool.call(|instance| instance.check_id_token(token, checks)).await?.map_err(Into::into)
    }

    pub(super) async fn explain(&self, token: &str) -> Result<Explanation, Denial> {
        if token.len() > self.token_limit {
            return Err(Denial::TOKEN_TOO_LARGE);
        }
        let _call = self.pool.queue().enter()?;
        self.pool.call(|instance| instance.explain(token)).await
    }

    /// Logs a denial at the level *debug*. An issuer that differs from a configured one only by a final slash is probably a configuration
    /// error, so the first such denial is logged at the level *warn*.
    fn log(&self, denial: &Denial) {
        let hint = denial.hint.map(Hint::description);
        let rule = denial.misfit.map(|misfit| self.rule_name(misfit));
        tracing::debug!(reason = denial.reason.name(), hint, rule, "a token is rejected");
        if let (Some(rule), Some(misfit)) = (rule, denial.misfit) {
            self.shared.metrics.count_misfit(rule, misfit.is_absent);
        }
        if denial.hint == Some(Hint::IssuerSlash) && self.shared.metrics.note_issuer_slash() {
            tracing::warn!(hint, "a token is rejected");
        }
    }

    /// Adds a counter for each claim rule, so that rates can be computed from the start.
    pub(super) fn add_claim_rules_to_metrics(&self) {
        for (pool, names) in (0..).zip(&self.rule_names) {
            for (rule, _) in (0..).zip(names) {
                self.shared.metrics.add_misfit(&self.rule_name(Misfit { pool, rule, is_absent: false }));
            }
        }
    }

    /// Returns the name of a claim rule, or its position in the configuration.
    fn rule_name(&self, misfit: Misfit) -> String {
        let (pool, rule) = (misfit.pool as usize, misfit.rule as usize);
        match self.rule_names.get(pool).and_then(|names| names.get(rule)) {
            Some(Some(name)) => name.clone(),
            Some(None) => format!("pools[{pool}].claims[{rule}]"),
            // The component adds the rule about guests to those of the pool.
            None => format!("pools[{pool}].guests"),
        }
    }

    async fn verify_and_wait(&self, token: &str) -> Result<Verified, Denial> {
        // The component has the same limit. Checking it here saves copying a long token into the sandbox, which may not have the memory.
        if token.len() > self.token_limit {
            return Err(Denial::TOKEN_TOO_LARGE);
        }
        self.answer(&IsValid(token)).await?
    }

    /// Asks the sandbox, and waits for keys and for the revocation status where it needs them.
    ///
    /// # Errors
    /// Returns a [`Denial`] if there is no answer: too many calls wait, the sandbox fails, or the keys or the revocation status do not arrive in
    /// time.
    pub(crate) async fn answer<Q: Question>(&self, question: &Q) -> Result<Q::Answer, Denial> {
        let _call = self.pool.queue().enter()?;
        let received_at = self.shared.event_log.tick();
        let ask = |instance: &mut Instance| Ok((question.ask(instance)?, instance.applied_up_to()));
        let (step, applied_up_to) = self.pool.call(ask).await?;
        let step = match step {
            Step::PendingKeys(url) => self.answer_after_fetch(question, received_at, url, applied_up_to).await?,
            step => step,
        };
        match step {
            Step::PendingRevocationStatus(claims) => self.answer_with_status(question, claims).await,
            Step::Done(answer) => Ok(answer),
            Step::PendingKeys(_) => Err(Denial::unavailable(Reason::KeysUnavailable)),
        }
    }

    /// Runs one call in the sandbox.
    pub(crate) async fn call<T>(&self, call: impl FnOnce(&mut Instance) -> Result<T, Failure>) -> Result<T, Denial> {
        self.pool.call(call).await
    }

    /// Counts a request that the gate has decided about, and records the time.
    pub(crate) fn count_request(&self, decision: &'static str, reason: &str, time: Duration) {
        self.shared.metrics.count_request(decision, reason, time);
    }

    /// Waits for a fetch of `url` and asks again. `applied_up_to` is the last event that the instance has applied; only a fetch that completes
    /// after it can contain the key. No instance and no thread is blocked meanwhile.
    ///
    /// If that fetch started before the call, the key may have been published since. Then it waits for one more fetch.
    async fn answer_after_fetch<Q: Question>(
        &self,
        question: &Q,
        received_at: u64,
        mut url: String,
        mut applied_up_to: u64,
    ) -> Result<Step<Q::Answer>, Denial> {
        let unavailable = Denial::unavailable(Reason::KeysUnavailable);
        let _waiting = self.pool.queue().wait_for_keys().ok_or(unavailable)?;
        self.shared.metrics.count_key_wait();
        let deadline = tokio::time::Instant::now() + self.key_wait;
        loop {
            let fetch = self.shared.event_log.wait_for_fetch(&url, applied_up_to);
            timeout_at(deadline, fetch).await.map_err(|_| unavailable)?;
            let ask = |instance: &mut Instance| {
                Ok((question.ask_after_fetch(instance, received_at)?, instance.applied_up_to()))
            };
            let (step, now_applied) = self.pool.call(ask).await?;
            match step {
                Step::PendingKeys(next) => (url, applied_up_to) = (next, now_applied),
                step => return Ok(step),
            }
        }
    }

    /// Queries the revocation store and asks again, with the result. No instance and no thread is blocked meanwhile.
    async fn answer_with_status<Q: Question>(
        &self,
        question: &Q,
        claims: RevocationClaims,
    ) -> Result<Q::Answer, Denial> {
        let unavailable = Denial::unavailable(Reason::RevocationUnavailable);
        let checker = self.revocation.as_ref().ok_or(unavailable)?;
        let status = checker.check(&claims.into(), &*self.shared.clock, &self.shared.metrics).await;
        match self.pool.call(|instance| question.ask_with_status(instance, status)).await? {
            Step::Done(answer) => {
                if Q::accepts(&answer) && status == RevocationStatus::Unavailable {
                    self.shared.metrics.record_fail_open();
                }
                Ok(answer)
            }
            // Its keys have expired in this moment.
            Step::PendingKeys(_) => Err(Denial::unavailable(Reason::KeysUnavailable)),
            Step::PendingRevocationStatus(_) => Err(unavailable),
        }
    }

    pub(super) async fn revoke(&self, revocation: &Revocation) -> Result<(), RevocationError> {
        let checker = self.revocation.as_ref().ok_or(RevocationError::NoStore)?;
        let result = checker.revoke(revocation, self.now()).await;
        self.shared.metrics.count_revocation(result.err().map_or("remembered", RevocationError::name));
        result
    }

    pub(super) async fn revocation_feed(
        &self,
        after: Option<FeedPosition>,
    ) -> Result<Option<FeedDocument>, RevocationError> {
        let Some(checker) = &self.revocation else { return Ok(None) };
        let result = checker.feed(after, self.now()).await;
        self.shared.metrics.count_feed_request(match &result {
            Ok(Some(document)) if after == Some(document.position()) => "unchanged",
            Ok(Some(document)) if document.is_snapshot() => "snapshot",
            Ok(Some(_)) => "changes",
            Ok(None) => "not-listed",
            Err(error) => error.name(),
        });
        result
    }

    pub(super) fn feed_report(&self) -> Option<FeedReport> {
        self.revocation.as_ref()?.feed_report()
    }

    pub(super) async fn load_key_set(&self, key_set: LocalKeySet) -> Result<KeyReport, LoadKeySetError> {
        let report = self.pool.load_key_set(&key_set).await;
        let report = report.map_err(|_| LoadKeySetError::Sandbox)?.map_err(LoadKeySetError::Rejected)?;
        // The instance that has loaded the key set applies this event too, which changes nothing.
        self.shared.event_log.push(KeyEventKind::Loaded(key_set));
        Ok(report)
    }

    /// Takes over the keys that another verifier has fetched, with their age. Key sets of unknown URLs have no effect, and those that were found by other
    /// rules of discovery are not taken: their host may not be allowed any more.
    pub(crate) fn take_keys_of(&self, other: &Self) {
        for (_, event) in other.shared.event_log.after(0) {
            if let KeyEventKind::Fetched { url, key_id, ended_at, outcome: Ok(response), .. } = &event.kind
                && response.body.is_some()
                && self.shared.fetches.finds_keys_like(&other.shared.fetches, url)
            {
                self.shared.event_log.push(KeyEventKind::Fetched {
                    url: Arc::clone(url),
                    // Of a key set, it would make the key ID unknown for a while.
                    key_id: key_id.clone().filter(|key_id| is_url_of_key(url, key_id)),
                    started_at: self.shared.event_log.tick(),
                    ended_at: *ended_at,
                    outcome: Ok(response.clone()),
                });
            }
        }
    }

    /// Starts the fetches that are due.
    pub(super) async fn maintain(&self) -> Result<(), Denial> {
        let maintain = |instance: &mut Instance| {
            instance.maintain()?;
            self.pool.key_reports(instance)
        };
        self.pool.call(maintain).await.map(|reports| self.store_reports(&reports))
    }

    /// Starts a fetch of every missing key set, and waits for all fetches that are then in progress.
    pub(super) async fn hydrate(&self) -> Result<Vec<KeyReport>, Denial> {
        self.maintain().await?;
        self.shared.fetches.wait_for_all().await;
        self.key_reports().await
    }

    pub(super) async fn key_reports(&self) -> Result<Vec<KeyReport>, Denial> {
        self.pool.call(|instance| self.pool.key_reports(instance)).await.inspect(|reports| self.store_reports(reports))
    }

    /// Returns the key reports without waiting. If no instance is free, it returns the last known reports, and adds the
    /// time since then to the age of the keys.
    pub(super) fn last_key_reports(&self) -> Vec<KeyReport> {
        if let Some(reports) = self.pool.call_if_free(|instance| self.pool.key_reports(instance)) {
            self.store_reports(&reports);
            return reports;
        }
        let (at, reports) = self.last_reports.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let elapsed = self.shared.clock.now().saturating_sub(at).as_secs();
        let aged = |report: KeyReport| KeyReport { age: report.age.map(|age| age.saturating_add(elapsed)), ..report };
        reports.into_iter().map(aged).collect()
    }

    fn store_reports(&self, reports: &[KeyReport]) {
        let mut last = self.last_reports.0.lock().unwrap_or_else(PoisonError::into_inner);
        *last = (self.shared.clock.now(), reports.to_vec());
    }

    /// The current time of the verifier's clock, in seconds since the Unix epoch.
    pub(super) fn now(&self) -> u64 {
        self.shared.clock.now().as_secs()
    }
}
