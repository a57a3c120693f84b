//! `/v1/verify`: for nginx `auth_request`, Caddy and Traefik `forward_auth`, and Envoy's `ext_authz` over HTTP.

use super::{House, State};
use crate::{
    Answer, Denial, Reason, Requirement, TokenUse, TokenUseRule, Verified,
    bearer::Bearer,
    refusal::{ProblemBody, Refused},
};
use axum::{
    Router,
    extract::RawQuery,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    routing::{any, get},
};
use secrecy::ExposeSecret;
use std::{fmt::Write, sync::Arc};
use utoipa_axum::{router::OpenApiRouter, routes};

/// For the OpenAPI document.
pub(crate) fn documented() -> OpenApiRouter<Arc<House>> {
    OpenApiRouter::new().routes(routes!(verify))
}

/// Below it any path and any method: Envoy puts those of the original request there. Its query is the caller's and asks for
/// nothing.
pub(crate) fn router() -> Router<Arc<House>> {
    Router::new()
        .route("/v1/verify", get(verify))
        .route("/v1/verify/", any(verify_below))
        .route("/v1/verify/{*path}", any(verify_below))
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
        (status = 400, description = "The query is not one of this service's", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No token, or not a good one; `WWW-Authenticate` as in RFC 6750", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The token lacks a group or scope", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The token could not be judged", body = ProblemBody, content_type = "application/problem+json"),
    ),
    tag = "verify",
)]
async fn verify(house: State, headers: HeaderMap, RawQuery(query): RawQuery) -> Result<Claims, Refused> {
    let requirement = requirement(query.as_deref())?;
    let verified = judge(&house, &headers).await?;
    requirement.check(&verified).map_err(|_| requirement.refusal())?;
    Ok(claims(&verified))
}

async fn verify_below(house: State, headers: HeaderMap) -> Result<Claims, Refused> {
    Ok(claims(&judge(&house, &headers).await?))
}

async fn judge(house: &House, headers: &HeaderMap) -> Result<Verified, Refused> {
    let token = Bearer::of(headers).ok_or_else(Refused::no_token)?;
    let verified = house.accounts.verifier().verify(token.0.expose_secret()).await?;
    let is_right = match house.verifies {
        TokenUseRule::Access => verified.token_use == Some(TokenUse::Access),
        TokenUseRule::Id => verified.token_use == Some(TokenUse::Id),
        TokenUseRule::AccessOrId | TokenUseRule::Unchecked => true,
    };
    let mismatch = Denial { reason: Reason::TokenUseMismatch, answer: Answer::InvalidToken };
    if is_right { Ok(verified) } else { Err(mismatch.into()) }
}

type Claims = [(HeaderName, HeaderValue); 8];

fn claims(verified: &Verified) -> Claims {
    let name = HeaderName::from_static;
    let text = |value: &Option<String>| encoded(value.as_deref().unwrap_or_default(), false);
    let token_use = verified.token_use.map_or("", |token_use| match token_use {
        TokenUse::Access => "access",
        TokenUse::Id => "id",
    });
    let groups: Vec<String> = verified.groups.iter().map(|group| percent(group, true)).collect();
    [
        (name("x-poolgate-subject"), text(&verified.subject)),
        (name("x-poolgate-username"), text(&verified.username)),
        (name("x-poolgate-client-id"), text(&verified.client_id)),
        (name("x-poolgate-token-use"), HeaderValue::from_static(token_use)),
        (name("x-poolgate-issuer"), text(&verified.issuer)),
        (name("x-poolgate-groups"), header(&groups.join(","))),
        (name("x-poolgate-scopes"), encoded(&verified.scopes.join(" "), false)),
        (name("x-poolgate-expires-at"), verified.expires_at.into()),
    ]
}

fn encoded(text: &str, has_commas: bool) -> HeaderValue {
    header(&percent(text, has_commas))
}

/// Of printable ASCII.
fn header(text: &str) -> HeaderValue {
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
