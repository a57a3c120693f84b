//! Connections, and how long one may keep the server waiting.

use axum::{Router, body::Body, extract::ConnectInfo, serve::Listener};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{net::SocketAddr, pin::pin, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::timeout,
};
use tokio_io_timeout::TimeoutStream;
use tower_service::Service;

/// How long a client may take, and how long requests under way may take once the server is asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// From the start of a connection, or the end of the answer before, until a whole request head has been read. A connection that
    /// is idle for so long is closed, so it must be longer than the idle timeout of a load balancer in front. 75 seconds by default.
    pub head: Duration,
    /// From the head of a request until its whole body has been read (408 after that), and between two moments at which the client
    /// takes some of an answer. 30 seconds by default.
    pub body: Duration,
    /// From the request to stop until every connection is closed, whatever is still under way. 25 seconds by default, so that the
    /// process ends by itself within the 30 seconds that Kubernetes grants.
    pub shutdown: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { head: Duration::from_secs(75), body: Duration::from_secs(30), shutdown: Duration::from_secs(25) }
    }
}

/// Serves until `shutdown` is ready, and then until every request under way is answered or the deadline has passed.
pub(crate) async fn serve(
    mut listener: TcpListener,
    router: Router,
    deadlines: Deadlines,
    shutdown: impl Future<Output = ()> + Send,
) {
    let (stop, stopping) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            (stream, address) = Listener::accept(&mut listener) => {
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
        tracing::warn!(connections = connections.len(), "the shutdown deadline has passed: connections are cut off");
        connections.shutdown().await;
    }
}

/// Until the client closes it, is too slow, or the server stops.
async fn connection(
    stream: TcpStream,
    address: SocketAddr,
    router: Router,
    deadlines: Deadlines,
    mut stopping: watch::Receiver<()>,
) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(address));
        // A router is always ready.
        router.clone().call(request.map(Body::new))
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(deadlines.head);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(deadlines.body));
    let mut served = pin!(builder.serve_connection(TokioIo::new(Box::pin(stream)), service));
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        // An error means that the server is gone.
        _ = stopping.changed() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection has ended early");
    }
}
