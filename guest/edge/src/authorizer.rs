//! The way of a request through the rooms.

use crate::{
    claims::ClaimMapping,
    config::{Config, ConfigFault, CorsPreflight, core_config, core_fault},
    decision::{Admitted, Conflict, Decision, ForwardedClaims, PausedRequest, Rejection},
    head::RequestHead,
    jwks_upstreams::{self, JwksUpstream},
    local_jwks::LocalJwks,
    policies::{Policy, RouteRequirement},
    protected_headers::ProtectedHeaders,
    response::{RejectionFormat, RejectionResponse},
    routes::{Chosen, Effect, Routes},
    tokens::{self, Found, HeaderMutation, TokenLocation},
};
use poolgate_core::{
    Fetch, FetchFault, Judgement, KeySetFault, KeyState, Reason, Recalled, Response, Step, Tick, Ticket, Verified,
    Verifier,
};
use serde_json::Value;
use std::{cell::RefCell, collections::HashMap, rc::Rc};

/// The state of a pool's keys, for metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolKeys {
    /// The pool's name.
    pub pool: String,
    /// Seconds since they were fetched or last confirmed; none if there are none.
    pub age: Option<u64>,
    /// Whether they verify.
    pub state: KeyState,
    /// How many there are.
    pub keys: usize,
}

/// Decides. It holds the configuration and the keys; time and requests come with each call.
#[derive(Debug)]
pub struct RequestAuthorizer {
    verifier: Verifier,
    pools: Vec<String>,
    by_issuer: HashMap<String, usize>,
    upstreams: HashMap<String, JwksUpstream>,
    local_jwks: LocalJwks,
    policies: Vec<Policy>,
    routes: Routes,
    protected: ProtectedHeaders,
    locations: Vec<TokenLocation>,
    forwards_tokens: bool,
    cors_preflight: CorsPreflight,
    headers: Vec<(String, ClaimMapping)>,
    state: Vec<(String, ClaimMapping)>,
    format: RejectionFormat,
    /// What was said of each ticket, by slot.
    claims_by_handle: Vec<Option<(u64, Rc<ForwardedClaims>)>>,
    warnings: Vec<ConfigFault>,
    /// What the operator was told: each once.
    explained: RefCell<Vec<Conflict>>,
}

/// How many pairs of rules the operator is told of.
const EXPLANATIONS: usize = 100;

enum Unverified {
    Rejected(Reason),
    PendingKeys { url: String, fetch: Option<Fetch> },
}

impl RequestAuthorizer {
    /// Takes a configuration, at the time `now` in seconds since the Unix epoch. `jitter_seed`: any number, best a random one.
    ///
    /// # Errors
    /// [`ConfigFault`] for what [`config::read`](crate::config::read) does not see, because only the core can tell: limits out of range, two
    /// pools of one issuer, keys that are none.
    pub fn new(config: &Config, now: u64, jitter_seed: u64) -> Result<Self, ConfigFault> {
        let core = core_config(config, jitter_seed);
        let key_policy = core.key_policy;
        let mut verifier = Verifier::new(core).map_err(|error| core_fault(&error))?;
        let pools = config.pools.iter().enumerate();
        let by_issuer: HashMap<String, usize> =
            pools.flat_map(|(number, pool)| pool.issuers().into_iter().map(move |issuer| (issuer, number))).collect();
        let (local_jwks, mut warnings) = LocalJwks::seed(&mut verifier, config, key_policy, now)?;
        let upstreams = jwks_upstreams::by_url(&mut verifier, config, &by_issuer, now)?;
        let routes = Routes::new(config)?;
        warnings.extend(routes.warnings());
        let headers = config.claims_to_headers.iter();
        let state = config.claims_to_filter_state.iter();
        Ok(Self {
            verifier,
            pools: config.pools.iter().map(|pool| pool.name.clone()).collect(),
            by_issuer,
            upstreams,
            local_jwks,
            policies: config.policies.iter().map(|policy| Policy::new(policy, &config.pools)).collect(),
            routes,
            protected: ProtectedHeaders::new(config),
            locations: config.tokens.from.iter().map(TokenLocation::new).collect(),
            forwards_tokens: config.tokens.forward,
            cors_preflight: config.cors_preflight,
            headers: headers.map(|it| (it.header.clone(), ClaimMapping::new(&it.claim, &it.path))).collect(),
            state: state.map(|it| (it.name.clone(), ClaimMapping::new(&it.claim, &it.path))).collect(),
            format: RejectionFormat::new(&config.answers),
            claims_by_handle: Vec::new(),
            warnings,
            explained: RefCell::default(),
        })
    }

    /// What is odd about the configuration, but not wrong: stated keys that can't be used, rules that are never reached.
    pub fn warnings(&self) -> &[ConfigFault] {
        &self.warnings
    }

    /// Decides about a request at the time `now`, in seconds since the Unix epoch.
    pub fn authorize(&mut self, now: u64, request: &impl RequestHead) -> Decision {
        self.decide(now, request).unwrap_or_else(Decision::Reject)
    }

    fn decide(&mut self, now: u64, request: &impl RequestHead) -> Result<Decision, Rejection> {
        let forged = self.protected.check(request)?;
        if self.is_preflight(request)? {
            return Ok(Decision::Admit(self.admitted(request, forged, None, None)));
        }
        let chosen = self.routes.choose(request.method(), request.target())?;
        if self
            .routes
            .effects(chosen)
            .all(|effect| effect.is_some_and(|effect| effect.requirement == RouteRequirement::Nothing))
        {
            return Ok(Decision::Admit(self.admitted(request, forged, None, None)));
        }
        let reported = match tokens::find(&self.locations, request) {
            Found::Nothing => {
                self.check_rules(chosen, |rule| if rule.is_optional { Ok(()) } else { Err(Rejection::NoToken) })?
            }
            Found::Several => self.check_rules(chosen, |_| Err(Rejection::SeveralTokens))?,
            Found::Token(token) => match self.verify(now, &token) {
                Ok(claims) => return self.check_policies(chosen, request, forged, claims),
                Err(Unverified::Rejected(reason)) => self.check_rules(chosen, |_| Err(Rejection::Token(reason)))?,
                Err(Unverified::PendingKeys { url, fetch }) => {
                    return Ok(Decision::Pause(PausedRequest { chosen, token: token.into_owned(), url, fetch }));
                }
            },
        };
        Ok(Decision::Admit(self.admitted(request, forged, None, reported)))
    }

    /// Decides about a request for whose keys a fetch has ended, or will not. `came_at` is a moment before [`RequestAuthorizer::authorize`] was called for
    /// it. It waits once more if that fetch began before then, for the key may have been published since; see
    /// [`Verifier::verify_again`].
    pub fn authorize_paused(
        &mut self,
        now: u64,
        request: &impl RequestHead,
        paused: &PausedRequest,
        came_at: Tick,
    ) -> Decision {
        let wait = |url: String, fetch| {
            Decision::Pause(PausedRequest { chosen: paused.chosen, token: paused.token.clone(), url, fetch })
        };
        let verdict = match self.verifier.verify_again(now, &paused.token, came_at) {
            Step::NeedsKeys(fetch) => return wait(fetch.url.clone(), Some(fetch)),
            Step::AwaitsKeys(url) => return wait(url, None),
            step => step.verdict(),
        };
        let claims = match verdict {
            Ok(verified) => Ok(Rc::new(self.forwarded_claims(verified))),
            Err(reason) => Err(reason),
        };
        self.resolve(request, paused, claims)
    }

    /// Gives up waiting: the keys did not come in time.
    pub fn time_out(&self, request: &impl RequestHead, paused: &PausedRequest) -> Decision {
        self.resolve(request, paused, Err(Reason::KeysUnavailable))
    }

    fn resolve(
        &self,
        request: &impl RequestHead,
        paused: &PausedRequest,
        verified: Result<Rc<ForwardedClaims>, Reason>,
    ) -> Decision {
        let decided = self.protected.check(request).and_then(|forged| match verified {
            Ok(claims) => self.check_policies(paused.chosen, request, forged, claims),
            Err(reason) => {
                let reported = self.check_rules(paused.chosen, |_| Err(Rejection::Token(reason)))?;
                Ok(Decision::Admit(self.admitted(request, forged, None, reported)))
            }
        });
        decided.unwrap_or_else(Decision::Reject)
    }

    /// What the operator should read of a refusal, and nobody else; none if it was said before. It names no more than the configuration's rules.
    pub fn explain(&self, rejection: Rejection) -> Option<String> {
        let Rejection::AmbiguousPath(conflict) = rejection else { return None };
        let mut explained = self.explained.borrow_mut();
        if explained.contains(&conflict) || explained.len() >= EXPLANATIONS {
            return None;
        }
        explained.push(conflict);
        if conflict == Conflict::default() {
            return Some("a path was refused (400) because it can be read in too many ways".to_owned());
        }
        let (first, second) = (self.routes.name(conflict.first), self.routes.name(conflict.second));
        Some(format!(
            "a path was refused (400) because {first} is for it as it came, and {second} as other readers read it"
        ))
    }

    /// The headers that must be set, and those that must be taken away (they have no value), before the application gets the request.
    pub fn claim_headers<'a>(&'a self, admitted: &'a Admitted) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        let value = |number: usize| admitted.claims.as_ref().and_then(|claims| claims.headers.get(number)?.as_deref());
        self.headers.iter().enumerate().map(move |(number, (name, _))| (name.as_str(), value(number)))
    }

    /// The same for the filter state; claims that are not there are left out.
    pub fn filter_state<'a>(&'a self, admitted: &'a Admitted) -> impl Iterator<Item = (&'a str, &'a str)> {
        let value = |number: usize| admitted.claims.as_ref().and_then(|claims| claims.state.get(number)?.as_deref());
        let states = self.state.iter().enumerate();
        states.filter_map(move |(number, (name, _))| value(number).map(|value| (name.as_str(), value)))
    }

    /// A refusal as the caller gets it.
    pub fn response(&self, rejection: Rejection) -> RejectionResponse {
        self.format.response(rejection)
    }

    /// Whether a refusal of this request is answered in gRPC; see [`RejectionFormat::is_grpc_for`].
    pub fn responds_in_grpc(&self, request: &impl RequestHead) -> bool {
        self.format.is_grpc_for(request)
    }

    /// The fetches that it is time for; see [`Verifier::maintain`]. To be called every second or so.
    pub fn maintain(&mut self, now: u64) -> Vec<Fetch> {
        self.local_jwks.renew(&mut self.verifier, now);
        self.verifier.maintain(now)
    }

    /// See [`Verifier::leave_unknown_key_fetches`].
    pub fn leave_unknown_key_fetches(&mut self, left: u32) {
        self.verifier.leave_unknown_key_fetches(left);
    }

    /// Takes the outcome of a fetch; see [`Verifier::fetched`].
    ///
    /// # Errors
    /// See [`KeySetFault`]. The current keys stay.
    pub fn fetched(
        &mut self,
        now: u64,
        url: &str,
        key_id: Option<&str>,
        began_at: Tick,
        ended_at: u64,
        outcome: Result<Response<'_>, FetchFault>,
    ) -> Result<(), KeySetFault> {
        self.verifier.fetched(now, url, key_id, began_at, ended_at, outcome)
    }

    /// Where the keys of a URL are fetched from.
    pub fn jwks_upstream(&self, url: &str) -> Option<&JwksUpstream> {
        self.upstreams.get(url)
    }

    /// Every URL that keys are fetched from.
    pub fn key_urls(&self) -> Vec<String> {
        self.upstreams.keys().cloned().collect()
    }

    /// The state of the keys, an entry for each pool: of the endpoint with the newest, where there are two.
    pub fn pool_keys(&mut self, now: u64) -> Vec<PoolKeys> {
        let none = |pool: &String| PoolKeys { pool: pool.clone(), age: None, state: KeyState::Missing, keys: 0 };
        let mut pools: Vec<PoolKeys> = self.pools.iter().map(none).collect();
        for report in self.verifier.key_reports(now) {
            let any = [String::new()];
            let issuers = if report.issuers.is_empty() { any.as_slice() } else { &report.issuers };
            for issuer in issuers {
                let Some(entry) = self.by_issuer.get(issuer).and_then(|number| pools.get_mut(*number)) else {
                    continue;
                };
                if report.age.is_some() && entry.age.is_none_or(|age| report.age < Some(age)) {
                    *entry = PoolKeys {
                        pool: std::mem::take(&mut entry.pool),
                        age: report.age,
                        state: report.state,
                        keys: report.key_ids.len(),
                    };
                }
            }
        }
        pools
    }

    fn is_preflight(&self, request: &impl RequestHead) -> Result<bool, Rejection> {
        if self.cors_preflight == CorsPreflight::Verify || request.method() != "OPTIONS" {
            return Ok(false);
        }
        match (request.header("origin"), request.header("access-control-request-method")) {
            (Ok(Some(_)), Ok(Some(asked))) => match self.routes.choose(&asked, request.target()) {
                Ok(_) => Ok(true),
                Err(Rejection::NoRule) => Ok(false),
                Err(rejection) => Err(rejection),
            },
            _ => Ok(false),
        }
    }

    /// Whether the rules are satisfied, by what each of those that look at a token says. If one is not and only reports, that is what it
    /// would have refused for.
    fn check_rules(
        &self,
        chosen: Chosen,
        verdict: impl Fn(&Effect) -> Result<(), Rejection>,
    ) -> Result<Option<Rejection>, Rejection> {
        let mut reported = None;
        for effect in self.routes.effects(chosen) {
            let effect = effect.ok_or(Rejection::NoRule)?;
            match verdict(effect) {
                _ if effect.requirement == RouteRequirement::Nothing => (),
                Ok(()) => (),
                Err(rejection) if effect.is_report_only => reported = Some(rejection),
                Err(rejection) => return Err(rejection),
            }
        }
        Ok(reported)
    }

    fn check_policies(
        &self,
        chosen: Chosen,
        request: &impl RequestHead,
        forged: Vec<HeaderMutation>,
        claims: Rc<ForwardedClaims>,
    ) -> Result<Decision, Rejection> {
        let check = |rule: &Effect| {
            rule.requirement.check(&self.policies, &claims.verified, claims.pool).map_err(Rejection::Token)
        };
        let reported = self.check_rules(chosen, check)?;
        let claims = reported.is_none().then_some(claims);
        Ok(Decision::Admit(self.admitted(request, forged, claims, reported)))
    }

    fn admitted(
        &self,
        request: &impl RequestHead,
        forged: Vec<HeaderMutation>,
        claims: Option<Rc<ForwardedClaims>>,
        reported: Option<Rejection>,
    ) -> Admitted {
        let mut mutations = forged;
        if !self.forwards_tokens {
            mutations.extend(tokens::mutations(&self.locations, request));
        }
        Admitted { claims, mutations, reported }
    }

    fn verify(&mut self, now: u64, token: &str) -> Result<Rc<ForwardedClaims>, Unverified> {
        match self.verifier.judge(now, token) {
            Step::Judged(Ok(Judgement::Recalled(Recalled { ticket, .. }))) => match self.cached_claims(ticket) {
                Some(claims) => Ok(claims),
                None => {
                    // It was recalled a moment ago, in the same call: no key is asked for.
                    let again = self
                        .verifier
                        .verify_again(now, token, Tick::UNKNOWN)
                        .verdict()
                        .map_err(Unverified::Rejected)?;
                    Ok(self.store_claims(Some(ticket), again))
                }
            },
            Step::Judged(Ok(Judgement::Verified(verified, ticket))) => Ok(self.store_claims(ticket, verified)),
            Step::Judged(Err(reason)) => Err(Unverified::Rejected(reason)),
            // The verifier is configured without a revocation store.
            Step::AwaitsRevocation(_) => Err(Unverified::Rejected(Reason::RevocationUnavailable)),
            Step::NeedsKeys(fetch) => Err(Unverified::PendingKeys { url: fetch.url.clone(), fetch: Some(fetch) }),
            Step::AwaitsKeys(url) => Err(Unverified::PendingKeys { url, fetch: None }),
        }
    }

    fn cached_claims(&self, ticket: Ticket) -> Option<Rc<ForwardedClaims>> {
        let (version, claims) = self.claims_by_handle.get(ticket.slot as usize)?.as_ref()?;
        (*version == ticket.version).then(|| Rc::clone(claims))
    }

    fn store_claims(&mut self, ticket: Option<Ticket>, verified: Verified) -> Rc<ForwardedClaims> {
        let claims = Rc::new(self.forwarded_claims(verified));
        if let Some(ticket) = ticket {
            let slot = ticket.slot as usize;
            if self.claims_by_handle.len() <= slot {
                self.claims_by_handle.resize_with(slot.saturating_add(1), || None);
            }
            if let Some(entry) = self.claims_by_handle.get_mut(slot) {
                *entry = Some((ticket.version, Rc::clone(&claims)));
            }
        }
        claims
    }

    fn forwarded_claims(&self, mut verified: Verified) -> ForwardedClaims {
        let payload = std::mem::take(&mut verified.payload);
        let payload = match self.headers.is_empty() && self.state.is_empty() {
            true => Value::Null,
            // It is JSON, or it would not have been verified.
            false => serde_json::from_str(&payload).unwrap_or_default(),
        };
        let texts = |mappings: &[(String, ClaimMapping)]| {
            mappings.iter().map(|(_, mapping)| mapping.text_in(&payload)).collect::<Vec<_>>()
        };
        // Where any issuer is accepted there is but one pool, under the empty name.
        let issuer = verified.issuer.as_deref().unwrap_or_default();
        let pool = self.by_issuer.get(issuer).or_else(|| self.by_issuer.get("")).copied();
        ForwardedClaims { pool, headers: texts(&self.headers), state: texts(&self.state), verified }
    }
}
