//! The gateway on loopback ports of a test's own. Each test that needs it includes this file.

use poolgate::gateway::Gateway;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// A gateway that serves; [`Served::stop`] ends it in good order.
pub struct Served {
    /// Where the public is served, without a slash at the end.
    pub public: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Served {
    /// Asks it to stop, and waits until it has answered everything.
    pub async fn stop(self) {
        // It has gone already if nobody listens.
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
