//! The accounts and the verifier over HTTP, so that a team can use them without writing Rust.
//!
//! A request goes straight through: `limits` (body, rate) → `routes` or `verify` (JSON in) → [`Accounts`] → `refusal` or a body
//! (JSON out). What an operator looks at is in `operations`; the counts that tell who has an account are served elsewhere.

mod bodies;
mod cookies;
mod extract;
mod limits;
mod openapi;
mod operations;
mod problem;
mod routes;
mod verify;

pub use limits::RateLimit;

use crate::{TokenUseRule, accounts::Accounts};
use axum::{Router, extract::DefaultBodyLimit, middleware};
use std::{fmt, net::SocketAddr, sync::Arc};
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
/// gateway.serve(listener, async { tokio::signal::ctrl_c().await.unwrap_or_default() }).await
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct Gateway {
    accounts: Accounts,
    verifies: TokenUseRule,
    has_refresh_cookie: bool,
    rate_limit: Option<RateLimit>,
    client_ip_header: Option<axum::http::HeaderName>,
    body_limit: usize,
}

impl fmt::Debug for Gateway {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Gateway").finish_non_exhaustive()
    }
}

/// What every handler sees.
struct House {
    accounts: Accounts,
    verifies: TokenUseRule,
    has_refresh_cookie: bool,
    openapi: OpenApi,
}

type State = axum::extract::State<Arc<House>>;

impl Gateway {
    /// Over accounts, whose verifier also judges the tokens of `/v1/verify`.
    pub fn new(accounts: Accounts) -> Self {
        Self {
            accounts,
            verifies: TokenUseRule::Access,
            has_refresh_cookie: false,
            rate_limit: Some(RateLimit::default()),
            client_ip_header: None,
            body_limit: 64 * 1024,
        }
    }

    /// Which tokens `/v1/verify` accepts. Access tokens unless stated.
    pub fn verifies(mut self, token_use: TokenUseRule) -> Self {
        self.verifies = token_use;
        self
    }

    /// Keeps refresh tokens in a cookie (`HttpOnly; Secure; SameSite=Strict`), out of reach of scripts. They are then in no body.
    pub fn refresh_cookie(mut self) -> Self {
        self.has_refresh_cookie = true;
        self
    }

    /// How often one client may ask for something other than `/v1/verify`. See [`RateLimit`]; `None` for no limit.
    pub fn rate_limit(mut self, limit: Option<RateLimit>) -> Self {
        self.rate_limit = limit;
        self
    }

    /// The header in which the proxy before us puts the client's address, replacing what the client has put there. Without it,
    /// the address is that of the connection, which behind a proxy is the proxy's.
    pub fn client_ip_header(mut self, header: axum::http::HeaderName) -> Self {
        self.client_ip_header = Some(header);
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
        let house = Arc::new(House {
            accounts: self.accounts.clone(),
            verifies: self.verifies,
            has_refresh_cookie: self.has_refresh_cookie,
            openapi: self.openapi(),
        });
        let limiter = limits::Limiter::new(self.rate_limit, self.client_ip_header.clone());
        let (flows, _) = routes::router().split_for_parts();
        let flows = flows
            .layer(middleware::from_fn_with_state(limiter, limits::limit))
            .layer(DefaultBodyLimit::max(self.body_limit));
        let rest = openapi::router().merge(operations::health()).merge(operations::public_metrics());
        flows
            .merge(verify::router())
            .merge(rest)
            .fallback(problem::not_found)
            .method_not_allowed_fallback(problem::method_not_allowed)
            .layer(middleware::from_fn(problem::never_stored))
            .with_state(house)
    }

    /// What the operator gets: health and all metrics. Not for the public, for the counts of account flows tell who has an account.
    pub fn operations_router(&self) -> Router {
        let house = Arc::new(House {
            accounts: self.accounts.clone(),
            verifies: self.verifies,
            has_refresh_cookie: self.has_refresh_cookie,
            openapi: self.openapi(),
        });
        operations::health().merge(operations::metrics()).fallback(problem::not_found).with_state(house)
    }

    /// Serves until `shutdown` comes, and then until every request under way is answered.
    ///
    /// # Errors
    /// What accepting connections failed with.
    pub async fn serve(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        let service = self.router().into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, service).with_graceful_shutdown(shutdown).await
    }
}
