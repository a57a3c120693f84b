//! The state that all handlers share.

use super::{cookies::RefreshCookie, route_table::RouteTable};
use crate::{TokenUseRule, accounts::Accounts};
use axum::body::Bytes;
use std::{sync::Arc, time::Duration};

pub(crate) struct GatewayState {
    pub(crate) accounts: Accounts,
    /// The token use that `/v1/verify` requires.
    pub(crate) verifies: TokenUseRule,
    /// `None` if there are no route rules. The original request is then not evaluated.
    pub(crate) routes: Option<RouteTable>,
    pub(crate) refresh_cookie: Option<RefreshCookie>,
    pub(crate) body_deadline: Duration,
    /// The OpenAPI document as JSON, generated once.
    pub(crate) openapi: Bytes,
}

pub(crate) type State = axum::extract::State<Arc<GatewayState>>;
