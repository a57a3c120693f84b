//! A gateway on loopback ports. Each test that needs it includes this file.

use poolgate::gateway::Gateway;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// A running gateway. [`Served::stop`] shuts it down.
pub struct Served {
    /// The URL for clients, without a trailing slash.
    pub public: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Served {
    /// Starts the shutdown, and waits until all requests have finished.
    pub async fn stop(self) {
        // The gateway has already ended if the receiver is gone.
        let _ = self.stop.send(());
        self.task.await.expect("no panic");
    }
}

pub async fn serve(gateway: Gateway) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
    let public = format!("http://{}", listener.local_addr().expect("an address"));
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(async move {
        let until = async { stopped.await.unwrap_or_default() };
        gateway.serve(listener, until).await;
    });
    Served { public, stop, task }
}
