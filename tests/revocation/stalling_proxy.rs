//! A TCP proxy that simulates network failures: it stops forwarding, closes connections, or drops their traffic.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

pub struct StallingProxy {
    pub port: u16,
    state: watch::Sender<State>,
    connections: Arc<AtomicUsize>,
}

/// Connections are numbered from 1.
#[derive(Clone, Copy, Default)]
struct State {
    stalls: bool,
    /// Connections up to this number are closed.
    closed: usize,
    /// Nothing is forwarded on connections up to this number, and they stay open.
    dropped: usize,
}

impl StallingProxy {
    /// Starts a proxy to a local port.
    pub async fn start(upstream: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (state, seen) = watch::channel(State::default());
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let number = count.fetch_add(1, Ordering::SeqCst) + 1;
                let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, upstream)).await else { continue };
                let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
                tokio::spawn(forward(from_client, to_server, number, seen.clone()));
                tokio::spawn(forward(from_server, to_client, number, seen.clone()));
            }
        });
        Self { port, state, connections }
    }

    /// Stops forwarding, or resumes it.
    pub fn stall(&self, stalls: bool) {
        self.state.send_modify(|state| state.stalls = stalls);
    }

    /// Closes all current connections, as a load balancer closes idle ones.
    pub fn close(&self) {
        self.state.send_modify(|state| state.closed = self.connections());
    }

    /// Stops forwarding on all current connections and keeps them open, like a NAT that has dropped their state.
    pub fn drop_state(&self) {
        self.state.send_modify(|state| state.dropped = self.connections());
    }

    /// Returns the number of connections so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, number: usize, mut state: watch::Receiver<State>) {
    let mut closing = state.clone();
    let pass = async {
        let mut bytes = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut bytes).await {
            if state.borrow().dropped >= number {
                continue;
            }
            let is_over = state.wait_for(|state| !state.stalls).await.is_err();
            if is_over || to.write_all(&bytes[..length]).await.is_err() {
                return;
            }
        }
    };
    let closed = async { closing.wait_for(|state| state.closed >= number).await.map(|_| ()) };
    tokio::select! {
        () = pass => {}
        _ = closed => {}
    }
}
