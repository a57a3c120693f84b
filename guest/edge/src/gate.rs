//! The way of a request through the rooms.

use crate::{
    answer::{Answer, Answers},
    claims::Wanted,
    config::{self, Config, ConfigFault, CorsPreflight, core_config},
    path,
    policies::Policy,
    routes::Rule,
    tokens::{self, Found, Place, Removal},
};
use poolgate_core::{
    Fetch, FetchFault, Judgement, KeySetFault, KeyState, Reason, Recalled, Response, Step, Ticket, Verified, Verifier,
};
use serde_json::Value;
use std::{borrow::Cow, collections::HashMap, rc::Rc};

/// The head of a request, as an adapter reads it.
pub trait RequestHead {
    /// The method.
    fn method(&self) -> &str;

    /// The request target: path and query.
    fn target(&self) -> &str;

    /// A header's value; its name is in lower case. What is not UTF-8 counts as a value that no token has.
    ///
    /// # Errors
    /// If the header stands there more than once.
    #[expect(clippy::result_unit_err, reason = "there is nothing more to say")]
    fn header(&self, name: &str) -> Result<Option<Cow<'_, str>>, ()>;
}

/// What becomes of a request.
#[derive(Debug)]
#[must_use]
pub enum Decision {
    /// It passes.
    Admit(Admitted),
    /// It does not.
    Refuse(Refusal),
    /// It must wait for keys: see [`Gate::admit_held`].
    Wait(Held),
}

/// Why a request does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// For its token.
    Token(Reason),
    /// It has none, and needs one.
    NoToken,
    /// It has more than one.
    SeveralTokens,
    /// Its path can be read in two ways.
    AmbiguousPath,
    /// No rule matches it.
    NoRule,
}

impl Refusal {
    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Token(reason) => reason.name(),
            Self::NoToken => "no-token",
            Self::SeveralTokens => "several-tokens",
            Self::AmbiguousPath => "ambiguous-path",
            Self::NoRule => "no-rule",
        }
    }

    /// The HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Self::Token(reason) => reason.answer().status(),
            Self::NoToken => 401,
            Self::SeveralTokens | Self::AmbiguousPath => 400,
            Self::NoRule => 403,
        }
    }
}

/// A request that passes.
#[derive(Debug)]
pub struct Admitted {
    facts: Option<Rc<Facts>>,
    /// What must be done so that the application does not get the token, if it is not to.
    pub removals: Vec<Removal>,
    /// What it would have been refused for, if its rule did not only report.
    pub reported: Option<Refusal>,
}

impl Admitted {
    /// Whether there was a token, and it was good.
    pub fn is_verified(&self) -> bool {
        self.facts.is_some() && self.reported.is_none()
    }
}

/// A request that waits for keys.
#[derive(Debug)]
pub struct Held {
    rule: usize,
    token: String,
    /// Where they come from.
    pub url: String,
    /// The fetch that must be begun for them; none if it is under way.
    pub fetch: Option<Fetch>,
}

/// What a good token says.
struct Facts {
    verified: Verified,
    pool: Option<usize>,
    /// As many as there are headers to be set.
    headers: Vec<Option<String>>,
    state: Vec<Option<String>>,
}

impl std::fmt::Debug for Facts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Facts").finish_non_exhaustive()
    }
}

/// Where keys are fetched from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyServer {
    /// The proxy's name for it.
    pub cluster: String,
    /// For `:authority`.
    pub authority: String,
    /// For `:path`.
    pub path: String,
    /// In milliseconds.
    pub timeout_ms: u32,
}

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

/// Keys that the configuration states.
#[derive(Debug)]
struct Inline {
    issuer: String,
    jwks: Vec<u8>,
    renewed_at: u64,
}

/// Decides. It holds the configuration and the keys; time and requests come with each call.
#[derive(Debug)]
pub struct Gate {
    verifier: Verifier,
    pools: Vec<String>,
    by_issuer: HashMap<String, usize>,
    servers: HashMap<String, KeyServer>,
    /// Keys that no server brings: while they are stated here, they are as good as new.
    inline: Vec<Inline>,
    renew_after: u64,
    policies: Vec<Policy>,
    rules: Vec<Rule>,
    places: Vec<Place>,
    forwards_tokens: bool,
    ignores_case: bool,
    cors_preflight: CorsPreflight,
    headers: Vec<(String, Wanted)>,
    state: Vec<(String, Wanted)>,
    answers: Answers,
    /// What was said of each ticket, by slot.
    said: Vec<Option<(u64, Rc<Facts>)>>,
    warnings: Vec<ConfigFault>,
}

enum Stop {
    Refused(Reason),
    Waits { url: String, fetch: Option<Fetch> },
}

impl Gate {
    /// Takes a configuration, at the time `now` in seconds since the Unix epoch. `jitter_seed`: any number, best a random one.
    ///
    /// # Errors
    /// [`ConfigFault`] for what only the core can tell: limits out of range, two pools of one issuer, keys that are none.
    pub fn new(config: &Config, now: u64, jitter_seed: u64) -> Result<Self, ConfigFault> {
        let core = core_config(config, jitter_seed);
        let key_policy = core.key_policy;
        let mut verifier = Verifier::new(core).map_err(|error| config::core_fault(&error))?;
        let mut by_issuer = HashMap::new();
        let (mut inline, mut warnings) = (Vec::new(), Vec::new());
        for (number, pool) in config.pools.iter().enumerate() {
            for issuer in pool.issuers() {
                let jwks = pool.keys.jwks.clone().map(|set| Value::Object(set).to_string().into_bytes());
                if let Some(jwks) = jwks {
                    // A server's keys are stale until it has confirmed them.
                    let age = u64::from(key_policy.soft_ttl_max.min(key_policy.hard_ttl.saturating_sub(1)));
                    let fetched_at = if pool.keys.cluster.is_some() { now.saturating_sub(age) } else { now };
                    let report = verifier.seed(now, &issuer, &jwks, fetched_at);
                    let at = format!("pools[{number}].keys.jwks");
                    match report {
                        Err(fault) => return Err(ConfigFault::new(at, format!("is not taken: {fault:?}"))),
                        Ok(report) => {
                            let unused = report.skipped.iter();
                            let texts = unused.map(|key| format!("keys[{}] can't be used: {:?}", key.index, key.fault));
                            if report.key_ids.is_empty() {
                                let texts: Vec<String> = texts.collect();
                                return Err(ConfigFault::new(at, format!("has no usable key: {}", texts.join("; "))));
                            }
                            warnings.extend(texts.map(|text| ConfigFault::new(at.clone(), text)));
                        }
                    }
                    if pool.keys.cluster.is_none() {
                        inline.push(Inline { issuer: issuer.clone(), jwks, renewed_at: now });
                    }
                }
                by_issuer.insert(issuer, number);
            }
        }
        let mut servers = HashMap::new();
        for report in verifier.key_reports(now) {
            let issuer = report.issuers.first().map_or("", String::as_str);
            let pool = by_issuer.get(issuer).and_then(|pool| config.pools.get(*pool));
            if let (Some(url), Some(pool)) = (report.url, pool)
                && let Some(cluster) = &pool.keys.cluster
            {
                let (authority, path) = config::authority_and_path(&url)
                    .ok_or_else(|| ConfigFault::new("pools", format!("keys can't be fetched from {url}")))?;
                let (cluster, timeout_ms) = (cluster.clone(), pool.keys.timeout_ms);
                let server = KeyServer { cluster, authority: authority.to_owned(), path: path.to_owned(), timeout_ms };
                servers.insert(url, server);
            }
        }
        let ignores_case = config.case_insensitive_paths;
        let rule = |route| Rule::new(route, &config.policies, ignores_case);
        let headers = config.claims_to_headers.iter();
        let state = config.claims_to_filter_state.iter();
        Ok(Self {
            verifier,
            pools: config.pools.iter().map(|pool| pool.name.clone()).collect(),
            by_issuer,
            servers,
            inline,
            renew_after: u64::from(key_policy.soft_ttl_min / 2).max(1),
            policies: config.policies.iter().map(|policy| Policy::new(policy, &config.pools)).collect(),
            rules: config.routes.iter().map(rule).collect(),
            places: config.tokens.from.iter().map(Place::new).collect(),
            forwards_tokens: config.tokens.forward,
            ignores_case,
            cors_preflight: config.cors_preflight,
            headers: headers.map(|it| (it.header.clone(), Wanted::new(&it.claim, &it.path))).collect(),
            state: state.map(|it| (it.name.clone(), Wanted::new(&it.claim, &it.path))).collect(),
            answers: Answers::new(&config.answers),
            said: Vec::new(),
            warnings,
        })
    }

    /// What is odd about the configuration, but not wrong: stated keys that can't be used.
    pub fn warnings(&self) -> &[ConfigFault] {
        &self.warnings
    }

    /// Decides about a request at the time `now`, in seconds since the Unix epoch.
    pub fn admit(&mut self, now: u64, request: &impl RequestHead) -> Decision {
        let Ok(mut path) = path::canonical(request.target()) else {
            return Decision::Refuse(Refusal::AmbiguousPath);
        };
        if self.ignores_case {
            path.make_ascii_lowercase();
        }
        let method = request.method();
        if self.is_preflight(request, &path) {
            return Decision::Admit(self.admitted(request, None, None));
        }
        let Some(number) = self.rules.iter().position(|rule| rule.matches(&path, method)) else {
            return Decision::Refuse(Refusal::NoRule);
        };
        let Some(rule) = self.rules.get(number) else {
            return Decision::Refuse(Refusal::NoRule);
        };
        if matches!(rule.need, crate::policies::Need::Nothing) {
            return Decision::Admit(self.admitted(request, None, None));
        }
        match tokens::find(&self.places, request) {
            Found::Nothing if rule.is_optional => Decision::Admit(self.admitted(request, None, None)),
            Found::Nothing => self.refused(number, request, Refusal::NoToken),
            Found::Several => self.refused(number, request, Refusal::SeveralTokens),
            Found::Token(token) => match self.judge(now, &token) {
                Ok(facts) => self.concluded(number, request, facts),
                Err(Stop::Refused(reason)) => self.refused(number, request, Refusal::Token(reason)),
                Err(Stop::Waits { url, fetch }) => {
                    Decision::Wait(Held { rule: number, token: token.into_owned(), url, fetch })
                }
            },
        }
    }

    /// Decides about a request whose keys have come, or will not. It asks for nothing more.
    pub fn admit_held(&mut self, now: u64, request: &impl RequestHead, held: &Held) -> Decision {
        match self.verifier.verify_again(now, &held.token).verdict() {
            Ok(verified) => {
                let facts = self.facts(verified);
                self.concluded(held.rule, request, Rc::new(facts))
            }
            Err(reason) => self.refused(held.rule, request, Refusal::Token(reason)),
        }
    }

    /// Gives up waiting: the keys did not come in time.
    pub fn give_up(&self, request: &impl RequestHead, held: &Held) -> Decision {
        self.refused(held.rule, request, Refusal::Token(Reason::KeysUnavailable))
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

    /// The fetches that it is time for; see [`Verifier::maintain`]. To be called every second or so.
    pub fn maintain(&mut self, now: u64) -> Vec<Fetch> {
        for Inline { issuer, jwks, renewed_at } in &mut self.inline {
            if now.saturating_sub(*renewed_at) >= self.renew_after {
                *renewed_at = now;
                // They were taken when they were stated.
                let _ = self.verifier.seed(now, issuer, jwks, now);
            }
        }
        self.verifier.maintain(now)
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
        ended_at: u64,
        outcome: Result<Response<'_>, FetchFault>,
    ) -> Result<(), KeySetFault> {
        self.verifier.fetched(now, url, key_id, ended_at, outcome)
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

    fn is_preflight(&self, request: &impl RequestHead, path: &str) -> bool {
        if self.cors_preflight == CorsPreflight::Judge || request.method() != "OPTIONS" {
            return false;
        }
        match (request.header("origin"), request.header("access-control-request-method")) {
            (Ok(Some(_)), Ok(Some(asked))) => self.rules.iter().any(|rule| rule.matches(path, &asked)),
            _ => false,
        }
    }

    fn concluded(&self, rule: usize, request: &impl RequestHead, facts: Rc<Facts>) -> Decision {
        let checked = match self.rules.get(rule) {
            Some(rule) => rule.need.check(&self.policies, &facts.verified, facts.pool),
            None => Err(Reason::NotConfigured),
        };
        match checked {
            Ok(()) => Decision::Admit(self.admitted(request, Some(facts), None)),
            Err(reason) => self.refused(rule, request, Refusal::Token(reason)),
        }
    }

    fn refused(&self, rule: usize, request: &impl RequestHead, refusal: Refusal) -> Decision {
        match self.rules.get(rule) {
            Some(rule) if rule.is_report_only => Decision::Admit(self.admitted(request, None, Some(refusal))),
            _ => Decision::Refuse(refusal),
        }
    }

    fn admitted(&self, request: &impl RequestHead, facts: Option<Rc<Facts>>, reported: Option<Refusal>) -> Admitted {
        let removals = match self.forwards_tokens {
            true => Vec::new(),
            false => tokens::removals(&self.places, request),
        };
        Admitted { facts, removals, reported }
    }

    fn judge(&mut self, now: u64, token: &str) -> Result<Rc<Facts>, Stop> {
        match self.verifier.judge(now, token) {
            Step::Judged(Ok(Judgement::Recalled(Recalled { ticket, .. }))) => match self.said_of(ticket) {
                Some(facts) => Ok(facts),
                None => {
                    let again = self.verifier.verify_again(now, token).verdict().map_err(Stop::Refused)?;
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
