//! The HTTP service and its settings.

use super::{
    client_address::ClientAddress,
    cookies::RefreshCookie,
    cors::{self, Cors, OriginError},
    ext_authz, flows, grpc_health,
    limits::{self, RateLimit},
    metadata, openapi, operations, problem, revocation_feed,
    route_rules::RouteRules,
    serving::{self, Deadlines},
    state::{FlowsState, GatewayState},
    verifiers::{VerifierError, Verifiers},
    verify,
};
use crate::{Denial, Gate, KeyReport, TokenUseRule, Verifier, accounts::Accounts};
use axum::{Router, extract::DefaultBodyLimit, http::HeaderName, middleware};
use std::{fmt, num::NonZeroUsize, sync::Arc};
use tokio::net::TcpListener;
use utoipa::openapi::OpenApi;

/// The HTTP service.
///
/// Create one with [`Gateway::new`], or with [`Gateway::without_accounts`] if it only verifies tokens. Serve it with [`Gateway::serve`] or mount
/// [`Gateway::router`] in an axum application.
///
/// # Defaults
///
/// * [`verifier`](Self::verifier): the verifier of the account flows is also that of `/v1/verify`.
/// * [`verifies`](Self::verifies): `/v1/verify` accepts access tokens. With a verifier of its own, it accepts what the verifier accepts.
/// * [`routes`](Self::routes): no rules -- `/v1/verify` requires a valid token and ignores the original path.
/// * [`refresh_cookie`](Self::refresh_cookie): none -- refresh tokens are in response bodies.
/// * [`cors_origins`](Self::cors_origins): none -- no cross-origin requests.
/// * [`rate_limit`](Self::rate_limit): 10 requests per second and a burst of 50 for each client address; see [`RateLimit`].
/// * [`client_ip_header`](Self::client_ip_header): none -- the client address is that of the connection.
/// * [`trusted_hops`](Self::trusted_hops): 1.
/// * [`body_limit`](Self::body_limit): 64 KiB.
/// * [`deadlines`](Self::deadlines): 10 seconds for the first request head of a connection, 75 for the next ones, 30 for a body, 25 to shut
///   down; see [`Deadlines`].
/// * [`max_connections`](Self::max_connections): 4,096.
///
/// # Example
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
    /// `None` if there are no account flows.
    accounts: Option<Accounts>,
    verifiers: Verifiers,
    gate: Option<Gate>,
    verifies: Option<TokenUseRule>,
    rules: RouteRules,
    refresh_cookie: Option<RefreshCookie>,
    cors: Cors,
    rate_limit: Option<RateLimit>,
    client_ip_header: Option<HeaderName>,
    trusted_hops: NonZeroUsize,
    body_limit: usize,
    deadlines: Deadlines,
    max_connections: NonZeroUsize,
}

/// The maximum number of open connections, by default.
const MAX_CONNECTIONS: NonZeroUsize = NonZeroUsize::new(4_096).expect("not zero");

impl fmt::Debug for Gateway {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Gateway").finish_non_exhaustive()
    }
}

impl Gateway {
    /// Creates a gateway with the defaults listed above. The verifier of `accounts` also verifies the tokens of `/v1/verify`, unless
    /// [`verifier`](Self::verifier) sets another one.
    pub fn new(accounts: Accounts) -> Self {
        let verifiers = Verifiers::one(accounts.verifier().clone());
        Self::with(Some(accounts), verifiers)
    }

    /// Creates a gateway that only verifies tokens, for any issuer. It has no account flows: their paths are 404, and
    /// [`refresh_cookie`](Self::refresh_cookie) and [`cors_origins`](Self::cors_origins) have no use.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use poolgate::{ClientClaim, Pool, TokenUseRule, Verifier, gateway::Gateway};
    ///
    /// let pool = Pool::issuer("https://login.example.com/realms/shop")
    ///     .jwks_url("https://login.example.com/realms/shop/protocol/openid-connect/certs")
    ///     .token_use(TokenUseRule::Unchecked)
    ///     .client_ids(["web"])
    ///     .client_claim(ClientClaim::Azp)
    ///     .resources(["orders-api"]);
    /// let gateway = Gateway::without_accounts(Verifier::builder().pool(pool).build().await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn without_accounts(verifier: Verifier) -> Self {
        Self::with(None, Verifiers::one(verifier))
    }

    fn with(accounts: Option<Accounts>, verifiers: Verifiers) -> Self {
        Self {
            accounts,
            verifiers,
            gate: None,
            verifies: None,
            rules: RouteRules::new(),
            refresh_cookie: None,
            cors: Cors::default(),
            rate_limit: Some(RateLimit::default()),
            client_ip_header: None,
            trusted_hops: NonZeroUsize::MIN,
            body_limit: 64 * 1024,
            deadlines: Deadlines::default(),
            max_connections: MAX_CONNECTIONS,
        }
    }

    /// Sets the verifier of `/v1/verify` and `/v1/ext-authz`. By default, it is that of the account flows.
    ///
    /// A verifier of its own can accept other issuers, several pools and clients, or require more of a token: the account flows need a verifier
    /// that accepts each access token and ID token of their user pool and app client, so that every user can sign out. If it has a store
    /// of revoked tokens, build both with the same store. The metrics of both have the label `verifier`, with the values `accounts` and `verify`.
    ///
    /// # Errors
    ///
    /// Returns [`VerifierError::OneStore`] if only one of the two verifiers has a store of revoked tokens.
    pub fn verifier(mut self, verifier: Verifier) -> Result<Self, VerifierError> {
        self.verifiers = match &self.accounts {
            Some(accounts) => Verifiers::two(verifier, accounts.verifier().clone())?,
            None => Verifiers::one(verifier),
        };
        Ok(self)
    }

    /// Lets a gate decide about the original requests of `/v1/verify` and `/v1/ext-authz`: by its routes, policies and pools. The settings
    /// [`verifier`](Self::verifier), [`verifies`](Self::verifies) and [`routes`](Self::routes) then have no use.
    ///
    /// Envoy can also ask over gRPC: `envoy.service.auth.v3.Authorization/Check`, with HTTP/2 and prior knowledge. See `docs/ext-authz-grpc.md`.
    ///
    /// Over HTTP, the response to an admitted request has the headers of the gate's `claims_to_headers`. The proxy makes all other changes itself: if the
    /// application must not receive the token (`tokens.forward`), remove it there.
    ///
    /// # Errors
    ///
    /// Returns [`VerifierError::OneStore`] if only one of the gate and the account flows has a store of revoked tokens.
    pub fn gate(mut self, gate: Gate) -> Result<Self, VerifierError> {
        self = self.verifier(gate.verifier())?;
        self.verifiers = self.verifiers.with_gate(gate.clone());
        self.gate = Some(gate);
        Ok(self)
    }

    /// Sets the token use that `/v1/verify` and `/v1/ext-authz` require, in addition to the pools of the verifier. The default is access tokens
    /// if the verifier is that of the account flows, because it accepts ID tokens too; otherwise, the pools alone decide.
    pub fn verifies(mut self, token_use: TokenUseRule) -> Self {
        self.verifies = Some(token_use);
        self
    }

    /// Sets the requirements of the application's paths. They apply to the original request, which the proxy sends to `/v1/verify` or
    /// `/v1/ext-authz`. With rules, a request to `/v1/verify` that does not name the original request is rejected with 500.
    ///
    /// The default is no rules.
    pub fn routes(mut self, rules: RouteRules) -> Self {
        self.rules = rules;
        self
    }

    /// Stores refresh tokens in a cookie (`HttpOnly; Secure`), which scripts cannot read. They are then not in response bodies, and not
    /// accepted in request bodies. By default, there is no cookie.
    pub fn refresh_cookie(mut self, cookie: RefreshCookie) -> Self {
        self.refresh_cookie = Some(cookie);
        self
    }

    /// Sets the origins, such as `https://app.example.com`, whose scripts may call the account flows with credentials. The default is
    /// none.
    ///
    /// # Errors
    ///
    /// Returns an [`OriginError`] if one of them is not an origin. `*` and `null` are not allowed.
    pub fn cors_origins(mut self, origins: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, OriginError> {
        self.cors = Cors::new(origins)?;
        Ok(self)
    }

    /// Sets the rate limit of each client address. It does not apply to `/v1/verify` and `/v1/ext-authz`. `None` disables it. See
    /// [`RateLimit`] for the default.
    pub fn rate_limit(mut self, limit: Option<RateLimit>) -> Self {
        self.rate_limit = limit;
        self
    }

    /// Sets the header from which the client address is read: a header with one address (`X-Real-IP`), or with a list to which each
    /// proxy appends the address of its peer (`X-Forwarded-For`). The addresses may have ports.
    ///
    /// By default, the client address is that of the connection. Behind a proxy, this is the proxy's address.
    pub fn client_ip_header(mut self, header: HeaderName) -> Self {
        self.client_ip_header = Some(header);
        self
    }

    /// Sets how many of the last entries of that header were written by your proxies. The default is 1: the last entry is the client's
    /// address.
    pub fn trusted_hops(mut self, hops: NonZeroUsize) -> Self {
        self.trusted_hops = hops;
        self
    }

    /// Sets the deadlines of clients and of the shutdown. See [`Deadlines`] for the defaults.
    pub fn deadlines(mut self, deadlines: Deadlines) -> Self {
        self.deadlines = deadlines;
        self
    }

    /// Sets the maximum number of open connections of [`serve`](Self::serve), and separately of
    /// [`serve_operations`](Self::serve_operations). The default is 4,096. Further connections wait in the listener's queue until another one
    /// is closed; the log warns of it, at most once a minute. Each connection needs a file descriptor: set a value that is lower than the
    /// process's limit of open files.
    pub fn max_connections(mut self, max: NonZeroUsize) -> Self {
        self.max_connections = max;
        self
    }

    /// Sets the maximum length of a request body, in bytes. The default is 64 KiB. Longer bodies are rejected with 413.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Returns the OpenAPI document.
    pub fn openapi(&self) -> OpenApi {
        let verify = verify::documented().into_openapi();
        match &self.accounts {
            Some(_) => openapi::document(flows::router().into_openapi().merge_from(verify), true),
            None => openapi::document(verify, false),
        }
    }

    /// Returns the service for clients.
    pub fn router(&self) -> Router {
        let client_address = ClientAddress::new(self.client_ip_header.clone(), self.trusted_hops);
        let limiter = limits::Limiter::new(self.rate_limit, client_address);
        let state = self.state();
        let rest = openapi::router()
            .merge(operations::health())
            .merge(operations::public_metrics())
            .merge(grpc_health::router());
        self.flows()
            .merge(rest.with_state(Arc::clone(&state)))
            .layer(middleware::from_fn_with_state(limiter, limits::limit))
            .merge(verify::router().merge(ext_authz::router()).with_state(Arc::clone(&state)))
            .fallback(problem::not_found)
            .method_not_allowed_fallback(problem::method_not_allowed)
            .layer(middleware::from_fn_with_state(self.cors.clone(), cors::cors))
            .layer(middleware::from_fn(problem::never_stored))
            // The document says itself how long it may be stored.
            .merge(metadata::router().with_state(state))
    }

    /// The account flows. Without them, there is no route.
    fn flows(&self) -> Router {
        let Some(accounts) = &self.accounts else { return Router::new() };
        let (flows, _) = flows::router().split_for_parts();
        flows.layer(DefaultBodyLimit::max(self.body_limit)).with_state(Arc::new(FlowsState {
            accounts: accounts.clone(),
            refresh_cookie: self.refresh_cookie.clone(),
            body_deadline: self.deadlines.body,
        }))
    }

    /// Returns the service for the operator: health checks, all metrics, and the revocation feed if there is a store whose revocations can be
    /// listed. Clients must not reach it, because the counts of account flows reveal whether an account exists.
    pub fn operations_router(&self) -> Router {
        operations::health_with_hints()
            .merge(operations::metrics())
            .merge(revocation_feed::router())
            .fallback(problem::not_found)
            .with_state(self.state())
    }

    /// Serves clients until `shutdown` is ready, and then until all requests in progress have finished or [`Deadlines::shutdown`] has
    /// passed.
    pub async fn serve(&self, listener: TcpListener, shutdown: impl Future<Output = ()> + Send) {
        serving::serve(listener, self.router(), self.deadlines, self.max_connections, shutdown).await;
    }

    /// Like [`serve`](Self::serve), but serves the operator.
    pub async fn serve_operations(&self, listener: TcpListener, shutdown: impl Future<Output = ()> + Send) {
        serving::serve(listener, self.operations_router(), self.deadlines, self.max_connections, shutdown).await;
    }

    /// Fetches the missing key sets of all verifiers, and waits for the fetches, as [`Verifier::hydrate`] does.
    ///
    /// # Errors
    ///
    /// Returns a [`Denial`] (503) if a sandbox fails or no instance is free in time.
    pub async fn hydrate(&self) -> Result<Vec<KeyReport>, Denial> {
        self.verifiers.hydrate().await
    }

    /// Shuts all verifiers down, as [`Verifier::shut_down`] does. Call it after [`serve`](Self::serve) has ended.
    pub async fn shut_down(&self) {
        self.verifiers.shut_down().await;
    }

    fn state(&self) -> Arc<GatewayState> {
        // The verifier of the account flows accepts ID tokens too, because a sign-in returns them.
        let is_shared = self.accounts.is_some() && !self.verifiers.are_two();
        let default = if is_shared { TokenUseRule::Access } else { TokenUseRule::Unchecked };
        Arc::new(GatewayState {
            verifiers: self.verifiers.clone(),
            gate: self.gate.clone(),
            verifies: self.verifies.unwrap_or(default),
            routes: self.rules.table(),
            body_deadline: self.deadlines.body,
            // Serializing a document of utoipa does not fail.
            openapi: serde_json::to_vec(&self.openapi()).unwrap_or_default().into(),
        })
    }
}
