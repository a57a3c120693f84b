//! The way of a request through the rooms.

use crate::{
    answer::{Answer, Answers},
    claims::Wanted,
    config::{Config, ConfigFault, CorsPreflight, core_config, core_fault},
    decision::{Admitted, Conflict, Decision, Facts, Held, Refusal},
    head::RequestHead,
    hygiene::Guarded,
    key_servers::{self, KeyServer},
    policies::{Need, Policy},
    routes::{Chosen, Effect, Routes},
    stated_keys::StatedKeys,
    tokens::{self, Found, Place, Removal},
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
pub struct Gate {
    verifier: Verifier,
    pools: Vec<String>,
    by_issuer: HashMap<String, usize>,
    servers: HashMap<String, KeyServer>,
    stated_keys: StatedKeys,
    policies: Vec<Policy>,
    routes: Routes,
    guarded: Guarded,
    places: Vec<Place>,
    forwards_tokens: bool,
    cors_preflight: CorsPreflight,
    headers: Vec<(String, Wanted)>,
    state: Vec<(String, Wanted)>,
    answers: Answers,
    /// What was said of each ticket, by slot.
    said: Vec<Option<(u64, Rc<Facts>)>>,
    warnings: Vec<ConfigFault>,
    /// What the operator was told: each once.
    explained: RefCell<Vec<Conflict>>,
}

/// How many pairs of rules the operator is told of.
const EXPLANATIONS: usize = 100;

enum Stop {
    Refused(Reason),
    Waits { url: String, fetch: Option<Fetch> },
}

impl Gate {
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
        let (stated_keys, mut warnings) = StatedKeys::seed(&mut verifier, config, key_policy, now)?;
        let servers = key_servers::by_url(&mut verifier, config, &by_issuer, now)?;
        let routes = Routes::new(config)?;
        warnings.extend(routes.warnings());
        let headers = config.claims_to_headers.iter();
        let state = config.claims_to_filter_state.iter();
        Ok(Self {
            verifier,
            pools: config.pools.iter().map(|pool| pool.name.clone()).collect(),
            by_issuer,
            servers,
            stated_keys,
            policies: config.policies.iter().map(|policy| Policy::new(policy, &config.pools)).collect(),
            routes,
            guarded: Guarded::new(config),
            places: config.tokens.from.iter().map(Place::new).collect(),
            forwards_tokens: config.tokens.forward,
            cors_preflight: config.cors_preflight,
            headers: headers.map(|it| (it.header.clone(), Wanted::new(&it.claim, &it.path))).collect(),
            state: state.map(|it| (it.name.clone(), Wanted::new(&it.claim, &it.path))).collect(),
            answers: Answers::new(&config.answers),
            said: Vec::new(),
            warnings,
            explained: RefCell::default(),
        })
    }

    /// What is odd about the configuration, but not wrong: stated keys that can't be used, rules that are never reached.
    pub fn warnings(&self) -> &[ConfigFault] {
        &self.warnings
    }

    /// Decides about a request at the time `now`, in seconds since the Unix epoch.
    pub fn admit(&mut self, now: u64, request: &impl RequestHead) -> Decision {
        self.decide(now, request).unwrap_or_else(Decision::Refuse)
    }

    fn decide(&mut self, now: u64, request: &impl RequestHead) -> Result<Decision, Refusal> {
        let forged = self.guarded.check(request)?;
        if self.is_preflight(request)? {
            return Ok(Decision::Admit(self.admitted(request, forged, None, None)));
        }
        let chosen = self.routes.choose(request.method(), request.target())?;
        if self.routes.effects(chosen).all(|effect| effect.is_some_and(|effect| effect.need == Need::Nothing)) {
            return Ok(Decision::Admit(self.admitted(request, forged, None, None)));
        }
        let reported = match tokens::find(&self.places, request) {
            Found::Nothing => {
                self.satisfied(chosen, |rule| if rule.is_optional { Ok(()) } else { Err(Refusal::NoToken) })?
            }
            Found::Several => self.satisfied(chosen, |_| Err(Refusal::SeveralTokens))?,
            Found::Token(token) => match self.judge(now, &token) {
                Ok(facts) => return self.concluded(chosen, request, forged, facts),
                Err(Stop::Refused(reason)) => self.satisfied(chosen, |_| Err(Refusal::Token(reason)))?,
                Err(Stop::Waits { url, fetch }) => {
                    return Ok(Decision::Wait(Held { chosen, token: token.into_owned(), url, fetch }));
                }
            },
        };
        Ok(Decision::Admit(self.admitted(request, forged, None, reported)))
    }

    /// Decides about a request for whose keys a fetch has ended, or will not. `came_at` is a moment before [`Gate::admit`] was called for
    /// it. It waits once more if that fetch began before then, for the key may have been published since; see
    /// [`Verifier::verify_again`].
    pub fn admit_held(&mut self, now: u64, request: &impl RequestHead, held: &Held, came_at: Tick) -> Decision {
        let wait =
            |url: String, fetch| Decision::Wait(Held { chosen: held.chosen, token: held.token.clone(), url, fetch });
        let verdict = match self.verifier.verify_again(now, &held.token, came_at) {
            Step::NeedsKeys(fetch) => return wait(fetch.url.clone(), Some(fetch)),
            Step::AwaitsKeys(url) => return wait(url, None),
            step => step.verdict(),
        };
        let facts = match verdict {
            Ok(verified) => Ok(Rc::new(self.facts(verified))),
            Err(reason) => Err(reason),
        };
        self.resolve(request, held, facts)
    }

    /// Gives up waiting: the keys did not come in time.
    pub fn give_up(&self, request: &impl RequestHead, held: &Held) -> Decision {
        self.resolve(request, held, Err(Reason::KeysUnavailable))
    }

    fn resolve(&self, request: &impl RequestHead, held: &Held, judged: Result<Rc<Facts>, Reason>) -> Decision {
        let decided = self.guarded.check(request).and_then(|forged| match judged {
            Ok(facts) => self.concluded(held.chosen, request, forged, facts),
            Err(reason) => {
                let reported = self.satisfied(held.chosen, |_| Err(Refusal::Token(reason)))?;
                Ok(Decision::Admit(self.admitted(request, forged, None, reported)))
            }
        });
        decided.unwrap_or_else(Decision::Refuse)
    }

    /// What the operator should read of a refusal, and nobody else; none if it was said before. It names no more than the configuration's rules.
    pub fn explain(&self, refusal: Refusal) -> Option<String> {
        let Refusal::AmbiguousPath(conflict) = refusal else { return None };
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
        let value = |number: usize| admitted.facts.as_ref().and_then(|facts| facts.headers.get(number)?.as_deref());
        self.headers.iter().enumerate().map(move |(number, (name, _))| (name.as_str(), value(number)))
    }

    /// The same for the filter state; claims that are not there are left out.
    pub fn filter_state<'a>(&'a self, admitted: &'a Admitted) -> impl Iterator<Item = (&'a str, &'a str)> {
        let value = |number: usize| admitted.facts.as_ref().and_then(|facts| facts.state.get(number)?.as_deref());
        let states = self.state.iter().enumerate();
        states.filter_map(move |(number, (name, _))| value(number).map(|value| (name.as_str(), value)))
    }

    /// A refusal as the caller gets it.
    pub fn answer(&self, refusal: Refusal) -> Answer {
        self.answers.of(refusal)
    }

    /// Whether a refusal of this request is answered in gRPC; see [`Answers::are_grpc_for`].
    pub fn answers_in_grpc(&self, request: &impl RequestHead) -> bool {
        self.answers.are_grpc_for(request)
    }

    /// The fetches that it is time for; see [`Verifier::maintain`]. To be called every second or so.
    pub fn maintain(&mut self, now: u64) -> Vec<Fetch> {
        self.stated_keys.renew(&mut self.verifier, now);
        self.verifier.maintain(now)
    }

    /// See [`Verifier::leave_unknown_key_fetches`].
    pub fn leave_unknown_key_fetches(&mut self, left: u32) {
        self.verifier.leave_unknown_key_fetches(left);
    }

    /// Takes the outcome of a fetch; see [`Verifier::fetched`].
    ///
    /// # Errors
    /// See [`KeySetFault`]. The keys held before then stay.
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
    pub fn key_server(&self, url: &str) -> Option<&KeyServer> {
        self.servers.get(url)
    }

    /// Every URL that keys are fetched from.
    pub fn key_urls(&self) -> Vec<String> {
        self.servers.keys().cloned().collect()
    }

    /// The state of the keys, an entry for each pool: of the place with the newest, where there are two.
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

    fn is_preflight(&self, request: &impl RequestHead) -> Result<bool, Refusal> {
        if self.cors_preflight == CorsPreflight::Verify || request.method() != "OPTIONS" {
            return Ok(false);
        }
        match (request.header("origin"), request.header("access-control-request-method")) {
            (Ok(Some(_)), Ok(Some(asked))) => match self.routes.choose(&asked, request.target()) {
                Ok(_) => Ok(true),
                Err(Refusal::NoRule) => Ok(false),
                Err(refusal) => Err(refusal),
            },
            _ => Ok(false),
        }
    }

    /// Whether the rules are satisfied, by what each of those that look at a token says. If one is not and only reports, that is what it
    /// would have refused for.
    fn satisfied(
        &self,
        chosen: Chosen,
        verdict: impl Fn(&Effect) -> Result<(), Refusal>,
    ) -> Result<Option<Refusal>, Refusal> {
        let mut reported = None;
        for effect in self.routes.effects(chosen) {
            let effect = effect.ok_or(Refusal::NoRule)?;
            match verdict(effect) {
                _ if effect.need == Need::Nothing => (),
                Ok(()) => (),
                Err(refusal) if effect.is_report_only => reported = Some(refusal),
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(reported)
    }

    fn concluded(
        &self,
        chosen: Chosen,
        request: &impl RequestHead,
        forged: Vec<Removal>,
        facts: Rc<Facts>,
    ) -> Result<Decision, Refusal> {
        let check =
            |rule: &Effect| rule.need.check(&self.policies, &facts.verified, facts.pool).map_err(Refusal::Token);
        let reported = self.satisfied(chosen, check)?;
        let facts = reported.is_none().then_some(facts);
        Ok(Decision::Admit(self.admitted(request, forged, facts, reported)))
    }

    fn admitted(
        &self,
        request: &impl RequestHead,
        forged: Vec<Removal>,
        facts: Option<Rc<Facts>>,
        reported: Option<Refusal>,
    ) -> Admitted {
        let mut removals = forged;
        if !self.forwards_tokens {
            removals.extend(tokens::removals(&self.places, request));
        }
        Admitted { facts, removals, reported }
    }

    fn judge(&mut self, now: u64, token: &str) -> Result<Rc<Facts>, Stop> {
        match self.verifier.judge(now, token) {
            Step::Judged(Ok(Judgement::Recalled(Recalled { ticket, .. }))) => match self.said_of(ticket) {
                Some(facts) => Ok(facts),
                None => {
                    // It was recalled a moment ago, in the same call: no key is asked for.
                    let again =
                        self.verifier.verify_again(now, token, Tick::UNKNOWN).verdict().map_err(Stop::Refused)?;
                    Ok(self.keep(Some(ticket), again))
                }
            },
            Step::Judged(Ok(Judgement::Verified(verified, ticket))) => Ok(self.keep(ticket, verified)),
            Step::Judged(Err(reason)) => Err(Stop::Refused(reason)),
            // A gate asks no store, and never says that its verifier should.
            Step::AwaitsRevocation(_) => Err(Stop::Refused(Reason::RevocationUnavailable)),
            Step::NeedsKeys(fetch) => Err(Stop::Waits { url: fetch.url.clone(), fetch: Some(fetch) }),
            Step::AwaitsKeys(url) => Err(Stop::Waits { url, fetch: None }),
        }
    }

    fn said_of(&self, ticket: Ticket) -> Option<Rc<Facts>> {
        let (version, facts) = self.said.get(ticket.slot as usize)?.as_ref()?;
        (*version == ticket.version).then(|| Rc::clone(facts))
    }

    fn keep(&mut self, ticket: Option<Ticket>, verified: Verified) -> Rc<Facts> {
        let facts = Rc::new(self.facts(verified));
        if let Some(ticket) = ticket {
            let slot = ticket.slot as usize;
            if self.said.len() <= slot {
                self.said.resize_with(slot.saturating_add(1), || None);
            }
            if let Some(place) = self.said.get_mut(slot) {
                *place = Some((ticket.version, Rc::clone(&facts)));
            }
        }
        facts
    }

    fn facts(&self, mut verified: Verified) -> Facts {
        let payload = std::mem::take(&mut verified.payload);
        let payload = match self.headers.is_empty() && self.state.is_empty() {
            true => Value::Null,
            // It is JSON, or it would not have been verified.
            false => serde_json::from_str(&payload).unwrap_or_default(),
        };
        let texts =
            |wanted: &[(String, Wanted)]| wanted.iter().map(|(_, wanted)| wanted.text_in(&payload)).collect::<Vec<_>>();
        // Where any issuer is accepted there is but one pool, under the empty name.
        let issuer = verified.issuer.as_deref().unwrap_or_default();
        let pool = self.by_issuer.get(issuer).or_else(|| self.by_issuer.get("")).copied();
        Facts { pool, headers: texts(&self.headers), state: texts(&self.state), verified }
    }
}
