//! The state that the handlers share.

use super::{cookies::RefreshCookie, route_table::RouteTable, verifiers::Verifiers};
use crate::{Gate, TokenUseRule, accounts::Accounts};
use axum::body::Bytes;
use std::{sync::Arc, time::Duration};

/// The state of the account flows.
pub(crate) struct FlowsState {
    pub(crate) accounts: Accounts,
    pub(crate) refresh_cookie: Option<RefreshCookie>,
    pub(crate) body_deadline: Duration,
}

/// The state of all other handlers.
pub(crate) struct GatewayState {
    pub(crate) verifiers: Verifiers,
    /// The token use that `/v1/verify` requires in addition to the pools of its verifier.
    pub(crate) verifies: TokenUseRule,
    /// If there is one, it decides about the original request, and nothing else here does.
    pub(crate) gate: Option<Gate>,
    /// `None` if there are no route rules. The original request is then not evaluated.
    pub(crate) routes: Option<RouteTable>,
    /// The maximum time to receive a message of gRPC.
    pub(crate) body_deadline: Duration,
    /// The OpenAPI document as JSON, generated once.
    pub(crate) openapi: Bytes,
}

pub(crate) type State<S> = axum::extract::State<Arc<S>>;
