//! The handlers of the account flows, by subject.

#[macro_use]
mod route;
mod cookie;
mod mfa;
mod password;
mod sign_in;
mod sign_out;
mod sign_up;
mod user;

use super::state::FlowsState;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;

pub(crate) fn router() -> OpenApiRouter<Arc<FlowsState>> {
    let routers =
        [sign_up::router(), sign_in::router(), mfa::router(), password::router(), user::router(), sign_out::router()];
    routers.into_iter().fold(OpenApiRouter::new(), OpenApiRouter::merge)
}
