//! Connections, and how long one may keep the server waiting.

use axum::{Router, body::Body, extract::ConnectInfo, serve::Listener};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{io, net::SocketAddr, pin::Pin, pin::pin, task::Context, task::Poll, task::ready, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{Sleep, sleep, timeout},
};
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
    let stream = TokioIo::new(WriteDeadline { stream, longest: deadlines.body, until: None });
    let mut served = pin!(builder.serve_connection(stream, service));
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

/// A connection that fails with `TimedOut` when its peer takes nothing of what is written to it for too long.
struct WriteDeadline {
    stream: TcpStream,
    longest: Duration,
    until: Option<Pin<Box<Sleep>>>,
}

impl WriteDeadline {
    fn bounded<T>(&mut self, context: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.until = None;
            return polled;
        }
        let longest = self.longest;
        ready!(self.until.get_or_insert_with(|| Box::pin(sleep(longest))).as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for WriteDeadline {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for WriteDeadline {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.bounded(context, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.bounded(context, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
