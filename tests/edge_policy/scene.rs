//! An authorizer, requests, and their outcomes.

use poolgate_edge::{Decision, HeaderMutation, RequestAuthorizer, RequestHead, config};
use poolgate_tests::edge_scene::{access, now};
use serde_json::Value;
use std::{borrow::Cow, sync::LazyLock};

/// A valid access token.
pub static TOKEN: LazyLock<String> = LazyLock::new(|| access().compact());

/// A request.
#[derive(Clone, Debug)]
pub struct Sent {
    pub method: &'static str,
    pub target: String,
    /// The names in lower case. `:authority` is the authority.
    pub headers: Vec<(String, String)>,
}

impl Sent {
    /// `GET` for this target.
    pub fn get(target: &str) -> Self {
        Self { method: "GET", target: target.into(), headers: vec![] }
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub fn with_token(self) -> Self {
        self.with("authorization", format!("Bearer {}", *TOKEN))
    }
}

impl RequestHead for Sent {
    fn method(&self) -> &str {
        self.method
    }

    fn target(&self) -> &str {
        &self.target
    }

    fn header(&self, name: &str) -> Result<Option<Cow<'_, str>>, ()> {
        let mut values = self.headers.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str().into());
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(()),
        }
    }

    fn each_header(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        self.headers.iter().for_each(|(name, value)| visit(name.as_bytes(), value.as_bytes()));
    }
}

pub fn authorizer(configuration: &Value) -> RequestAuthorizer {
    let config = config::read(configuration.to_string().as_bytes()).expect("a valid configuration");
    RequestAuthorizer::new(&config, now(), 0).expect("a valid configuration")
}

/// Returns `verified`, `anonymous`, `reported REASON` or the reason of the rejection.
pub fn verdict(authorizer: &mut RequestAuthorizer, request: &Sent) -> String {
    match authorizer.authorize(now(), request) {
        Decision::Admit(admitted) => match admitted.reported {
            Some(rejection) => format!("reported {}", rejection.name()),
            None if admitted.is_verified() => "verified".to_owned(),
            None => "anonymous".to_owned(),
        },
        Decision::Reject(rejection) => rejection.name().to_owned(),
        Decision::Respond(response) => format!("responds {}", response.status),
        Decision::Pause(_) => "waits".to_owned(),
        Decision::AskRevocation(_) => panic!("no revocations are configured"),
    }
}

/// Returns the headers with which the application receives a request that is forwarded. `:path` is the target.
pub fn forwarded(authorizer: &mut RequestAuthorizer, request: &Sent) -> Vec<(String, String)> {
    let Decision::Admit(admitted) = authorizer.authorize(now(), request) else {
        panic!("{request:?} is not forwarded")
    };
    let mut headers = request.headers.clone();
    headers.push((":path".to_owned(), request.target.clone()));
    let mutations = admitted.mutations.iter().map(|mutation| match mutation {
        HeaderMutation::Remove(name) => (name.as_str(), None),
        HeaderMutation::Set(name, value) => (name.as_str(), Some(value.as_str())),
    });
    for (name, value) in mutations.chain(authorizer.claim_headers(&admitted)) {
        headers.retain(|(own, _)| own != name);
        headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    }
    headers
}

/// Returns the error of a configuration.
pub fn error(configuration: &Value) -> String {
    match config::read(configuration.to_string().as_bytes()) {
        Ok(_) => panic!("accepted: {configuration}"),
        Err(error) => error.to_string(),
    }
}
