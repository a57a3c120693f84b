//! How often one client may ask: a token bucket an address, before anything is read.

use super::client_address::ClientAddress;
use crate::refusal::Refused;
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

/// After so many requests the addresses that have been quiet are forgotten.
const SWEEP_EVERY: u32 = 4_096;
/// More addresses than this share one bucket: memory is bounded, whoever asks.
const ADDRESSES: usize = 100_000;

/// So many requests a second from one address (of IPv6, one /64), after so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests a second.
    pub per_second: NonZeroU32,
    /// Requests at once.
    pub burst: NonZeroU32,
}

impl Default for RateLimit {
    /// 10 a second, 50 at once.
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
    asked: Arc<AtomicU32>,
}

impl Limiter {
    pub(crate) fn new(limit: Option<RateLimit>, client_address: ClientAddress) -> Self {
        let quota = |limit: RateLimit| Quota::per_second(limit.per_second).allow_burst(limit.burst);
        let buckets = limit.map(|limit| Arc::new(RateLimiter::keyed(quota(limit))));
        Self { buckets, client_address, asked: Arc::new(AtomicU32::new(0)) }
    }
}

pub(crate) async fn limit(State(limiter): State<Limiter>, request: Request, next: Next) -> Response {
    let Some(buckets) = &limiter.buckets else {
        return next.run(request).await;
    };
    if limiter.asked.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
        buckets.retain_recent();
        buckets.shrink_to_fit();
    }
    let address = match buckets.len() < ADDRESSES {
        true => limiter.client_address.of(&request),
        false => IpAddr::V4(Ipv4Addr::BROADCAST),
    };
    match buckets.check_key(&address) {
        Ok(()) => next.run(request).await,
        Err(early) => Refused::too_often(early.wait_time_from(DefaultClock::default().now())).into_response(),
    }
}
