//! The accounts and the verifier over HTTP, so that a team can use them without writing Rust.
//!
//! A request goes straight through: `limits` (body, rate) → `routes` or `verify` (JSON in) → [`Accounts`] → `refusal` or a body
//! (JSON out). What an operator looks at is in `operations`; the counts that tell who has an account are served elsewhere.

mod bodies;
mod client_address;
mod cookies;
mod cors;
mod extract;
mod limits;
mod once_a_minute;
mod openapi;
mod operations;
mod original;
mod problem;
mod route_rules;
mod routes;
mod serving;
mod verify;

pub use cookies::{CookieError, RefreshCookie, SameSite};
pub use cors::OriginError;
pub use limits::RateLimit;
pub use route_rules::{RouteError, RouteRules};
pub use serving::Deadlines;

use crate::{TokenUseRule, accounts::Accounts};
use axum::{Router, body::Bytes, extract::DefaultBodyLimit, http::HeaderName, middleware};
use client_address::ClientAddress;
use cors::Cors;
use route_rules::Routes;
use std::{fmt, num::NonZeroUsize, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use utoipa::openapi::OpenApi;

/// The HTTP service.
///
/// ```no_run
/// # async fn example(accounts: poolgate::accounts::Accounts) -> std::io::Result<()> {
/// use poolgate::gateway::Gateway;
/// use tokio::net::TcpListener;
///
/// let gateway = Gateway::new(accounts);
/// let listener = TcpListener::bind("127.0.0.1:8080").await?;
/// gateway.serve(listener, async { tokio::signal::ctrl_c().await.unwrap_or_default() }).await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct Gateway {
    accounts: Accounts,
    verifies: TokenUseRule,
    rules: RouteRules,
    refresh_cookie: Option<RefreshCookie>,
    cors: Cors,
    rate_limit: Option<RateLimit>,
    client_ip_header: Option<HeaderName>,
    trusted_hops: NonZeroUsize,
    body_limit: usize,
    deadlines: Deadlines,
}

impl fmt::Debug for Gateway {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Gateway").finish_non_exhaustive()
    }
}

/// What every handler sees.
struct GatewayState {
    accounts: Accounts,
    verifies: TokenUseRule,
    /// None if no rules are stated: then the original request is not looked at.
    routes: Option<Routes>,
    refresh_cookie: Option<RefreshCookie>,
    body_deadline: Duration,
    /// The document's text, made once.
    openapi: Bytes,
}

type State = axum::extract::State<Arc<GatewayState>>;

impl Gateway {
    /// Over accounts, whose verifier also judges the tokens of `/v1/verify`.
    pub fn new(accounts: Accounts) -> Self {
        Self {
            accounts,
            verifies: TokenUseRule::Access,
            rules: RouteRules::new(),
            refresh_cookie: None,
            cors: Cors::default(),
            rate_limit: Some(RateLimit::default()),
            client_ip_header: None,
            trusted_hops: NonZeroUsize::MIN,
            body_limit: 64 * 1024,
            deadlines: Deadlines::default(),
        }
    }

    /// Which tokens `/v1/verify` accepts. Access tokens unless stated.
    pub fn verifies(mut self, token_use: TokenUseRule) -> Self {
        self.verifies = token_use;
        self
    }

    /// What the paths of the application ask for, by the original request that a proxy asks `/v1/verify` or `/v1/ext-authz` about. With
    /// rules, a proxy that does not say which request it asks about is refused.
    pub fn routes(mut self, rules: RouteRules) -> Self {
        self.rules = rules;
        self
    }

    /// Keeps refresh tokens in a cookie (`HttpOnly; Secure`), out of reach of scripts. They are then in no body.
    pub fn refresh_cookie(mut self, cookie: RefreshCookie) -> Self {
        self.refresh_cookie = Some(cookie);
        self
    }

    /// The origins, such as `https://app.example.com`, whose scripts may use the account flows, with credentials. None by default.
    ///
    /// # Errors
    /// [`OriginError`] for what is no origin; `*` and `null` are none.
    pub fn cors_origins(mut self, origins: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, OriginError> {
        self.cors = Cors::new(origins)?;
        Ok(self)
    }

    /// How many requests one client may make, other than those of `/v1/verify` and `/v1/ext-authz`. See [`RateLimit`]; `None` for no
    /// limit.
    pub fn rate_limit(mut self, limit: Option<RateLimit>) -> Self {
        self.rate_limit = limit;
        self
    }

    /// The header in which the proxies in front put the client's address: one address (`X-Real-IP`), or a list to which each proxy
    /// appends the address of its own peer (`X-Forwarded-For`). Ports may follow the addresses. Without it, the address is that of the
    /// connection, which behind a proxy is the proxy's.
    pub fn client_ip_header(mut self, header: HeaderName) -> Self {
        self.client_ip_header = Some(header);
        self
    }

    /// How many of the last entries of that header were written by proxies of yours. One by default: the last entry is the client's
    /// address.
    pub fn trusted_hops(mut self, hops: NonZeroUsize) -> Self {
        self.trusted_hops = hops;
        self
    }

    /// How long clients may take, and how long stopping may take. See [`Deadlines`] for the defaults.
    pub fn deadlines(mut self, deadlines: Deadlines) -> Self {
        self.deadlines = deadlines;
        self
    }

    /// The longest request body, in bytes. 64 KiB unless stated.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// The OpenAPI document.
    pub fn openapi(&self) -> OpenApi {
        openapi::document(routes::router().merge(verify::documented()).into_openapi())
    }

    /// What the public gets.
    pub fn router(&self) -> Router {
        let client_address = ClientAddress::new(self.client_ip_header.clone(), self.trusted_hops);
        let limiter = limits::Limiter::new(self.rate_limit, client_address);
        let (flows, _) = routes::router().split_for_parts();
        let flows = flows.layer(DefaultBodyLimit::max(self.body_limit));
        let rest = openapi::router().merge(operations::health()).merge(operations::public_metrics());
        flows
            .merge(rest)
            .layer(middleware::from_fn_with_state(limiter, limits::limit))
            .merge(verify::router())
            .fallback(problem::not_found)
            .method_not_allowed_fallback(problem::method_not_allowed)
            .layer(middleware::from_fn_with_state(self.cors.clone(), cors::cors))
            .layer(middleware::from_fn(problem::never_stored))
            .with_state(self.state())
    }

    /// What the operator gets: health and all metrics. Not for the public, for the counts of account flows tell who has an account.
    pub fn operations_router(&self) -> Router {
        operations::health_with_hints()
            .merge(operations::metrics())
            .fallback(problem::not_found)
            .with_state(self.state())
    }

    /// Serves the public until `shutdown` is ready, and then until every request under way is answered or
    /// [`Deadlines::shutdown`] has passed.
    pub async fn serve(&self, listener: TcpListener, shutdown: impl Future<Output = ()> + Send) {
        serving::serve(listener, self.router(), self.deadlines, shutdown).await;
    }

    /// The same for the operator.
    pub async fn serve_operations(&self, listener: TcpListener, shutdown: impl Future<Output = ()> + Send) {
        serving::serve(listener, self.operations_router(), self.deadlines, shutdown).await;
    }

    fn state(&self) -> Arc<GatewayState> {
        Arc::new(GatewayState {
            accounts: self.accounts.clone(),
            verifies: self.verifies,
            routes: self.rules.routes(),
            refresh_cookie: self.refresh_cookie.clone(),
            body_deadline: self.deadlines.body,
            // A document that utoipa has made is always JSON.
            openapi: serde_json::to_vec(&self.openapi()).unwrap_or_default().into(),
        })
    }
}
