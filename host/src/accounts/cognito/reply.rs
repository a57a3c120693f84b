//! Conversion of the SDK's replies and errors.

use super::client::CallResult;
use crate::accounts::bindings::poolgate::auth::user_pool as wit;
use aws_sdk_cognitoidentityprovider::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    types as sdk,
};
use std::collections::HashMap;

/// `None` if there is no access token.
pub(super) fn tokens(result: sdk::AuthenticationResultType) -> Option<wit::Tokens> {
    Some(wit::Tokens {
        access_token: result.access_token?,
        id_token: result.id_token,
        refresh_token: result.refresh_token,
        expires_in: u32::try_from(result.expires_in).ok().filter(|seconds| *seconds > 0),
    })
}

pub(super) fn auth_reply(
    result: Option<sdk::AuthenticationResultType>,
    challenge: Option<sdk::ChallengeNameType>,
    session: Option<String>,
    parameters: Option<HashMap<String, String>>,
) -> CallResult<wit::AuthReply> {
    // A reply with both a challenge and tokens is a challenge: the user is not signed in yet.
    match (challenge, result.and_then(tokens)) {
        (Some(name), _) => Ok(wit::AuthReply::Challenge(wit::RawChallenge {
            name: name.as_str().to_owned(),
            session,
            parameters: parameters.unwrap_or_default().into_iter().collect(),
        })),
        (None, Some(tokens)) => Ok(wit::AuthReply::Tokens(tokens)),
        (None, None) => Err(wit::Failure::Unreachable),
    }
}

/// Keeps the name of the exception and drops its message, which may repeat the input.
pub(super) fn failure<E: ProvideErrorMetadata>(error: SdkError<E, HttpResponse>) -> wit::Failure {
    match &error {
        SdkError::ServiceError(service) => match service.err().code() {
            Some(name) => wit::Failure::Exception(name.to_owned()),
            None if service.raw().status().is_server_error() => wit::Failure::Unreachable,
            None => wit::Failure::Exception(String::new()),
        },
        SdkError::TimeoutError(_) => wit::Failure::TimedOut,
        SdkError::DispatchFailure(dispatch) if dispatch.is_timeout() => wit::Failure::TimedOut,
        SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => wit::Failure::Unreachable,
        _ => wit::Failure::Exception("ConstructionFailure".into()),
    }
}
