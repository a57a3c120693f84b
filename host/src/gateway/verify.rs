//! `/v1/verify`: for nginx `auth_request`, Caddy and Traefik `forward_auth`, and Envoy's `ext_authz` over HTTP.

use super::{GatewayState, State, original::Original};
use crate::{
    Denial, ErrorCode, Reason, Requirement, TokenUse, TokenUseRule, Verified,
    bearer::Bearer,
    refusal::{ProblemBody, Refused},
};
use axum::{
    Router,
    extract::{RawQuery, Request},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, uri::PathAndQuery},
    routing::{any, get},
};
use secrecy::ExposeSecret;
use std::{fmt::Write, sync::Arc};
use utoipa_axum::{router::OpenApiRouter, routes};

/// For the OpenAPI document.
pub(crate) fn documented() -> OpenApiRouter<Arc<GatewayState>> {
    OpenApiRouter::new().routes(routes!(verify))
}

/// Envoy's `ext_authz` puts the path and the query of the original request below this prefix, and keeps its method.
const EXT_AUTHZ: &str = "/v1/ext-authz";
const VERIFY: &str = "/v1/verify";

/// Below `/v1/verify` there is nothing: a path there would be taken for the original request's by one reader, and for a question by
/// another.
pub(crate) fn router() -> Router<Arc<GatewayState>> {
    Router::new()
        .route(VERIFY, get(verify))
        .route("/v1/ext-authz/", any(ext_authz))
        .route("/v1/ext-authz/{*original}", any(ext_authz))
}

/// Whether a proxy asks there about a request of somebody else.
pub(crate) fn is_asked_by_a_proxy(path: &str) -> bool {
    let below = |prefix| path.strip_prefix(prefix).is_some_and(|rest: &str| rest.is_empty() || rest.starts_with('/'));
    below(VERIFY) || below(EXT_AUTHZ)
}

/// What the proxy's configuration asks for in the query: any of the groups, and any of the scopes. A name that is not known is an
/// error, for a typing error must not open a door.
fn requirement(query: Option<&str>) -> Result<Requirement, Refused> {
    let (mut groups, mut scopes) = (Vec::new(), Vec::new());
    for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        match (&*name, value.is_empty()) {
            ("group", false) => groups.push(value.into_owned()),
            ("scope", false) => scopes.push(value.into_owned()),
            _ => {
                let detail = "the query has something other than group=… and scope=…";
                return Err(Refused::request(StatusCode::BAD_REQUEST, detail));
            }
        }
    }
    let requirement = Requirement::new();
    let requirement = if groups.is_empty() { requirement } else { requirement.any_of_groups(groups) };
    Ok(if scopes.is_empty() { requirement } else { requirement.any_of_scopes(scopes) })
}

/// Judge the bearer token
///
/// For a proxy that asks before it lets a request through. `group` and `scope` may be repeated: any of them is enough. The
/// answer 200 has every `X-Poolgate-*` header, empty where the token has no such claim, so that a header which a caller has
/// forged is always replaced. Characters outside printable ASCII, `%` and, in groups, `,` are percent-encoded (RFC 3986).
#[utoipa::path(
    get,
    path = "/v1/verify",
    operation_id = "verify",
    params(
        ("group" = Option<Vec<String>>, Query, description = "The token must have one of these groups"),
        ("scope" = Option<Vec<String>>, Query, description = "The token must have one of these scopes"),
        ("X-Original-URI" = Option<String>, Header, description = "Path and query of the original request. With rules for paths, this or X-Forwarded-Uri is needed"),
        ("X-Original-Method" = Option<String>, Header, description = "The method of the original request"),
        ("X-Forwarded-Uri" = Option<String>, Header, description = "As X-Original-URI"),
        ("X-Forwarded-Method" = Option<String>, Header, description = "As X-Original-Method"),
    ),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The token is good", headers(
            ("X-Poolgate-Subject" = String, description = "`sub`"),
            ("X-Poolgate-Username" = String, description = "`username` or `cognito:username`"),
            ("X-Poolgate-Client-Id" = String, description = "The app client"),
            ("X-Poolgate-Token-Use" = String, description = "`access` or `id`"),
            ("X-Poolgate-Issuer" = String, description = "`iss`"),
            ("X-Poolgate-Groups" = String, description = "`cognito:groups`, between commas"),
            ("X-Poolgate-Scopes" = String, description = "`scope`"),
            ("X-Poolgate-Expires-At" = String, description = "`exp`, in seconds since the Unix epoch"),
        )),
        (status = 400, description = "The query is not one of this service's, or the path of the original request can be read in more than one way", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token, or not a good one; `WWW-Authenticate` as in RFC 6750", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The token lacks a group or scope", body = ProblemBody, content_type = "application/problem+json"),
        (status = 500, description = "There are rules for paths, and the proxy does not say which request it asks about", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The token could not be judged", body = ProblemBody, content_type = "application/problem+json"),
    ),
    tag = "verify",
)]
async fn verify(state: State, headers: HeaderMap, RawQuery(query): RawQuery) -> Result<Claims, Refused> {
    let requirement = requirement(query.as_deref())?;
    let asked = match &state.routes {
        Some(routes) => routes.asked(&Original::stated(&headers)?)?,
        None => Some(Requirement::new()),
    };
    // What the query asks for, it asks for on every path.
    let verified = match (asked, requirement == Requirement::new()) {
        (None, true) => None,
        (asked, _) => Some(judge(&state, &headers, &asked.unwrap_or_default()).await?),
    };
    if let Some(verified) = &verified {
        requirement.check(verified).map_err(|_| requirement.refusal())?;
    }
    answer(&headers, verified.as_ref())
}

async fn ext_authz(state: State, request: Request) -> Result<Claims, Refused> {
    let target = request.uri().path_and_query().map_or("", PathAndQuery::as_str);
    let target = target.strip_prefix(EXT_AUTHZ).unwrap_or_default();
    let headers = request.headers();
    let asked = match &state.routes {
        Some(routes) => routes.asked(&Original::sent(request.method(), target, headers))?,
        None => Some(Requirement::new()),
    };
    let verified = match asked {
        Some(requirement) => Some(judge(&state, headers, &requirement).await?),
        None => None,
    };
    answer(headers, verified.as_ref())
}

async fn judge(state: &GatewayState, headers: &HeaderMap, requirement: &Requirement) -> Result<Verified, Refused> {
    let token = Bearer::of(headers).ok_or_else(Refused::no_token)?;
    let verified = state.accounts.verifier().verify(token.0.expose_secret()).await?;
    let is_right = match state.verifies {
        TokenUseRule::Access => verified.token_use == Some(TokenUse::Access),
        TokenUseRule::Id => verified.token_use == Some(TokenUse::Id),
        TokenUseRule::AccessOrId | TokenUseRule::Unchecked => true,
    };
    if !is_right {
        return Err(Denial::new(Reason::TokenUseMismatch, ErrorCode::InvalidToken).into());
    }
    requirement.check(&verified).map_err(|_| requirement.refusal())?;
    Ok(verified)
}

fn answer(headers: &HeaderMap, verified: Option<&Verified>) -> Result<Claims, Refused> {
    if takes_claims_away(headers) {
        let detail = "the header Connection names a header of this service's";
        return Err(Refused::request(StatusCode::BAD_REQUEST, detail));
    }
    Ok(verified.map_or_else(nobody, claims))
}

/// A proxy removes each header that `Connection` names (RFC 9110 section 7.6.1), also one that it has set itself a moment ago: a client
/// that names a claim hides it from the application. Some applications take `_` for `-`.
fn takes_claims_away(headers: &HeaderMap) -> bool {
    headers.get_all(header::CONNECTION).iter().any(|value| {
        let options = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        options.into_iter().any(|option| {
            let name: Vec<u8> =
                option.iter().map(|byte| if *byte == b'_' { b'-' } else { byte.to_ascii_lowercase() }).collect();
            name.starts_with(b"x-poolgate-")
        })
    })
}

type Claims = [(HeaderName, HeaderValue); 8];

const NAMES: [&str; 8] = [
    "x-poolgate-subject",
    "x-poolgate-username",
    "x-poolgate-client-id",
    "x-poolgate-token-use",
    "x-poolgate-issuer",
    "x-poolgate-groups",
    "x-poolgate-scopes",
    "x-poolgate-expires-at",
];

/// Where no token is asked for: every header, so that a forged one is replaced.
fn nobody() -> Claims {
    NAMES.map(|name| (HeaderName::from_static(name), HeaderValue::from_static("")))
}

fn claims(verified: &Verified) -> Claims {
    let text = |value: &Option<String>| encoded(value.as_deref().unwrap_or_default(), false);
    let token_use = verified.token_use.map_or("", |token_use| match token_use {
        TokenUse::Access => "access",
        TokenUse::Id => "id",
    });
    let groups: Vec<String> = verified.groups.iter().map(|group| percent(group, true)).collect();
    let values = [
        text(&verified.subject),
        text(&verified.username),
        text(&verified.client_id),
        HeaderValue::from_static(token_use),
        text(&verified.issuer),
        printable(&groups.join(",")),
        encoded(&verified.scopes.join(" "), false),
        verified.expires_at.into(),
    ];
    let mut names = NAMES.iter();
    values.map(|value| (HeaderName::from_static(names.next().copied().unwrap_or_default()), value))
}

fn encoded(text: &str, has_commas: bool) -> HeaderValue {
    printable(&percent(text, has_commas))
}

/// Of printable ASCII.
fn printable(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

fn percent(text: &str, is_in_a_list: bool) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        match byte {
            b'%' => encoded.push_str("%25"),
            b',' if is_in_a_list => encoded.push_str("%2C"),
            0x20..=0x7e => encoded.push(char::from(byte)),
            // Writing to a string does not fail.
            _ => drop(write!(encoded, "%{byte:02X}")),
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_header_holds_is_encoded() {
        assert_eq!(percent("änna\n100%", false), "%C3%A4nna%0A100%25");
        assert_eq!(percent("a,b", true), "a%2Cb");
        assert_eq!(percent("a,b", false), "a,b");
    }

    #[test]
    fn a_query_asks_for_groups_and_scopes_and_nothing_else() {
        let wanted = requirement(Some("group=admins&group=a%20b&scope=api%2Fread")).ok();
        let expected = Requirement::new().any_of_groups(["admins", "a b"]).any_of_scopes(["api/read"]);
        assert_eq!(wanted, Some(expected));
        for query in ["groups=admins", "group=", "admins"] {
            assert!(requirement(Some(query)).is_err(), "{query}");
        }
    }
}
