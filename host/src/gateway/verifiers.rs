//! The verifiers of a gateway: one for everything, or one for the account flows and another for the authorization checks.

use super::discovery_faults::discovery_faults;
use crate::{
    Denial, Gate, KeyReport, KeyState, Verifier,
    revocation::{FeedDocument, FeedPosition, RevocationError},
};
use std::fmt;

/// The values of the label `verifier`, which the metrics have if there are two verifiers.
const ACCOUNTS: &str = "accounts";
const VERIFY: &str = "verify";

/// Why a verifier cannot be that of `/v1/verify`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifierError {
    /// Only one of this verifier and that of the account flows has a store of revoked tokens: after a sign-out, the other one would still
    /// accept the user's tokens. Give both the same store.
    OneStore,
}

impl fmt::Display for VerifierError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneStore => formatter.write_str(
                "only one of the verifiers of /v1/verify and of the account flows has a store of revoked tokens; give both the same store",
            ),
        }
    }
}

impl std::error::Error for VerifierError {}

/// The verifier of the authorization checks.
#[derive(Clone)]
enum Checks {
    Verifier(Verifier),
    /// That of a gate, which changes with its configuration.
    Gate(Gate),
}

impl Checks {
    fn verifier(&self) -> Verifier {
        match self {
            Self::Verifier(verifier) => verifier.clone(),
            Self::Gate(gate) => gate.verifier(),
        }
    }
}

#[derive(Clone)]
pub(crate) struct Verifiers {
    /// That of `/v1/verify` and `/v1/ext-authz`.
    checks: Checks,
    /// That of the account flows, if it is another one.
    accounts: Option<Verifier>,
}

impl Verifiers {
    /// One verifier for everything.
    pub(crate) fn one(verifier: Verifier) -> Self {
        Self { checks: Checks::Verifier(verifier), accounts: None }
    }

    /// One verifier for `/v1/verify`, and one for the account flows. They may be clones of the same verifier.
    pub(crate) fn two(checks: Verifier, accounts: Verifier) -> Result<Self, VerifierError> {
        if checks.is_same(&accounts) {
            return Ok(Self::one(checks));
        }
        match checks.checks_revocation() == accounts.checks_revocation() {
            true => Ok(Self { checks: Checks::Verifier(checks), accounts: Some(accounts) }),
            false => Err(VerifierError::OneStore),
        }
    }

    /// The same, with the verifier of a gate for the authorization checks.
    pub(crate) fn with_gate(self, gate: Gate) -> Self {
        Self { checks: Checks::Gate(gate), ..self }
    }

    /// The verifier of `/v1/verify` and `/v1/ext-authz`.
    pub(crate) fn checks(&self) -> Verifier {
        self.checks.verifier()
    }

    pub(crate) fn are_two(&self) -> bool {
        self.accounts.is_some()
    }

    fn all(&self) -> impl Iterator<Item = Verifier> {
        self.accounts.iter().cloned().chain([self.checks()])
    }

    /// Whether every pool whose keys are fetched in advance has a usable key set.
    pub(crate) async fn are_ready(&self) -> bool {
        for verifier in self.all() {
            let Ok(reports) = verifier.key_reports().await else { return false };
            let mut needed = reports.iter().filter(|report| !report.is_on_demand);
            if !needed.all(|report| matches!(report.state, KeyState::Fresh | KeyState::Stale)) {
                return false;
            }
        }
        true
    }

    pub(crate) fn have_seen_issuer_slash(&self) -> bool {
        self.all().any(|verifier| verifier.has_seen_issuer_slash())
    }

    /// Says which discovery document or key set has failed, with a line for each.
    pub(crate) async fn discovery_faults(&self) -> String {
        let mut text = String::new();
        for verifier in self.all() {
            let key_sets = verifier.key_reports().await.unwrap_or_default();
            text += &discovery_faults(&verifier.discovery_reports(), &key_sets);
        }
        text
    }

    /// The metrics of all verifiers. With `for_clients`, without those that reveal whether an account exists.
    pub(crate) fn metrics(&self, for_clients: bool) -> String {
        match &self.accounts {
            Some(accounts) => Verifier::metrics_of_all(&[(ACCOUNTS, accounts), (VERIFY, &self.checks())], for_clients),
            None if for_clients => self.checks().public_metrics(),
            None => self.checks().metrics(),
        }
    }

    /// Returns the revocations of the store that the account flows write to, or of the only one. `None` if there is none, or its revocations cannot
    /// be listed.
    pub(crate) async fn revocation_feed(
        &self,
        after: Option<FeedPosition>,
    ) -> Result<Option<FeedDocument>, RevocationError> {
        match &self.accounts {
            Some(accounts) => accounts.revocation_feed(after).await,
            None => self.checks().revocation_feed(after).await,
        }
    }

    /// Fetches all missing key sets, and returns the reports of all verifiers.
    pub(crate) async fn hydrate(&self) -> Result<Vec<KeyReport>, Denial> {
        let Some(accounts) = &self.accounts else { return self.checks().hydrate().await };
        let checks = self.checks();
        let (mut reports, of_checks) = tokio::try_join!(accounts.hydrate(), checks.hydrate())?;
        reports.extend(of_checks);
        Ok(reports)
    }

    pub(crate) async fn shut_down(&self) {
        for verifier in self.all() {
            verifier.shut_down().await;
        }
    }
}
