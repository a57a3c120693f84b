//! The gate: built once, cheap to clone, and used from many tasks.

use super::{
    config_error::GateConfigError,
    decision::{Admission, Decision, Rejection},
    request_head::RequestHead,
};
use crate::{
    Reason, Verifier,
    bindings::exports::poolgate::auth::verifier::RevocationStatus,
    failure::Failure,
    sandbox::{GateDecision, Instance, Step},
    verifier::Question,
};
use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Instant,
};

/// The maximum size of a request's head, in bytes. It keeps a request from using up the memory of an instance, with whose loss its cache is lost.
const HEAD_LIMIT: usize = 1024 * 1024;

/// Decides about HTTP requests by one configuration, in the sandbox.
///
/// The configuration is that of the Envoy filter and of the `wasi:http` middleware, and a gate makes the same decisions as they do. `docs/gate.md`
/// describes it, and `docs/envoy-reference.md` each of its members. Clones are cheap, and share the sandbox instances, the keys and the caches.
///
/// ```no_run
/// use poolgate::{Decision, Gate, RequestHead};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let gate = Gate::builder(std::fs::read_to_string("poolgate.json")?).build().await?;
/// let head = RequestHead::new("GET", "/orders").authority("shop.example.com").header("authorization", "Bearer eyJraWQiOi…");
/// match gate.decide(&head).await {
///     Decision::Admit(admission) => println!("{:?}", admission.changes),
///     Decision::Reject(rejection) => println!("{} ({})", rejection.status, rejection.reason),
///     Decision::Respond(response) => println!("{} {}", response.status, response.body),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Gate {
    current: Arc<RwLock<Arc<Configured>>>,
}

/// A configuration that is in use.
pub(super) struct Configured {
    pub(super) verifier: Verifier,
    pub(super) warnings: Vec<GateConfigError>,
    pub(super) claim_headers: Vec<String>,
    pub(super) token_headers: Vec<String>,
    pub(super) forwards_tokens: bool,
}

impl Gate {
    pub(super) fn of(configured: Configured) -> Self {
        Self { current: Arc::new(RwLock::new(Arc::new(configured))) }
    }

    fn current(&self) -> Arc<Configured> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns a gate that keeps the present configuration when this one gets another.
    pub(crate) fn snapshot(&self) -> Self {
        Self { current: Arc::new(RwLock::new(self.current())) }
    }

    /// Replaces the configuration of this gate and of all its clones by that of another gate, in one step: each request is decided by the old one
    /// or by the new one. Keys that the old one has fetched are used by the new one, so that no request waits for them again.
    ///
    /// Build the other gate with the same store of revoked tokens. The counters of the metrics begin again.
    ///
    /// ```no_run
    /// # async fn example(gate: poolgate::Gate, text: String) -> Result<(), poolgate::BuildError> {
    /// // If the new configuration is not valid, the old one stays.
    /// gate.replace(poolgate::Gate::builder(text).build().await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn replace(&self, other: Gate) {
        let new = other.current();
        new.verifier.inner().take_keys_of(self.current().verifier.inner());
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
    }

    /// Decides about a request. It waits for keys if they are missing, at most as long as `limits.wait_ms` of the configuration says.
    ///
    /// A head of more than 1 MiB is rejected with the status 431. If the sandbox fails, or too many calls wait, the request is rejected with 503.
    pub async fn decide(&self, head: &RequestHead) -> Decision {
        if head.length() > HEAD_LIMIT {
            return Decision::Reject(Rejection::too_large());
        }
        let started = Instant::now();
        let current = self.current();
        let inner = current.verifier.inner();
        let decided = match inner.answer(&IsAdmitted(head)).await {
            // The route may admit a request without keys: it may only report.
            Err(denial) if denial.reason == Reason::KeysUnavailable => {
                let step = inner.call(|instance| instance.decide_without_keys(&head.0)).await;
                step.and_then(|step| match step {
                    Step::Done(decision) => Ok(decision),
                    _ => Err(denial),
                })
            }
            decided => decided,
        };
        let decision = match decided {
            Ok(GateDecision::Admit(verified, admission)) => Decision::Admit(Admission::new(verified, admission)),
            Ok(GateDecision::Reject(rejection)) => {
                if let Some(line) = &rejection.log {
                    tracing::warn!("{line}");
                }
                Decision::Reject(rejection.into())
            }
            Ok(GateDecision::Respond(response)) => Decision::Respond(response.into()),
            Err(denial) => Decision::Reject(Rejection::undecided(&denial)),
        };
        let (name, reason) = match &decision {
            Decision::Admit(Admission { reported: Some(reason), .. }) => ("reported", reason.as_str()),
            Decision::Admit(Admission { verified: Some(_), .. }) => ("verified", ""),
            Decision::Admit(_) => ("anonymous", ""),
            Decision::Respond(_) => ("responded", ""),
            Decision::Reject(rejection) => ("rejected", rejection.reason.as_str()),
        };
        tracing::debug!(decision = name, reason, "decided about a request");
        inner.count_request(name, reason, started.elapsed());
        decision
    }

    /// Returns the positions in `routes` of the rules that a request must satisfy: one, or two if the application ignores case.
    ///
    /// # Errors
    ///
    /// Returns the reason for which no rule is chosen, with what the configuration says about it.
    pub async fn chosen_rules(&self, head: &RequestHead) -> Result<Vec<u32>, (String, Option<String>)> {
        let current = self.current();
        let chosen = current.verifier.inner().call(|instance| instance.chosen_rules(&head.0)).await;
        chosen.unwrap_or_else(|denial| Err((denial.reason.name().to_owned(), None)))
    }

    /// Returns the verifier of the gate, which has the pools of the configuration: for metrics, key reports, revocations and explanations. After
    /// [`replace`](Self::replace), the gate has another one.
    pub fn verifier(&self) -> Verifier {
        self.current().verifier.clone()
    }

    /// Returns warnings about the configuration: keys that can't be used, and rules that never match or are weaker than they seem.
    pub fn warnings(&self) -> Vec<GateConfigError> {
        self.current().warnings.clone()
    }

    /// Returns the names of the headers that claims are forwarded in.
    pub fn claim_headers(&self) -> Vec<String> {
        self.current().claim_headers.clone()
    }

    /// Returns the names of the headers in which a token may be. Keep their values out of logs.
    pub fn token_headers(&self) -> Vec<String> {
        self.current().token_headers.clone()
    }

    /// Returns whether the application receives the token. If not, [`Admission::changes`] remove it.
    pub fn forwards_tokens(&self) -> bool {
        self.current().forwards_tokens
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Gate").finish_non_exhaustive()
    }
}

/// Is a request admitted?
struct IsAdmitted<'h>(&'h RequestHead);

impl Question for IsAdmitted<'_> {
    type Answer = GateDecision;

    fn ask(&self, instance: &mut Instance) -> Result<Step<GateDecision>, Failure> {
        instance.decide(&self.0.0)
    }

    fn ask_after_fetch(&self, instance: &mut Instance, received_at: u64) -> Result<Step<GateDecision>, Failure> {
        instance.decide_after_fetch(&self.0.0, received_at)
    }

    fn ask_with_status(
        &self,
        instance: &mut Instance,
        status: RevocationStatus,
    ) -> Result<Step<GateDecision>, Failure> {
        instance.decide_with_revocation_status(&self.0.0, status)
    }

    fn accepts(answer: &GateDecision) -> bool {
        matches!(answer, GateDecision::Admit(Some(_), _))
    }
}
