//! Rate limiting: one token bucket per client address, checked before the body is read.

use super::client_address::ClientAddress;
use crate::problem_response::ProblemResponse;
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use governor::{Quota, RateLimiter, clock::Clock, clock::DefaultClock, state::keyed::DefaultKeyedStateStore};
use std::{
    net::{IpAddr, Ipv4Addr},
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

/// The number of requests after which idle addresses are removed.
const SWEEP_EVERY: u32 = 4_096;
/// The maximum number of addresses with a separate bucket. While it is reached, all clients share one bucket, so memory is bounded.
const ADDRESSES: usize = 100_000;

/// The rate limit of one client address. All addresses of an IPv6 /64 network share a limit.
///
/// The default is 10 requests per second with a burst of 50. A request above the limit is rejected with 429 and `Retry-After`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// The sustained rate, in requests per second.
    pub per_second: NonZeroU32,
    /// The number of requests that may arrive at once.
    pub burst: NonZeroU32,
}

impl Default for RateLimit {
    fn default() -> Self {
        fn number(number: u32) -> NonZeroU32 {
            NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
        }
        Self { per_second: number(10), burst: number(50) }
    }
}

type Buckets = RateLimiter<IpAddr, DefaultKeyedStateStore<IpAddr>, DefaultClock>;

#[derive(Clone)]
pub(crate) struct Limiter {
    buckets: Option<Arc<Buckets>>,
    client_address: ClientAddress,
    requests: Arc<AtomicU32>,
}

impl Limiter {
    pub(crate) fn new(limit: Option<RateLimit>, client_address: ClientAddress) -> Self {
        let quota = |limit: RateLimit| Quota::per_second(limit.per_second).allow_burst(limit.burst);
        let buckets = limit.map(|limit| Arc::new(RateLimiter::keyed(quota(limit))));
        Self { buckets, client_address, requests: Arc::new(AtomicU32::new(0)) }
    }
}

pub(crate) async fn limit(State(limiter): State<Limiter>, request: Request, next: Next) -> Response {
    let Some(buckets) = &limiter.buckets else {
        return next.run(request).await;
    };
    if limiter.requests.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
        buckets.retain_recent();
        buckets.shrink_to_fit();
    }
    let address = match buckets.len() < ADDRESSES {
        true => limiter.client_address.of(&request),
        false => IpAddr::V4(Ipv4Addr::BROADCAST),
    };
    match buckets.check_key(&address) {
        Ok(()) => next.run(request).await,
        Err(early) => ProblemResponse::too_often(early.wait_time_from(DefaultClock::default().now())).into_response(),
    }
}
