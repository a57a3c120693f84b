//! An address that is known before the server behind it starts, as that of a load balancer: the configuration names it.

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

pub struct Front {
    pub url: String,
    listener: Option<TcpListener>,
    server: Option<JoinHandle<()>>,
}

impl Drop for Front {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}

impl Front {
    pub async fn bind() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        Self { url, listener: Some(listener), server: None }
    }

    /// Passes all connections on to this server.
    pub fn pass_to(&mut self, url: &str) {
        let (listener, target) = (self.listener.take().expect("it passes to one server"), url.to_owned());
        let target = target.trim_start_matches("http://").to_owned();
        self.server = Some(tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let target = target.clone();
                tokio::spawn(async move {
                    if let Ok(mut server) = TcpStream::connect(target).await {
                        // A connection that ends is not an error.
                        let _ = copy_bidirectional(&mut client, &mut server).await;
                    }
                });
            }
        }));
    }
}
