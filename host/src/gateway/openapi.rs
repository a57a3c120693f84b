//! The OpenAPI document, generated from the handlers, and the pages to which the `type` of problem details refers.

use super::state::{GatewayState, State};
use crate::accounts::AccountErrorCode;
use axum::{
    Router,
    extract::Path,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use std::sync::Arc;
use utoipa::openapi::{
    InfoBuilder, LicenseBuilder, OpenApi,
    security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

pub(crate) fn router() -> Router<Arc<GatewayState>> {
    Router::new().route("/openapi.json", get(document_text)).route("/problems/{name}", get(problem))
}

pub(crate) fn document(mut document: OpenApi, has_flows: bool) -> OpenApi {
    let description = match has_flows {
        true => {
            "Account flows of Amazon Cognito (sign-up, sign-in, recovery) whose responses do not reveal whether an account exists, and \
             verification of tokens. Errors are problem details (RFC 9457)."
        }
        false => "Verification of tokens. Errors are problem details (RFC 9457).",
    };
    document.info = InfoBuilder::new()
        .title("poolgate")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(description))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
        .build();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    document
}

async fn document_text(state: State<GatewayState>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], state.openapi.clone())
}

async fn problem(Path(name): Path<String>) -> Result<String, StatusCode> {
    let code = AccountErrorCode::ALL.iter().find(|code| code.name() == name);
    code.map(|code| {
        format!(
            "{}
",
            code.description()
        )
    })
    .ok_or(StatusCode::NOT_FOUND)
}
