//! The `gate` interface: decisions about whole requests, by `poolgate-edge`.

use crate::{
    Component,
    bindings::exports::poolgate::auth::gate::{
        Admission, AdmittedClaims, ConfigProblem, Decision, DiscoveryDocument, Guest, HeaderChange, HeaderField,
        Rejection, RequestHead, RevocationStatus, Settings, StaticResponse,
    },
    request_head::Head,
    state::{self, State},
    translation::{cache_hit, newly_verified, revocation_claims, revocation_status},
    verifier::{RECEIVED, fetch_keys, now},
};
use poolgate_core::{Fetch, LogicalTime, Reason};
use poolgate_edge::{
    self as edge, Config, ConfigError, HeaderMutation, RejectionFormat, RequestAuthorizer, config, discovery::Document,
    response::grpc_status,
};

impl Guest for Component {
    fn configure(json: String, jitter_seed: u64) -> Result<Settings, ConfigProblem> {
        if state::is_configured() {
            return Err(ConfigProblem { at: String::new(), message: "the instance was configured before".to_owned() });
        }
        let config = config::read(json.as_bytes()).map_err(problem)?;
        let mut authorizer = RequestAuthorizer::new(&config, now(), jitter_seed).map_err(problem)?;
        authorizer.keep_payloads();
        let settings = Settings {
            warnings: authorizer.warnings().iter().cloned().chain(filter_state_warning(&config)).map(problem).collect(),
            discovery_documents: Document::all(&config).into_iter().map(discovery_document).collect(),
            jwks_bytes: config.limits.jwks_bytes,
            json_depth: config.limits.json_depth,
            soft_ttl_min: config.key_policy.soft_ttl_min,
            fetch_timeout_ms: config.pools.iter().map(|pool| pool.keys.timeout_ms).max().unwrap_or_default(),
            wait_ms: config.limits.wait_ms,
            waiting_requests: config.limits.waiting_requests,
            forwards_tokens: config.tokens.forward,
            claim_headers: config.claims_to_headers.iter().map(|claim| claim.header.clone()).collect(),
            token_headers: config.tokens.from.iter().filter_map(|location| location.header.clone()).collect(),
        };
        state::set(State::Gate(authorizer));
        Ok(settings)
    }

    fn decide(request: RequestHead) -> Decision {
        let head = Head::from(request);
        decided(&head, |authorizer| authorizer.authorize(now(), &head))
    }

    fn decide_after_fetch(request: RequestHead, received_at: u64) -> Decision {
        let head = Head::from(request);
        decided(&head, |authorizer| authorizer.authorize_after_fetch(now(), &head, LogicalTime(received_at)))
    }

    fn decide_with_revocation_status(request: RequestHead, status: RevocationStatus) -> Decision {
        let (head, status) = (Head::from(request), revocation_status(status));
        decided(&head, |authorizer| authorizer.authorize_with_revocation_status(now(), &head, status))
    }

    fn decide_without_keys(request: RequestHead) -> Decision {
        let head = Head::from(request);
        decided(&head, |authorizer| authorizer.authorize_without_keys(&head))
    }

    fn chosen_rules(request: RequestHead) -> Result<Vec<u32>, (String, Option<String>)> {
        let head = Head::from(request);
        let chosen = state::with_gate(|authorizer| {
            let explained = |rejection| (rejection, authorizer.explain(rejection));
            authorizer.chosen_rules(&head).map_err(explained)
        });
        let not_configured = (edge::Rejection::Token(Reason::NotConfigured), None);
        match chosen.unwrap_or(Err(not_configured)) {
            Ok(numbers) => Ok(numbers.into_iter().filter_map(|number| u32::try_from(number).ok()).collect()),
            Err((rejection, line)) => Err((rejection.name().to_owned(), line)),
        }
    }
}

/// The same configuration may serve Envoy, which alone has a filter state.
fn filter_state_warning(config: &Config) -> Option<ConfigError> {
    (!config.claims_to_filter_state.is_empty()).then(|| ConfigError {
        path: "claims_to_filter_state".to_owned(),
        message: "has an effect in Envoy only: use claims_to_headers".to_owned(),
    })
}

/// Decides, and fetches the keys that are needed.
fn decided(head: &Head, decide: impl FnOnce(&mut RequestAuthorizer) -> edge::Decision) -> Decision {
    match state::with_gate(decide) {
        Some(edge::Decision::Pause(paused)) => match paused.fetch {
            Some(fetch) if fetch_keys(&fetch) => decided_after_own_fetch(head),
            Some(Fetch { url, .. }) => Decision::PendingKeys(url),
            None => Decision::PendingKeys(paused.url),
        },
        decision => converted(head, decision),
    }
}

/// Decides again, after a fetch in the same call.
fn decided_after_own_fetch(head: &Head) -> Decision {
    let decision = state::with_gate(|authorizer| match authorizer.authorize_after_fetch(now(), head, RECEIVED) {
        // The host has answered, so nothing that could change the decision is in progress.
        edge::Decision::Pause(_) => authorizer.authorize_without_keys(head),
        decision => decision,
    });
    converted(head, decision)
}

fn converted(head: &Head, decision: Option<edge::Decision>) -> Decision {
    match decision {
        Some(edge::Decision::Admit(admitted)) => Decision::Admit(admission(&admitted)),
        Some(edge::Decision::Reject(reason)) => Decision::Reject(rejection(head, reason)),
        Some(edge::Decision::Respond(response)) => Decision::Respond(static_response(&response)),
        Some(edge::Decision::Pause(paused)) => Decision::PendingKeys(paused.url),
        Some(edge::Decision::AskRevocation(claims)) => Decision::PendingRevocationStatus(revocation_claims(*claims)),
        None => Decision::Reject(rejection(head, edge::Rejection::Token(Reason::NotConfigured))),
    }
}

fn admission(admitted: &edge::Admitted) -> Admission {
    let mutations = admitted.mutations.iter().map(|mutation| match mutation {
        HeaderMutation::Remove(name) => HeaderChange::Remove(name.clone()),
        HeaderMutation::Set(name, value) => HeaderChange::Set((name.clone(), value.clone())),
    });
    let claims = state::with_gate(|authorizer| {
        let headers = authorizer.claim_headers(admitted).map(|(name, value)| match value {
            Some(value) => HeaderChange::Set((name.to_owned(), value.to_owned())),
            None => HeaderChange::Remove(name.to_owned()),
        });
        headers.collect::<Vec<_>>()
    });
    Admission {
        claims: match admitted.returned_claims() {
            None => AdmittedClaims::None,
            Some(edge::AdmittedClaims::New(claims, handle)) => AdmittedClaims::New(newly_verified(*claims, handle)),
            Some(edge::AdmittedClaims::Cached(hit)) => AdmittedClaims::Cached(cache_hit(hit)),
        },
        changes: mutations.chain(claims.unwrap_or_default()).collect(),
        reported: admitted.reported.map(|rejection| rejection.name().to_owned()),
    }
}

fn rejection(head: &Head, rejection: edge::Rejection) -> Rejection {
    let configured = state::with_gate(|authorizer| {
        (authorizer.response(head, rejection), authorizer.responds_in_grpc(head), authorizer.explain(rejection))
    });
    let (response, is_grpc, log) =
        configured.unwrap_or_else(|| (RejectionFormat::default().response(rejection), false, None));
    Rejection {
        reason: rejection.name().to_owned(),
        status: response.status,
        headers: response.headers.iter().map(|(name, value)| header_field(name, value)).collect(),
        body: response.body,
        grpc_status: is_grpc.then(|| grpc_status(response.status)),
        grpc_message: response.grpc_message,
        log,
    }
}

fn static_response(response: &edge::StaticResponse) -> StaticResponse {
    StaticResponse {
        status: response.status,
        headers: response.headers.iter().map(|(name, value)| header_field(name, value)).collect(),
        body: response.body.to_string(),
    }
}

fn header_field(name: &str, value: &str) -> HeaderField {
    HeaderField { name: name.to_owned(), value: value.as_bytes().to_vec() }
}

fn discovery_document(document: Document) -> DiscoveryDocument {
    let Document { url, issuers, key_hosts } = document;
    DiscoveryDocument { url, issuers, key_hosts }
}

fn problem(error: ConfigError) -> ConfigProblem {
    ConfigProblem { at: error.path, message: error.message }
}
