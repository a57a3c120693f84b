//! The outcome of a request, in the words of the page.

use super::{
    page::{Expected, Row},
    request::Request,
};
use poolgate_edge::{Decision, HeaderMutation, RequestAuthorizer, response::grpc_status};
use poolgate_tests::minting::NOW;

/// The outcome of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The result, as the page says it.
    pub result: String,
    /// The headers of the request that the application receives, with its target as `:path`; or those of the response.
    pub headers: Vec<(String, String)>,
    /// The body of the response.
    pub body: String,
}

/// A change of a header: it is removed, or set to this value.
pub type Change = (String, Option<String>);

impl Outcome {
    /// The request passes, with these changes. `reported` is why a rule that only reports would have rejected it.
    pub fn passed(request: &Request, changes: Vec<Change>, is_verified: bool, reported: Option<&str>) -> Self {
        let mut headers = vec![(":path".to_owned(), request.target.clone())];
        headers.extend(request.headers.iter().cloned());
        for (name, value) in changes {
            headers.retain(|(known, _)| *known != name);
            headers.extend(value.map(|value| (name, value)));
        }
        let result = match (reported, is_verified) {
            (Some(reason), _) => format!("passes, reported {reason}"),
            (None, true) => "passes".to_owned(),
            (None, false) => "passes, anonymous".to_owned(),
        };
        Self { result, headers, body: String::new() }
    }

    /// The request is rejected. `grpc` is the status of a gRPC response.
    pub fn rejected(
        status: u16,
        reason: &str,
        headers: impl IntoIterator<Item = (String, String)>,
        body: String,
        grpc: Option<u32>,
    ) -> Self {
        let grpc = grpc.map(|status| ("grpc-status".to_owned(), status.to_string()));
        Self { result: format!("{status} {reason}"), headers: headers.into_iter().chain(grpc).collect(), body }
    }

    /// The request gets this response, which is the same for every client.
    pub fn responded(status: u16, headers: impl IntoIterator<Item = (String, String)>, body: String) -> Self {
        Self { result: format!("{status}, the metadata"), headers: headers.into_iter().collect(), body }
    }

    /// What the code of the edge decides, outside of a sandbox.
    pub fn of(authorizer: &mut RequestAuthorizer, request: &Request) -> Self {
        let owned = |(name, value): (&str, String)| (name.to_owned(), value);
        match authorizer.authorize(NOW, request) {
            Decision::Admit(admitted) => {
                let mutations = admitted.mutations.iter().map(|mutation| match mutation {
                    HeaderMutation::Remove(name) => (name.clone(), None),
                    HeaderMutation::Set(name, value) => (name.clone(), Some(value.clone())),
                });
                let claims = authorizer.claim_headers(&admitted);
                let claims = claims.map(|(name, value)| (name.to_owned(), value.map(str::to_owned)));
                let changes = mutations.chain(claims).collect();
                Self::passed(request, changes, admitted.is_verified(), admitted.reported.map(|it| it.name()))
            }
            Decision::Reject(rejection) => {
                let response = authorizer.response(request, rejection);
                let grpc = authorizer.responds_in_grpc(request).then(|| grpc_status(response.status));
                let headers = response.headers.into_iter().map(owned);
                Self::rejected(response.status, rejection.name(), headers, response.body, grpc)
            }
            Decision::Respond(response) => {
                let headers = response.headers.iter().map(|(name, value)| owned((name, (*value).to_owned())));
                Self::responded(response.status, headers, response.body.to_string())
            }
            Decision::Pause(_) | Decision::AskRevocation(_) => panic!("the keys are local"),
        }
    }

    /// What differs from the row of the page, if anything does.
    pub fn fault(&self, row: &Row) -> Option<String> {
        let values = |name: &str| {
            let own = self.headers.iter().filter(|(known, _)| known == name);
            own.map(|(_, value)| value.as_str()).collect::<Vec<_>>()
        };
        if self.result != row.result {
            return Some(format!("line {}: the result is {:?}, not {:?}", row.line, self.result, row.result));
        }
        row.expected.iter().find_map(|expected| {
            let (name, wanted) = match expected {
                Expected::Is(name, value) => (name, vec![value.as_str()]),
                Expected::Absent(name) => (name, vec![]),
            };
            let found = values(name);
            (found != wanted).then(|| format!("line {}: {name} is {found:?}, not {wanted:?}", row.line))
        })
    }
}
