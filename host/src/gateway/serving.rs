//! Serves connections, with deadlines for slow clients and a limit on the number of connections.

use super::{
    exchanges::{Abandoned, Answer, Exchanges},
    once_a_minute::OnceAMinute,
};
use axum::{Router, body::Body, extract::ConnectInfo, serve::Listener};
use hyper::{Request, Version, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use std::{
    convert::Infallible,
    future::pending,
    net::SocketAddr,
    num::NonZeroUsize,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_io_timeout::TimeoutStream;
use tower_service::Service;

/// The maximum number of headers of a request; hyper's default is 100. A request with more gets 431.
const MAX_HEADERS: usize = 256;
/// The maximum size of the headers of a request over HTTP/2, in bytes, counted as in RFC 9113 section 6.5.2. By default, Envoy accepts 60 KiB from
/// its clients. A request with more gets 431.
const MAX_HEADER_LIST: u32 = 64 * 1024;
/// The maximum number of requests in progress on an HTTP/2 connection. The client waits with further ones (RFC 9113 section 5.1.2).
const MAX_STREAMS: u32 = 200;

/// The deadlines of clients and of the shutdown.
///
/// # Defaults
///
/// `first_head` is 10 seconds, `head` is 75 seconds, `body` is 30 seconds, `shutdown` is 25 seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// The maximum time from the start of a connection until the head of its first request has been read. If `head` is shorter, it applies
    /// instead. A load balancer that opens connections in advance needs a longer time.
    pub first_head: Duration,
    /// The maximum time from the end of the previous response until the head of the next request has been read. An idle connection is closed
    /// after this time. Set it higher than the idle timeout of a load balancer in front.
    pub head: Duration,
    /// The maximum time from the head of a request until its body has been read; the response is then 408. Also the maximum time
    /// during which the client may read nothing of a response; the connection is then closed. Over HTTP/2, a response must have been read as a whole
    /// before twice this time.
    pub body: Duration,
    /// The maximum time from the start of the shutdown until all connections are closed. Requests that are still in progress are then
    /// cut off. The default leaves time within the 30 seconds that Kubernetes grants by default.
    pub shutdown: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            first_head: Duration::from_secs(10),
            head: Duration::from_secs(75),
            body: Duration::from_secs(30),
            shutdown: Duration::from_secs(25),
        }
    }
}

/// Serves until `shutdown` is ready, and then until all requests in progress have finished or the deadline has passed.
///
/// While `max_connections` connections are open, further ones wait in the listener's queue.
pub(crate) async fn serve(
    mut listener: TcpListener,
    router: Router,
    deadlines: Deadlines,
    max_connections: NonZeroUsize,
    shutdown: impl Future<Output = ()> + Send,
) {
    let (stop, stopping) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    let full = OnceAMinute::new();
    loop {
        let is_full = connections.len() >= max_connections.get();
        if is_full && full.is_due() {
            tracing::warn!(
                %max_connections,
                hint = "raise --max-connections and the limit of open files, or let the proxy reuse connections",
                "the maximum number of connections is open; further ones wait"
            );
        }
        tokio::select! {
            (stream, address) = Listener::accept(&mut listener), if !is_full => {
                connections.spawn(connection(stream, address, router.clone(), deadlines, stopping.clone()));
            }
            Some(_) = connections.join_next() => {}
            () = &mut shutdown => break,
        }
    }
    drop(listener);
    stop.send_replace(());
    let ended = async { while connections.join_next().await.is_some() {} };
    if timeout(deadlines.shutdown, ended).await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "the shutdown deadline has passed; the remaining connections are closed"
        );
        connections.shutdown().await;
    }
}

/// Serves one connection over HTTP/1, or over HTTP/2 if the client starts with its preface, until the client closes it, a deadline passes, or the
/// server stops.
async fn connection(
    stream: TcpStream,
    address: SocketAddr,
    router: Router,
    deadlines: Deadlines,
    mut stopping: watch::Receiver<()>,
) {
    let has_request = Arc::new(AtomicBool::new(false));
    let received = Arc::clone(&has_request);
    let exchanges = Exchanges::new();
    let counted = Arc::clone(&exchanges);
    let service = service_fn(move |mut request: Request<Incoming>| {
        received.store(true, Ordering::Relaxed);
        let exchange = (request.version() == Version::HTTP_2).then(|| counted.begin());
        request.extensions_mut().insert(ConnectInfo(address));
        // `Router` is always ready, so there is no need to poll it.
        let response = router.clone().call(request.map(Body::new));
        async move {
            let response = response.await?;
            Ok::<_, Infallible>(response.map(|body| match exchange {
                Some(exchange) => exchange.answered(body),
                None => Answer::from(body),
            }))
        }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(deadlines.head).max_headers(MAX_HEADERS);
    builder.http2().timer(TokioTimer::new()).max_header_list_size(MAX_HEADER_LIST).max_concurrent_streams(MAX_STREAMS);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(deadlines.body));
    let mut served = pin!(builder.serve_connection(TokioIo::new(Box::pin(stream)), service));
    // hyper has one deadline for the heads of all requests of a connection, and none while it does not know the version of HTTP.
    let first_is_late = async {
        sleep(deadlines.first_head.min(deadlines.head)).await;
        if has_request.load(Ordering::Relaxed) {
            pending::<()>().await;
        }
    };
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = first_is_late => {
            tracing::debug!("a connection without a request is closed");
            return;
        }
        abandoned = exchanges.is_abandoned(deadlines.head, deadlines.body) => match abandoned {
            Abandoned::Idle => {
                // The client learns which of its requests have not been received (RFC 9113 section 6.8).
                served.as_mut().graceful_shutdown();
                match timeout(deadlines.body, served.as_mut()).await {
                    Ok(ended) => ended,
                    Err(_) => return,
                }
            }
            Abandoned::Unread => {
                tracing::debug!("a connection whose client does not read a response is closed");
                return;
            }
        },
        // An error means that the sender was dropped, and the server is stopping.
        _ = stopping.changed() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
