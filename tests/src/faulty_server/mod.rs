//! A real HTTP server on a loopback port that serves JWK Sets, and misbehaves on command.
//!
//! It is written on plain sockets because no well-kept server lets itself be told to break the protocol.

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

/// What the server does with a request.
#[derive(Clone, Debug)]
pub enum Behaviour {
    /// 200 with this body as `application/json`.
    Serve(String),
    /// 200 with this body and these headers.
    ServeWith(String, Vec<(&'static str, String)>),
    /// 200 with an `ETag`, or 304 to who has it already.
    Tagged(String, &'static str),
    /// This status, with the body of a good set.
    Status(u16, String),
    /// 302 to this URL, with the body of a good set.
    Redirect(String, String),
    /// 200 with this body as this content type.
    Typed(&'static str, String),
    /// Half of the body, and then a reset of the connection.
    ResetMidway(String),
    /// Half of the body, and then the end of the connection.
    CloseMidway(String),
    /// The request is read and never answered.
    Stall,
    /// Half of the body, and then nothing more.
    StallMidway(String),
    /// 200 and the head; then nothing for so long; then the body.
    Pausing(String, Duration),
    /// 200 and the body in two chunks, without its length.
    Chunked(String),
    /// A byte of the body each time.
    Drip(String, Duration),
    /// 200 and so many bytes of body.
    Huge(u64),
    /// Few bytes that a client which undoes gzip makes 100 MB of.
    GzipBomb,
    /// One after the other; the last one stays.
    InTurn(Vec<Behaviour>),
    /// Waits for [`FaultyServer::release`], and then does this.
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
    /// The requests that came, by path.
    requests: Mutex<HashMap<String, usize>>,
    last_request: Mutex<Option<Request>>,
    count: watch::Sender<usize>,
    released: watch::Sender<bool>,
    bytes_sent: Mutex<u64>,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// The path.
    pub path: String,
    /// The headers, their names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Request {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

impl FaultyServer {
    /// Starts on a port that the system chooses.
    ///
    /// # Panics
    /// If there is none.
    pub async fn start(behaviour: Behaviour) -> Self {
        Self::start_with(behaviour, None).await
    }

    /// The same over TLS.
    ///
    /// # Panics
    /// If there is no port.
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

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The URL of a path. Every path is served.
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://localhost:{}{path}", self.address.port())
    }

    /// What is done from now on.
    pub fn now_does(&self, behaviour: Behaviour) {
        locked(&self.state.behaviours).insert(None, behaviour);
    }

    /// What is done from now on at one path.
    pub fn path_does(&self, path: &str, behaviour: Behaviour) {
        locked(&self.state.behaviours).insert(Some(path.to_owned()), behaviour);
    }

    /// Lets the requests go on that are held.
    pub fn release(&self) {
        self.state.released.send_replace(true);
    }

    /// How many requests came.
    pub fn fetches(&self) -> usize {
        locked(&self.state.requests).values().sum()
    }

    /// How many came for a path.
    pub fn fetches_of(&self, path: &str) -> usize {
        locked(&self.state.requests).get(path).copied().unwrap_or(0)
    }

    /// The last request.
    pub fn last_request(&self) -> Option<Request> {
        locked(&self.state.last_request).clone()
    }

    /// How many bytes of large bodies were sent.
    pub fn bytes_sent(&self) -> u64 {
        *locked(&self.state.bytes_sent)
    }

    /// Waits until so many requests have come.
    ///
    /// # Panics
    /// If they have not come in half a minute.
    pub async fn wait_for_fetches(&self, count: usize) {
        let mut news = self.state.count.subscribe();
        let came = timeout(Duration::from_secs(30), news.wait_for(|came| *came >= count)).await;
        assert!(came.is_ok(), "{} requests came, and not {count}", self.fetches());
    }

    /// Refuses connections from now on, and drops those that there are.
    ///
    /// # Panics
    /// If the listener can't be stopped.
    pub async fn stop_listening(&self) {
        let listening = locked(&self.listening).take();
        if let Some(task) = listening {
            task.abort();
            assert!(task.await.is_err_and(|error| error.is_cancelled()), "the listener has ended by itself");
        }
    }

    /// Listens again on the same port.
    ///
    /// # Panics
    /// If another process has taken it.
    pub async fn listen_again(&self) {
        self.listen_on(TcpListener::bind(self.address).await.expect("the port is still free"));
    }

    fn listen_on(&self, listener: TcpListener) {
        let (state, tls) = (Arc::clone(&self.state), self.tls.clone());
        let task = tokio::spawn(async move {
            // Dropped with the listener, and with it every connection.
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

/// One request, one answer. Errors are the client's going away.
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

/// Whether the connection is to be reset.
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
    /// Counts a request, and says what to do with it.
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
