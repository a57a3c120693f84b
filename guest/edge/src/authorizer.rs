//! Decides about requests.

use crate::{
    claims::ForwardedClaims,
    config::{Config, ConfigError, CorsPreflight, core_config, core_fault},
    decision::{Admitted, Decision, PausedRequest},
    explanations::Explanations,
    head::RequestHead,
    header_mutation::HeaderMutation,
    jwks_upstreams::{JwksUpstream, JwksUpstreams},
    local_jwks::LocalJwks,
    login::LoginPage,
    policies::{Policy, RouteRequirement},
    pool_keys::PoolKeys,
    protected_headers::ProtectedHeaders,
    protected_resources::ProtectedResources,
    rejection::Rejection,
    response::{RejectionFormat, RejectionResponse},
    routes::{Chosen, Effect, Routes},
    token_location::TokenLocation,
    tokens::{self, Found},
    verification::{Unverified, Verification},
};
use poolgate_core::{Fetch, FetchError, KeySetError, LogicalTime, Reason, Response, RevocationStatus, Verifier};
use std::rc::Rc;

/// Decides whether a request is forwarded to the application, by the configured routes, policies and pools.
///
/// It does no I/O: the caller passes the time and the request, fetches key sets, and applies the decision.
#[derive(Debug)]
pub struct RequestAuthorizer {
    verification: Verification,
    upstreams: JwksUpstreams,
    local_jwks: LocalJwks,
    policies: Vec<Policy>,
    routes: Routes,
    protected: ProtectedHeaders,
    locations: Vec<TokenLocation>,
    forwards_tokens: bool,
    cors_preflight: CorsPreflight,
    format: RejectionFormat,
    resources: ProtectedResources,
    login: Option<LoginPage>,
    warnings: Vec<ConfigError>,
    explanations: Explanations,
}

impl RequestAuthorizer {
    /// Creates an authorizer from a configuration. `now` is in seconds since the Unix epoch. `jitter_seed` should be a random number: it varies
    /// the times of key refreshes between workers.
    ///
    /// # Errors
    /// Returns a [`ConfigError`] for errors that [`config::read`](crate::config::read) does not find: a limit is out of range, two pools have
    /// the same issuer, or a configured key set has no usable key.
    pub fn new(config: &Config, now: u64, jitter_seed: u64) -> Result<Self, ConfigError> {
        let core = core_config(config, jitter_seed);
        let key_policy = core.key_policy;
        let mut verifier = Verifier::new(core).map_err(|error| core_fault(&error))?;
        let (local_jwks, mut warnings) = LocalJwks::load(&mut verifier, config, key_policy, now)?;
        let mut verification = Verification::new(config, verifier);
        let upstreams = JwksUpstreams::new(&mut verification.verifier, config, &verification.by_issuer, now)?;
        let routes = Routes::new(config)?;
        warnings.extend(routes.warnings());
        if config.report_only {
            warnings
                .push(ConfigError::new("report_only", "no token and no policy is enforced: requests are only counted"));
        }
        let login = config.answers.login.as_ref().map(LoginPage::new);
        warnings.extend(login.as_ref().and_then(|page| page.warning(&routes)));
        Ok(Self {
            verification,
            upstreams,
            local_jwks,
            policies: Policy::all(config),
            routes,
            protected: ProtectedHeaders::new(config),
            locations: config.tokens.from.iter().map(TokenLocation::new).collect(),
            forwards_tokens: config.tokens.forward,
            cors_preflight: config.cors_preflight,
            format: RejectionFormat::new(&config.answers),
            resources: ProtectedResources::new(config)?,
            login,
            warnings,
            explanations: Explanations::default(),
        })
    }

    /// Returns the warnings about the configuration: configured keys that cannot be used, and rules that never match or are
    /// weaker than they seem.
    pub fn warnings(&self) -> &[ConfigError] {
        &self.warnings
    }

    /// Decides about a request. `now` is in seconds since the Unix epoch.
    pub fn authorize(&mut self, now: u64, request: &impl RequestHead) -> Decision {
        self.decide(request, |verification, token| verification.verify(now, token)).unwrap_or_else(Decision::Reject)
    }

    /// Decides again, with a fetch of the keys that has ended. For an adapter that keeps no [`PausedRequest`]; otherwise like
    /// [`RequestAuthorizer::authorize_paused`].
    pub fn authorize_after_fetch(
        &mut self,
        now: u64,
        request: &impl RequestHead,
        received_at: LogicalTime,
    ) -> Decision {
        let verify =
            |verification: &mut Verification, token: &str| verification.verify_after_fetch(now, token, received_at);
        self.decide(request, verify).unwrap_or_else(Decision::Reject)
    }

    /// Decides again, with the revocation status of the token; see [`Verifier::verify_with_revocation_status`].
    pub fn authorize_with_revocation_status(
        &mut self,
        now: u64,
        request: &impl RequestHead,
        status: RevocationStatus,
    ) -> Decision {
        let verify = |verification: &mut Verification, token: &str| {
            verification.verify_with_revocation_status(now, token, status)
        };
        self.decide(request, verify).unwrap_or_else(Decision::Reject)
    }

    /// Decides about a request whose keys did not arrive in time.
    pub fn authorize_without_keys(&mut self, request: &impl RequestHead) -> Decision {
        self.decide(request, |_, _| Err(Unverified::Rejected(Reason::KeysUnavailable))).unwrap_or_else(Decision::Reject)
    }

    fn decide(
        &mut self,
        request: &impl RequestHead,
        verify: impl FnOnce(&mut Verification, &str) -> Result<Rc<ForwardedClaims>, Unverified>,
    ) -> Result<Decision, Rejection> {
        if let Some(response) = self.resources.answer(request) {
            return Ok(Decision::Respond(response));
        }
        let forged = self.protected.check(request)?;
        if self.is_preflight(request)? {
            return Ok(Decision::Admit(self.admitted(request, forged, None, None)));
        }
        let chosen = self.routes.choose(&self.routes.host(request), request.method(), request.target())?;
        let is_public = |effect: Option<&Effect>| effect.is_some_and(|it| it.requirement == RouteRequirement::Nothing);
        if self.routes.effects(chosen).all(is_public) {
            return Ok(Decision::Admit(self.admitted(request, forged, None, None)));
        }
        let reported = match tokens::find(&self.locations, request) {
            Found::Nothing => {
                self.check_rules(chosen, |rule| if rule.is_optional { Ok(()) } else { Err(Rejection::NoToken) })?
            }
            Found::Several => self.check_rules(chosen, |_| Err(Rejection::SeveralTokens))?,
            Found::Token(token) => match verify(&mut self.verification, &token) {
                Ok(claims) => return self.check_policies(chosen, request, forged, claims),
                Err(Unverified::Rejected(reason)) => self.check_rules(chosen, |_| Err(Rejection::Token(reason)))?,
                Err(Unverified::PendingKeys { url, fetch }) => {
                    return Ok(Decision::Pause(PausedRequest { chosen, token: token.into_owned(), url, fetch }));
                }
                Err(Unverified::PendingRevocation(claims)) => {
                    return Ok(Decision::AskRevocation(claims));
                }
            },
        };
        Ok(Decision::Admit(self.admitted(request, forged, None, reported)))
    }

    /// Decides about a paused request after a fetch of its keys has ended, successfully or not.
    ///
    /// `received_at` is a logical time before [`RequestAuthorizer::authorize`] was called for the request. If the fetch started before it, the
    /// request may have to wait for one more: the key may have been published in between. See [`Verifier::verify_after_fetch`].
    pub fn authorize_paused(
        &mut self,
        now: u64,
        request: &impl RequestHead,
        paused: &PausedRequest,
        received_at: LogicalTime,
    ) -> Decision {
        match self.verification.verify_after_fetch(now, &paused.token, received_at) {
            Ok(claims) => self.resolve(request, paused, Ok(claims)),
            Err(Unverified::Rejected(reason)) => self.resolve(request, paused, Err(reason)),
            Err(Unverified::PendingKeys { url, fetch }) => {
                Decision::Pause(PausedRequest { chosen: paused.chosen, token: paused.token.clone(), url, fetch })
            }
            Err(Unverified::PendingRevocation(claims)) => Decision::AskRevocation(claims),
        }
    }

    /// Decides about a paused request whose keys did not arrive in time.
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

    /// Keeps the payload of each verified token until [`Admitted::returned_claims`] is called.
    pub fn keep_payloads(&mut self) {
        self.verification.keeps_payloads = true;
    }

    /// Returns the positions of the rules that a request must satisfy: one, or two if the application ignores case. For explanations.
    ///
    /// # Errors
    /// The [`Rejection`] of a request for which no rule is chosen.
    pub fn chosen_rules(&self, request: &impl RequestHead) -> Result<Vec<usize>, Rejection> {
        self.routes.choose(&self.routes.host(request), request.method(), request.target()).map(Chosen::numbers)
    }

    /// Returns the verifier with the configured pools.
    pub fn verifier(&mut self) -> &mut Verifier {
        &mut self.verification.verifier
    }

    /// Returns a line for the operator's log about a rejection, or `None` if there is nothing to add or the line was returned before. It names
    /// rules of the configuration, and nothing of the request.
    pub fn explain(&self, rejection: Rejection) -> Option<String> {
        self.explanations.line(rejection, &self.routes)
    }

    /// Returns the headers to set before the request is forwarded. A header without a value must be removed.
    pub fn claim_headers<'a>(&'a self, admitted: &'a Admitted) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        self.verification.headers(admitted.claims.as_deref())
    }

    /// Returns the entries to add to the filter state. Absent claims are omitted.
    pub fn filter_state<'a>(&'a self, admitted: &'a Admitted) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.verification.filter_state(admitted.claims.as_deref())
    }

    /// Returns the HTTP response to a rejected request: an error, or a redirect to the configured login page.
    ///
    /// If the rule belongs to a resource, `WWW-Authenticate` names its metadata (RFC 9728 section 5.1) and the scopes that the request requires
    /// (RFC 6750 section 3). They come from the configuration alone.
    pub fn response(&self, request: &impl RequestHead, rejection: Rejection) -> RejectionResponse {
        let login = self.login.as_ref().and_then(|page| page.location(rejection, request, &self.locations));
        if let Some(location) = login {
            return RejectionResponse::redirect(location);
        }
        let challenge = match rejection.status() {
            401 | 403 if !self.resources.are_none() => {
                let chosen = self.routes.choose(&self.routes.host(request), request.method(), request.target());
                chosen.ok().and_then(|chosen| self.resources.challenge(chosen))
            }
            _ => None,
        };
        let Some((url, scopes)) = challenge else { return self.format.response(rejection) };
        // Other scopes do not help a user who is not in a group.
        let helps = rejection.status() == 401 || rejection == Rejection::Token(Reason::ScopeMissing);
        let parameters = [("scope", scopes.as_str()), ("resource_metadata", url)];
        let first = usize::from(!helps || scopes.is_empty());
        self.format.response_with(rejection, parameters.get(first..).unwrap_or_default())
    }

    /// Returns whether the response to this request must be a gRPC response; see [`RejectionFormat::is_grpc_for`].
    pub fn responds_in_grpc(&self, request: &impl RequestHead) -> bool {
        self.format.is_grpc_for(request)
    }

    /// Returns the fetches that are due. Call it about once per second. See [`Verifier::maintain`].
    pub fn maintain(&mut self, now: u64) -> Vec<Fetch> {
        self.local_jwks.renew(&mut self.verification.verifier, now);
        self.verification.verifier.maintain(now)
    }

    /// Reduces the remaining fetches for unknown key IDs to at most `left`; see [`Verifier::leave_unknown_key_fetches`].
    pub fn leave_unknown_key_fetches(&mut self, left: u32) {
        self.verification.verifier.leave_unknown_key_fetches(left);
    }

    /// Applies the outcome of a fetch; see [`Verifier::fetched`].
    ///
    /// # Errors
    /// See [`KeySetError`]. The current key set stays in use.
    pub fn fetched(
        &mut self,
        now: u64,
        url: &str,
        key_id: Option<&str>,
        started_at: LogicalTime,
        ended_at: u64,
        outcome: Result<Response<'_>, FetchError>,
    ) -> Result<(), KeySetError> {
        self.verification.verifier.fetched(now, url, key_id, started_at, ended_at, outcome)
    }

    /// Returns the server from which the key set, or the key of a load balancer, at this URL is fetched.
    pub fn jwks_upstream(&self, url: &str) -> Option<JwksUpstream> {
        self.upstreams.get(url)
    }

    /// Returns whether this is the URL of a JWKS endpoint, and not that of one key of a load balancer, whose last segment came from a token.
    pub fn is_jwks_url(&self, url: &str) -> bool {
        self.upstreams.is_key_set(url)
    }

    /// Returns the URLs of all JWKS endpoints, and the prefixes of the key URLs of load balancers.
    pub fn key_urls(&self) -> Vec<String> {
        self.upstreams.urls()
    }

    /// Returns the state of the keys, one entry for each pool. If a pool has two JWKS endpoints, the entry describes the newest key set.
    pub fn pool_keys(&mut self, now: u64) -> Vec<PoolKeys> {
        self.verification.pool_keys(now)
    }

    /// Returns whether the last fetch of a key set succeeded, and the set has a usable key.
    pub fn has_fetched_keys(&mut self, now: u64, url: &str) -> bool {
        let reports = self.verification.verifier.key_reports(now);
        reports.iter().any(|report| report.url.as_deref() == Some(url) && report.last_error.is_none())
    }

    fn is_preflight(&self, request: &impl RequestHead) -> Result<bool, Rejection> {
        if self.cors_preflight == CorsPreflight::Verify || request.method() != "OPTIONS" {
            return Ok(false);
        }
        // A preflight has no credentials and no body, and does not change the protocol of the connection (Fetch standard, "CORS-preflight
        // fetch").
        let is_absent = |name: &str| matches!(request.header(name), Ok(None));
        let is_empty = match request.header("content-length") {
            Ok(length) => length.is_none_or(|length| length == "0"),
            Err(()) => false,
        };
        if !is_empty || !["authorization", "upgrade", "transfer-encoding"].into_iter().all(is_absent) {
            return Ok(false);
        }
        match (request.header("origin"), request.header("access-control-request-method")) {
            (Ok(Some(origin)), Ok(Some(method))) if !origin.is_empty() && !method.is_empty() => {
                match self.routes.choose(&self.routes.host(request), &method, request.target()) {
                    Ok(_) => Ok(true),
                    Err(Rejection::NoRule) => Ok(false),
                    Err(rejection) => Err(rejection),
                }
            }
            _ => Ok(false),
        }
    }

    /// Checks the rules that require a token. If one fails and is `report_only`, returns its rejection as reported.
    fn check_rules(
        &self,
        chosen: Chosen,
        check: impl Fn(&Effect) -> Result<(), Rejection>,
    ) -> Result<Option<Rejection>, Rejection> {
        let mut reported = None;
        for effect in self.routes.effects(chosen) {
            let effect = effect.ok_or(Rejection::NoRule)?;
            match check(effect) {
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
        let check = |rule: &Effect| rule.requirement.check(&self.policies, &claims.verified).map_err(Rejection::Token);
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
        mutations.extend(tokens::mutations(&self.locations, request, self.forwards_tokens));
        Admitted { claims, mutations, reported }
    }
}
