//! Authorization checks for reverse proxies: `/v1/verify` for nginx (`auth_request`), Caddy (`forward_auth`) and Traefik
//! (`forwardAuth`), and `/v1/ext-authz` for Envoy (`ext_authz` over HTTP).

use super::{
    check_paths::{EXT_AUTHZ, VERIFY},
    claim_headers, forged_headers, gated,
    original::Original,
    state::{GatewayState, State},
};
use crate::{
    Denial, ErrorCode, Reason, Requirement, TokenUse, TokenUseRule, Verified,
    bearer::Bearer,
    problem_response::{ProblemBody, ProblemResponse},
};
use axum::{
    Router,
    extract::{RawQuery, Request},
    http::{HeaderMap, StatusCode, uri::PathAndQuery},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use secrecy::ExposeSecret;
use std::sync::Arc;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The documented routes, for the OpenAPI document.
pub(crate) fn documented() -> OpenApiRouter<Arc<GatewayState>> {
    OpenApiRouter::new().routes(routes!(verify))
}

/// No route is below `/v1/verify`: a proxy and the gateway could otherwise disagree on whether a path there is the original request's.
pub(crate) fn router() -> Router<Arc<GatewayState>> {
    Router::new()
        .route(VERIFY, get(verify))
        .route("/v1/ext-authz/", any(ext_authz))
        .route("/v1/ext-authz/{*original}", any(ext_authz))
}

/// The requirement in the query, which the proxy's configuration sets: any of the groups, and any of the scopes. An unknown name is an
/// error, because a misspelt requirement must not be ignored.
fn requirement(query: Option<&str>) -> Result<Requirement, ProblemResponse> {
    let (mut groups, mut scopes) = (Vec::new(), Vec::new());
    for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        match (&*name, value.is_empty()) {
            ("group", false) => groups.push(value.into_owned()),
            ("scope", false) => scopes.push(value.into_owned()),
            _ => {
                let detail = "the query may contain only group=… and scope=…";
                return Err(ProblemResponse::request(StatusCode::BAD_REQUEST, detail));
            }
        }
    }
    let requirement = Requirement::new();
    let requirement = if groups.is_empty() { requirement } else { requirement.any_of_groups(groups) };
    Ok(if scopes.is_empty() { requirement } else { requirement.any_of_scopes(scopes) })
}

/// Verify the bearer token
///
/// For a reverse proxy that authorizes each request before it forwards it. `group` and `scope` may be repeated; the token must have at least
/// one of the groups and one of the scopes. The response 200 contains every `X-Poolgate-*` header. A header is empty if the token lacks the
/// claim, so that the proxy always replaces a forged header. Characters outside printable ASCII, `%` and, in groups, `,` are percent-encoded
/// (RFC 3986).
#[utoipa::path(
    get,
    path = "/v1/verify",
    operation_id = "verify",
    params(
        ("group" = Option<Vec<String>>, Query, description = "The token must have at least one of these groups"),
        ("scope" = Option<Vec<String>>, Query, description = "The token must have at least one of these scopes"),
        ("X-Original-URI" = Option<String>, Header, description = "Path and query of the original request. If the gateway has route rules, this or X-Forwarded-Uri is required"),
        ("X-Original-Method" = Option<String>, Header, description = "The method of the original request"),
        ("X-Forwarded-Uri" = Option<String>, Header, description = "Same as X-Original-URI"),
        ("X-Forwarded-Method" = Option<String>, Header, description = "Same as X-Original-Method"),
    ),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The token is valid, or the path requires none", headers(
            ("X-Poolgate-Subject" = String, description = "`sub`"),
            ("X-Poolgate-Username" = String, description = "`username` or `cognito:username`"),
            ("X-Poolgate-Client-Id" = String, description = "`client_id` or `aud`: the app client"),
            ("X-Poolgate-Token-Use" = String, description = "`access` or `id`"),
            ("X-Poolgate-Issuer" = String, description = "`iss`"),
            ("X-Poolgate-Groups" = String, description = "`cognito:groups`, joined with commas"),
            ("X-Poolgate-Scopes" = String, description = "`scope`"),
            ("X-Poolgate-Expires-At" = String, description = "`exp`, in seconds since the Unix epoch"),
        )),
        (status = 400, description = "The query is invalid, the path of the original request is ambiguous, or the request has a header that an application can take for a claim, or for another path or host", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "The token is missing or invalid; `WWW-Authenticate` as in RFC 6750", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The token lacks a required group or scope", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "The gateway has route rules, and the proxy does not send the original path", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The token could not be verified", body = ProblemBody, content_type = "application/problem+json"),
    ),
    tag = "verify",
)]
async fn verify(
    state: State<GatewayState>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, ProblemResponse> {
    if let Some(gate) = &state.gate {
        return gated::verify(gate, &headers, query.as_deref()).await;
    }
    forged_headers::reject(&headers)?;
    let requirement = requirement(query.as_deref())?;
    let required = match &state.routes {
        Some(routes) => routes.requirement(&Original::from_headers(&headers)?)?,
        None => Some(Requirement::new()),
    };
    // The query's requirement applies to every path.
    let verified = match (required, requirement == Requirement::new()) {
        (None, true) => None,
        (required, _) => Some(authorize(&state, &headers, &required.unwrap_or_default()).await?),
    };
    if let Some(verified) = &verified {
        requirement.check(verified).map_err(|_| requirement.error_response())?;
    }
    Ok(claim_headers::response(&headers, verified.as_ref())?.into_response())
}

async fn ext_authz(state: State<GatewayState>, request: Request) -> Result<Response, ProblemResponse> {
    let target = request.uri().path_and_query().map_or("", PathAndQuery::as_str);
    let target = target.strip_prefix(EXT_AUTHZ).unwrap_or_default();
    if let Some(gate) = &state.gate {
        return gated::ext_authz(gate, request.method(), request.uri(), target, request.headers()).await;
    }
    let headers = request.headers();
    forged_headers::reject(headers)?;
    let required = match &state.routes {
        Some(routes) => routes.requirement(&Original::from_request(request.method(), target, headers))?,
        None => Some(Requirement::new()),
    };
    let verified = match required {
        Some(requirement) => Some(authorize(&state, headers, &requirement).await?),
        None => None,
    };
    Ok(claim_headers::response(headers, verified.as_ref())?.into_response())
}

async fn authorize(
    state: &GatewayState,
    headers: &HeaderMap,
    requirement: &Requirement,
) -> Result<Verified, ProblemResponse> {
    let token = Bearer::of(headers).ok_or_else(ProblemResponse::no_token)?;
    let verified = state.verifiers.checks().verify(token.0.expose_secret()).await?;
    let is_right = match state.verifies {
        TokenUseRule::Access => verified.token_use == Some(TokenUse::Access),
        TokenUseRule::Id => verified.token_use == Some(TokenUse::Id),
        TokenUseRule::AccessOrId | TokenUseRule::Unchecked => true,
    };
    if !is_right {
        return Err(Denial::new(Reason::TokenUseMismatch, ErrorCode::InvalidToken).into());
    }
    requirement.check(&verified).map_err(|_| requirement.error_response())?;
    Ok(verified)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_can_require_groups_and_scopes_and_nothing_else() {
        let wanted = requirement(Some("group=admins&group=a%20b&scope=api%2Fread")).ok();
        let expected = Requirement::new().any_of_groups(["admins", "a b"]).any_of_scopes(["api/read"]);
        assert_eq!(wanted, Some(expected));
        for query in ["groups=admins", "group=", "admins"] {
            assert!(requirement(Some(query)).is_err(), "{query}");
        }
    }
}
