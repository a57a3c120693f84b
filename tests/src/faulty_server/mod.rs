//! An HTTP server on a loopback port that serves JWK Sets and simulates failures.
//!
//! It uses plain sockets, because HTTP server libraries do not allow violations of the protocol.

mod answer;
mod tls;

pub use tls::Certificate;

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

/// How the server responds to a request.
#[derive(Clone, Debug)]
pub enum Behaviour {
    /// 200 with this body as `application/json`.
    Serve(String),
    /// 200 with this body and these headers.
    ServeWith(String, Vec<(&'static str, String)>),
    /// 200 with an `ETag`, or 304 if the request has this `ETag`.
    Tagged(String, &'static str),
    /// This status, with a valid key set as the body.
    Status(u16, String),
    /// 302 to this URL, with a valid key set as the body.
    Redirect(String, String),
    /// 200 with this content type and body.
    Typed(&'static str, String),
    /// Half of the body, and then a connection reset.
    ResetMidway(String),
    /// Half of the body, and then the end of the connection.
    CloseMidway(String),
    /// The request is read, and there is no response.
    Stall,
    /// Half of the body, and then nothing more.
    StallMidway(String),
    /// 200 and the headers, then a pause of this length, then the body.
    Pausing(String, Duration),
    /// 200 and the body in two chunks, without its length.
    Chunked(String),
    /// One byte of the body per interval.
    Drip(String, Duration),
    /// 200 and a body of this many bytes.
    Huge(u64),
    /// A few bytes that decompress to 100 MB.
    GzipBomb,
    /// One after the other. The last one is repeated.
    InTurn(Vec<Behaviour>),
    /// Waits for [`FaultyServer::release`], and then responds like this.
    Held(Box<Behaviour>),
}

/// The server. It stops when it is dropped.
pub struct FaultyServer {
    address: SocketAddr,
    state: Arc<State>,
    listening: Mutex<Option<JoinHandle<()>>>,
    tls: Option<TlsAcceptor>,
}

struct State {
    behaviours: Mutex<HashMap<Option<String>, Behaviour>>,
    /// The received requests, by path.
    requests: Mutex<HashMap<String, usize>>,
    last_request: Mutex<Option<Request>>,
    count: watch::Sender<usize>,
    released: watch::Sender<bool>,
    bytes_sent: Mutex<u64>,
}

/// A received request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The path.
    pub path: String,
    /// The headers, their names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Request {
    /// Returns the value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

impl FaultyServer {
    /// Starts on a free port.
    ///
    /// # Panics
    /// Panics if there is none.
    pub async fn start(behaviour: Behaviour) -> Self {
        Self::start_with(behaviour, None).await
    }

    /// Starts on a free port, with TLS.
    ///
    /// # Panics
    /// Panics if there is none.
    pub async fn start_tls(behaviour: Behaviour, certificate: &Certificate) -> Self {
        Self::start_with(behaviour, Some(certificate.acceptor())).await
    }

    async fn start_with(behaviour: Behaviour, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a loopback port");
        let server = Self {
            address: listener.local_addr().expect("an address"),
            state: Arc::new(State {
                behaviours: Mutex::new(HashMap::from([(None, behaviour)])),
                requests: Mutex::default(),
                last_request: Mutex::default(),
                count: watch::channel(0).0,
                released: watch::channel(false).0,
                bytes_sent: Mutex::default(),
            }),
            listening: Mutex::default(),
            tls,
        };
        server.listen_on(listener);
        server
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Returns the URL of a path. Every path is served.
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://localhost:{}{path}", self.address.port())
    }

    /// Sets the behaviour for all paths.
    pub fn now_does(&self, behaviour: Behaviour) {
        locked(&self.state.behaviours).insert(None, behaviour);
    }

    /// Sets the behaviour for one path.
    pub fn path_does(&self, path: &str, behaviour: Behaviour) {
        locked(&self.state.behaviours).insert(Some(path.to_owned()), behaviour);
    }

    /// Continues the requests that are held.
    pub fn release(&self) {
        self.state.released.send_replace(true);
    }

    /// Returns the number of requests.
    pub fn fetches(&self) -> usize {
        locked(&self.state.requests).values().sum()
    }

    /// Returns the number of requests for a path.
    pub fn fetches_of(&self, path: &str) -> usize {
        locked(&self.state.requests).get(path).copied().unwrap_or(0)
    }

    /// Returns the last request.
    pub fn last_request(&self) -> Option<Request> {
        locked(&self.state.last_request).clone()
    }

    /// Returns the number of bytes of large bodies that were sent.
    pub fn bytes_sent(&self) -> u64 {
        *locked(&self.state.bytes_sent)
    }

    /// Waits until this many requests have been received.
    ///
    /// # Panics
    /// Panics after half a minute.
    pub async fn wait_for_fetches(&self, count: usize) {
        let mut news = self.state.count.subscribe();
        let came = timeout(Duration::from_secs(30), news.wait_for(|came| *came >= count)).await;
        assert!(came.is_ok(), "{} requests came, and not {count}", self.fetches());
    }

    /// Stops accepting connections, and closes the existing ones.
    ///
    /// # Panics
    /// Panics if the listener cannot be stopped.
    pub async fn stop_listening(&self) {
        let listening = locked(&self.listening).take();
        if let Some(task) = listening {
            task.abort();
            assert!(task.await.is_err_and(|error| error.is_cancelled()), "the listener has ended by itself");
        }
    }

    /// Accepts connections again, on the same port.
    ///
    /// # Panics
    /// Panics if another process has taken the port.
    pub async fn listen_again(&self) {
        self.listen_on(TcpListener::bind(self.address).await.expect("the port is still free"));
    }

    fn listen_on(&self, listener: TcpListener) {
        let (state, tls) = (Arc::clone(&self.state), self.tls.clone());
        let task = tokio::spawn(async move {
            // It is dropped with the listener, which closes every connection.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(connection(stream, tls.clone(), Arc::clone(&state)));
                while connections.try_join_next().is_some() {}
            }
        });
        *locked(&self.listening) = Some(task);
    }
}

impl Drop for FaultyServer {
    fn drop(&mut self) {
        if let Some(task) = locked(&self.listening).take() {
            task.abort();
        }
    }
}

/// Reads a request and responds. An error means that the client has closed the connection.
async fn connection(mut stream: TcpStream, tls: Option<TlsAcceptor>, state: Arc<State>) {
    let is_reset = match tls {
        None => request(&mut stream, &state).await.unwrap_or(false),
        Some(acceptor) => {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let _ = request(&mut stream, &state).await;
            }
            return;
        }
    };
    if is_reset {
        let _ = stream.set_zero_linger();
    }
}

/// Returns whether the connection must be reset.
async fn request<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, state: &State) -> std::io::Result<bool> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let request = parse(&String::from_utf8_lossy(&head));
    let behaviour = state.note(request.clone());
    answer::give(stream, behaviour, &request, state).await
}

fn parse(head: &str) -> Request {
    let mut lines = head.lines();
    let path = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
    let headers = lines.filter_map(|line| line.split_once(": "));
    Request { path, headers: headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect() }
}

impl State {
    /// Counts a request, and returns the behaviour for it.
    fn note(&self, request: Request) -> Behaviour {
        let mut behaviours = locked(&self.behaviours);
        let own = Some(request.path.clone());
        let key = if behaviours.contains_key(&own) { own } else { None };
        let behaviour = match behaviours.get_mut(&key) {
            Some(Behaviour::InTurn(turns)) if turns.len() > 1 => turns.remove(0),
            Some(Behaviour::InTurn(turns)) => turns[0].clone(),
            Some(other) => other.clone(),
            None => Behaviour::Stall,
        };
        drop(behaviours);
        *locked(&self.requests).entry(request.path.clone()).or_default() += 1;
        *locked(&self.last_request) = Some(request);
        self.count.send_modify(|count| *count += 1);
        behaviour
    }

    fn count_bytes(&self, bytes: usize) {
        *locked(&self.bytes_sent) += bytes as u64;
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
