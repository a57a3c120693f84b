//! The checks of the header of a load balancer's token.

use super::{
    explanation::{Check, CheckResult, Stage},
    json_text::{self, string},
};
use crate::{header::Header, issuer::is_uuid, json::Object, reason::Reason};
use alloc::{borrow::ToOwned, string::String, vec};

#[cold]
pub(crate) fn signer_check(header: &Object<'_>, result: Result<(), Reason>, signers: &[String]) -> Check {
    Check {
        member: Some("signer".to_owned()),
        found: json_text::claim(header, "signer"),
        accepted: signers.iter().map(|arn| string(arn)).collect(),
        ..Check::new(Stage::Signer, result.into())
    }
}

/// Checks that `kid` is a UUID, because it becomes a part of a URL.
#[cold]
pub(crate) fn uuid_check(header: &Header) -> Check {
    let result = match &header.key_id {
        None => CheckResult::Failed(Reason::KeyIdMissing),
        Some(key_id) if is_uuid(key_id) => CheckResult::Passed,
        Some(_) => CheckResult::Failed(Reason::KeyIdInvalid),
    };
    Check {
        member: Some("kid".to_owned()),
        found: header.key_id.as_deref().map(string),
        accepted: vec!["a UUID in lower case".to_owned()],
        ..Check::new(Stage::KeyId, result)
    }
}

#[cold]
pub(crate) fn copies_check(header: &Object<'_>, result: Result<(), Reason>) -> Check {
    let copy = |name: &str| json_text::claim(header, name).unwrap_or_else(|| "absent".to_owned());
    let detail = alloc::format!("In the header, `iss` is {} and `exp` is {}.", copy("iss"), copy("exp"));
    Check { detail: Some(detail), ..Check::new(Stage::HeaderCopies, result.into()) }
}

/// The client of a load balancer's token is in its header.
#[cold]
pub(crate) fn client_of_header(check: Check, header: &Object<'_>, client: Result<(), Reason>) -> Check {
    if check.stage != Stage::Client {
        return check;
    }
    let result = client.map_or_else(CheckResult::Failed, |()| check.result);
    Check {
        member: Some("client".to_owned()),
        found: json_text::claim(header, "client"),
        accepted: check.accepted,
        ..Check::new(Stage::Client, result)
    }
}
