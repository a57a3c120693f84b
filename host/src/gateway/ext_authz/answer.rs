//! What Envoy does with a request: the response to it, or the changes to its headers.

use super::{
    head::Refused,
    messages::{CheckResponse, DenialCode, DeniedHttpResponse, HeaderValueOption, HttpStatus, OkHttpResponse},
    metadata::Struct,
};
use crate::{Admission, Decision, HeaderChange, Rejection, StaticResponse};
use axum::http::{HeaderName, HeaderValue, uri::PathAndQuery};

/// The answer to a decision. `claim_headers` are those that only the gate may set.
pub(super) fn to(decision: Decision, claim_headers: &[String]) -> CheckResponse {
    match decision {
        Decision::Admit(admission) => match changes(&admission, claim_headers) {
            Ok(changes) => CheckResponse::admit(changes, Struct::admitted(&admission)),
            // The application must not receive what a client could have forged.
            Err(Unchangeable) => rejected(Rejection::unchangeable()),
        },
        Decision::Reject(rejection) => rejected(rejection),
        Decision::Respond(StaticResponse { status, headers, body }) => {
            deny(DenialCode::PermissionDenied, status, headers, body, Struct::responded())
        }
    }
}

/// The answer to a request whose head can't be read.
pub(super) fn refused(refused: Refused) -> CheckResponse {
    let (code, status, reason, title) = match refused {
        Refused::Malformed(what) => {
            tracing::debug!(what, "rejected (400) a message of Envoy");
            (DenialCode::InvalidArgument, 400, "malformed-message", "Bad Request")
        }
        Refused::Filtered => (DenialCode::Internal, 500, "misconfigured", "Internal Server Error"),
    };
    let body = format!(r#"{{"title":"{title}","status":{status}}}"#);
    let headers = [("cache-control", "no-store"), ("content-type", "application/problem+json")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    deny(code, status, headers.into(), body, Struct::rejected(reason))
}

/// The answer to a message that is too long.
pub(super) fn too_large() -> CheckResponse {
    rejected(Rejection::too_large())
}

fn rejected(rejection: Rejection) -> CheckResponse {
    let Rejection { reason, status, mut headers, body, grpc } = rejection;
    let metadata = Struct::rejected(&reason);
    // For a client of gRPC, Envoy makes a status of the HTTP status, unless the headers have one, and a message of the body.
    let body = match grpc {
        Some(grpc) => {
            headers.retain(|(name, _)| name != "content-type");
            headers.push(("grpc-status".to_owned(), grpc.code.to_string()));
            grpc.message
        }
        None => body,
    };
    deny(denial_code(status), status, headers, body, metadata)
}

/// The code for an HTTP status, as `google/rpc/code.proto` maps them. It is never OK.
fn denial_code(status: u16) -> DenialCode {
    match status {
        400 => DenialCode::InvalidArgument,
        401 => DenialCode::Unauthenticated,
        429 | 431 => DenialCode::ResourceExhausted,
        500 => DenialCode::Internal,
        503 => DenialCode::Unavailable,
        _ => DenialCode::PermissionDenied,
    }
}

fn deny(
    code: DenialCode,
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    metadata: Struct,
) -> CheckResponse {
    let headers = headers.into_iter().map(|(name, value)| HeaderValueOption::set(name, value)).collect();
    let status = Some(HttpStatus { code: status.into() });
    CheckResponse::deny(code, DeniedHttpResponse { status, headers, body }, metadata)
}

/// A change that Envoy does not make.
struct Unchangeable;

/// Returns the changes as Envoy makes them: it sets headers before it removes others, so the last change of each name decides. Every claim header that
/// is not set is removed, whether the client has sent it or not.
fn changes(admission: &Admission, claim_headers: &[String]) -> Result<OkHttpResponse, Unchangeable> {
    let mut last: Vec<(String, Option<&str>)> =
        claim_headers.iter().map(|name| (name.to_ascii_lowercase(), None)).collect();
    for change in &admission.changes {
        let (name, value) = match change {
            HeaderChange::Remove(name) => (name, None),
            HeaderChange::Set(name, value) => (name, Some(value.as_str())),
        };
        let name = name.to_ascii_lowercase();
        match last.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => last.push((name, value)),
        }
    }
    let mut changes = OkHttpResponse::default();
    for (name, value) in last {
        if !is_changeable(&name, value) {
            return Err(Unchangeable);
        }
        match value {
            Some(value) => changes.headers.push(HeaderValueOption::set(name, value.to_owned())),
            None => changes.headers_to_remove.push(name),
        }
    }
    Ok(changes)
}

/// Whether Envoy makes the change, and does not ignore it. `Host` and pseudo-headers can't be removed; of them, a gate sets the path only.
fn is_changeable(name: &str, value: Option<&str>) -> bool {
    match value {
        Some(target) if name == ":path" => target.parse::<PathAndQuery>().is_ok(),
        _ if name == "host" => false,
        Some(value) => {
            HeaderName::from_bytes(name.as_bytes()).is_ok() && HeaderValue::from_bytes(value.as_bytes()).is_ok()
        }
        None => HeaderName::from_bytes(name.as_bytes()).is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message;

    fn admission(changes: &[HeaderChange]) -> Decision {
        Decision::Admit(Admission { verified: None, changes: changes.to_vec(), reported: None })
    }

    fn remove(name: &str) -> HeaderChange {
        HeaderChange::Remove(name.to_owned())
    }

    fn set(name: &str, value: &str) -> HeaderChange {
        HeaderChange::Set(name.to_owned(), value.to_owned())
    }

    fn ok(set: &[(&str, &str)], removed: &[&str]) -> CheckResponse {
        let headers = set.iter().map(|(name, value)| HeaderValueOption::set((*name).into(), (*value).into())).collect();
        let headers_to_remove = removed.iter().map(|name| (*name).to_owned()).collect();
        let Decision::Admit(admission) = admission(&[]) else { unreachable!() };
        CheckResponse::admit(OkHttpResponse { headers, headers_to_remove }, Struct::admitted(&admission))
    }

    #[test]
    fn the_last_change_of_a_header_decides() {
        let claims = ["x-user".to_owned(), "X-Groups".to_owned()];
        for (changes, expected) in [
            (vec![], ok(&[], &["x-user", "x-groups"])),
            (vec![remove("x_user")], ok(&[], &["x-user", "x-groups", "x_user"])),
            (
                vec![remove("X-User"), set("x-user", "a"), remove("x-user2")],
                ok(&[("x-user", "a")], &["x-groups", "x-user2"]),
            ),
            (vec![set("x-user", "a"), remove("x-user")], ok(&[], &["x-user", "x-groups"])),
            (vec![set("cookie", "a=b"), set("cookie", "c=d")], ok(&[("cookie", "c=d")], &["x-user", "x-groups"])),
            (vec![set(":path", "/a?b=c")], ok(&[(":path", "/a?b=c")], &["x-user", "x-groups"])),
        ] {
            assert!(to(admission(&changes), &claims) == expected, "{changes:?}");
        }
    }

    #[test]
    fn a_change_that_envoy_would_ignore_is_a_rejection() {
        for change in [
            remove("host"),
            remove("Host"),
            remove(":path"),
            set("host", "a.example.com"),
            set(":authority", "a.example.com"),
            set("x-user", "a\r\nb"),
            set("x user", "a"),
            set(":path", "/a b"),
        ] {
            let rejection = rejected(Rejection::unchangeable());
            assert!(to(admission(std::slice::from_ref(&change)), &[]) == rejection, "{change:?}");
        }
    }

    #[test]
    fn only_an_admission_has_the_code_ok() {
        // An empty message is OK for Envoy. The first field of each message here is the status.
        let code = |response: &CheckResponse| match response.encode_to_vec().as_slice() {
            [0x0a, 0, ..] => 0,
            [0x0a, 2, 0x08, code, ..] => *code,
            other => panic!("{other:?}"),
        };
        assert_eq!(code(&to(admission(&[]), &[])), 0);
        for (answer, expected) in [
            (too_large(), 8),
            (refused(Refused::Malformed("")), 3),
            (refused(Refused::Filtered), 13),
            (rejected(Rejection::unchangeable()), 14),
        ] {
            assert_eq!(code(&answer), expected);
        }
        let document = StaticResponse { status: 200, headers: Vec::new(), body: "{}".to_owned() };
        assert_eq!(code(&to(Decision::Respond(document), &[])), 7);
        for status in 0..=599 {
            assert_ne!(denial_code(status) as i32, 0);
        }
    }
}
