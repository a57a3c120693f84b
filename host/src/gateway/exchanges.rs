//! The requests of one HTTP/2 connection, so that it is closed when the client is idle or reads nothing.
//!
//! hyper has these deadlines for HTTP/1 only. Over HTTP/2, a client can keep a connection without a request, and it can refuse to read a response
//! although the connection itself is read: each stream has a window of its own (RFC 9113 section 5.2).

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};

/// The requests of one connection.
pub(crate) struct Exchanges {
    connected_at: Instant,
    /// Has a permit once there was a request.
    begun: Notify,
    open: AtomicUsize,
    /// When the last response ended, in milliseconds since the start of the connection.
    ended_at: AtomicU64,
    /// Every response that began in the same period holds this.
    period: Mutex<Arc<()>>,
}

impl Exchanges {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            connected_at: Instant::now(),
            begun: Notify::new(),
            open: AtomicUsize::new(0),
            ended_at: AtomicU64::new(0),
            period: Mutex::default(),
        })
    }

    /// A request begins. It ends when the returned value is dropped.
    pub(crate) fn begin(self: &Arc<Self>) -> Exchange {
        self.open.fetch_add(1, Ordering::Relaxed);
        self.begun.notify_one();
        Exchange { exchanges: Arc::clone(self), period: None }
    }

    /// Completes when the client has no request for this time, or does not read a response. Of a response, it must read everything within `unread`;
    /// that it did not is noticed before twice that time.
    pub(crate) async fn is_abandoned(&self, idle: Duration, unread: Duration) -> Abandoned {
        self.begun.notified().await;
        tokio::select! {
            () = self.is_idle(idle) => Abandoned::Idle,
            () = self.is_unread(unread) => Abandoned::Unread,
        }
    }

    async fn is_idle(&self, limit: Duration) {
        loop {
            let quiet = match self.open.load(Ordering::Acquire) {
                0 => self
                    .connected_at
                    .elapsed()
                    .saturating_sub(Duration::from_millis(self.ended_at.load(Ordering::Relaxed))),
                _ => Duration::ZERO,
            };
            if quiet >= limit {
                return;
            }
            sleep(limit - quiet).await;
        }
    }

    async fn is_unread(&self, period: Duration) {
        let mut last = Arc::default();
        loop {
            sleep(period).await;
            // The responses of the last period hold the other references.
            if Arc::strong_count(&last) > 1 {
                return;
            }
            last = std::mem::take(&mut *self.period.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

/// Why a connection is closed.
pub(crate) enum Abandoned {
    Idle,
    Unread,
}

/// A request, until its response has been sent.
pub(crate) struct Exchange {
    exchanges: Arc<Exchanges>,
    period: Option<Arc<()>>,
}

impl Exchange {
    /// The response is known; the client must read it from now on.
    pub(crate) fn answered(mut self, body: Body) -> Answer {
        self.period = Some(Arc::clone(&self.exchanges.period.lock().unwrap_or_else(PoisonError::into_inner)));
        Answer { body, _exchange: Some(self) }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let now = u64::try_from(self.exchanges.connected_at.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.exchanges.ended_at.store(now, Ordering::Relaxed);
        self.exchanges.open.fetch_sub(1, Ordering::Release);
    }
}

/// The body of a response. It is dropped when it has been sent, or when the client has reset the stream.
pub(crate) struct Answer {
    body: Body,
    _exchange: Option<Exchange>,
}

impl From<Body> for Answer {
    /// Of a connection whose requests are not counted.
    fn from(body: Body) -> Self {
        Self { body, _exchange: None }
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::timeout;

    const SECOND: Duration = Duration::from_secs(1);

    async fn is_abandoned_within(exchanges: &Exchanges, limit: Duration) -> bool {
        timeout(limit, exchanges.is_abandoned(10 * SECOND, 3 * SECOND)).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_from_the_end_of_its_last_response() {
        let exchanges = Exchanges::new();
        // The first request has a deadline of its own.
        assert!(!is_abandoned_within(&exchanges, 100 * SECOND).await);
        let exchange = exchanges.begin();
        let waiting = tokio::spawn({
            let exchanges = Arc::clone(&exchanges);
            async move {
                exchanges.is_abandoned(10 * SECOND, 3 * SECOND).await;
                Instant::now()
            }
        });
        // A request may be decided slowly.
        sleep(25 * SECOND).await;
        drop(exchange.answered(Body::from("ok")));
        let ended = Instant::now();
        let closed = waiting.await.expect("no panic");
        let quiet = closed - ended;
        assert!(quiet >= 10 * SECOND && quiet < 11 * SECOND, "{quiet:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_response_that_is_not_read_is_noticed_among_others_that_are() {
        let exchanges = Exchanges::new();
        let unread = exchanges.begin().answered(Body::from("unread"));
        let busy = async {
            loop {
                drop(exchanges.begin().answered(Body::from("read")));
                sleep(SECOND / 10).await;
            }
        };
        tokio::select! {
            abandoned = timeout(7 * SECOND, exchanges.is_abandoned(10 * SECOND, 3 * SECOND)) => {
                assert!(matches!(abandoned, Ok(Abandoned::Unread)));
            }
            () = busy => {}
        }
        drop(unread);
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_connection_stays_open() {
        let exchanges = Exchanges::new();
        let busy = async {
            loop {
                let answer = exchanges.begin().answered(Body::from("read"));
                sleep(2 * SECOND).await;
                drop(answer);
            }
        };
        tokio::select! {
            is_abandoned = is_abandoned_within(&exchanges, 100 * SECOND) => assert!(!is_abandoned),
            () = busy => {}
        }
    }
}
