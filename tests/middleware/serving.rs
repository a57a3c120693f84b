//! A server of `wasi:http` components, built like `wasmtime serve` from `wasmtime-wasi-http` and its `ProxyHandler`.

use http_body_util::BodyExt;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{net::TcpListener, task::JoinHandle, time::Sleep};
use wasmtime::{
    Config, Engine, Store, StoreContextMut,
    component::{Component, Linker, ResourceTable},
};
use wasmtime_wasi::{HostWallClock, WasiCtx, WasiCtxView, WasiView, p2::pipe::MemoryOutputPipe};
use wasmtime_wasi_http::{
    WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpView,
    handler::{HandlerState, Instance, Proxy, ProxyHandler, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus},
    p3::bindings::ServicePre,
};

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    Engine::new(&config).expect("an engine")
});

/// Compiles a component.
pub fn compiled(component: &[u8]) -> Component {
    Component::new(&ENGINE, component).expect("the component compiles")
}

/// Long enough for every head of the corpus, so that the middleware rejects tokens that are too long.
const LONG: usize = 4 << 20;

/// How a server uses instances.
#[derive(Clone, Copy)]
pub enum Instances {
    /// One instance handles all requests concurrently.
    One,
    /// A new instance handles each request.
    OneARequest,
}

/// A running server. It stops when it is dropped.
pub struct Serving {
    pub url: String,
    state: Arc<State>,
    server: JoinHandle<()>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.server.abort();
    }
}

struct State {
    service: ServicePre<Host>,
    instances: Instances,
    started: AtomicUsize,
    /// In seconds since the Unix epoch. 0 means the system's time.
    now: Arc<AtomicU64>,
    said: MemoryOutputPipe,
}

impl Serving {
    /// Serves a component. If it imports a configuration, it gets this one.
    pub async fn start(component: &Component, configuration: &str, instances: Instances) -> Self {
        let mut linker = Linker::<Host>::new(&ENGINE);
        wasmtime_wasi_http::p3::add_to_linker(&mut linker).expect("wasi:http");
        wasmtime_wasi::p3::clocks::add_to_linker(&mut linker).expect("wasi:clocks");
        wasmtime_wasi::p3::cli::add_to_linker(&mut linker).expect("wasi:cli");
        let configuration = configuration.to_owned();
        let mut interface = linker.instance("poolgate:edge/configuration@0.1.0").expect("a new interface");
        interface.func_wrap("json", move |_, ()| Ok((configuration.clone(),))).expect("a function");
        let service = ServicePre::new(linker.instantiate_pre(component).expect("it imports nothing else"));
        let state = Arc::new(State {
            service: service.expect("it exports wasi:http/handler"),
            instances,
            started: AtomicUsize::new(0),
            now: Arc::default(),
            said: MemoryOutputPipe::new(1 << 20),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let server = tokio::spawn(accept(listener, ProxyHandler::new(Handling(Arc::clone(&state)))));
        Self { url, state, server }
    }

    /// Sets the components' clock, at most to the latest time that WASI can represent.
    pub fn set_now(&self, now: u64) {
        self.state.now.store(now.min(i64::MAX.unsigned_abs()), Ordering::SeqCst);
    }

    /// The number of instances that were started.
    pub fn instances(&self) -> usize {
        self.state.started.load(Ordering::SeqCst)
    }

    /// What the instances have written to standard error.
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&self.state.said.contents()).into_owned()
    }
}

async fn accept(listener: TcpListener, handler: ProxyHandler<Handling>) {
    while let Ok((stream, _)) = listener.accept().await {
        let handler = handler.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                let handler = handler.clone();
                async move {
                    let request = request.map(|body| body.map_err(Into::into).boxed_unsync());
                    let response = handler.handle((), request).await.unwrap_or_else(|error| {
                        eprintln!("{error:?}");
                        let nothing = http_body_util::Empty::new().map_err(|never: Infallible| match never {});
                        let mut response = hyper::Response::new(WasiBody::new(nothing));
                        *response.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
                        response
                    });
                    Ok::<_, Infallible>(response)
                }
            });
            // A client that disconnects is not an error.
            let _ = http1::Builder::new().max_buf_size(LONG).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

struct Host {
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Host {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: wasmtime_wasi_http::default_hooks() }
    }
}

struct Clock(Arc<AtomicU64>);

impl HostWallClock for Clock {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        match self.0.load(Ordering::SeqCst) {
            0 => SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970"),
            now => Duration::from_secs(now),
        }
    }
}

struct Handling(Arc<State>);

impl HandlerState for Handling {
    type StoreData = Host;
    type WorkerExpiration = Idle;
    type WorkerState = Working;

    async fn instantiate(&self) -> wasmtime::Result<Instance<Host, Idle, Working>> {
        let state = &self.0;
        state.started.fetch_add(1, Ordering::SeqCst);
        let wasi = WasiCtx::builder().wall_clock(Clock(Arc::clone(&state.now))).stderr(state.said.clone()).build();
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(LONG);
        let mut store = Store::new(&ENGINE, Host { table: ResourceTable::new(), wasi, http });
        let proxy = Proxy::P3(state.service.instantiate_async(&mut store).await?);
        let expiration = Idle(Box::pin(tokio::time::sleep(Duration::from_secs(3_600))));
        Ok(Instance { store, proxy, view: WasiHttpView::http, expiration, state: Working(state.instances) })
    }
}

/// An idle instance is removed when it is no longer needed; here, when the test ends.
struct Idle(Pin<Box<Sleep>>);

impl WorkerExpiration for Idle {
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>, _: WorkerStatus, _: Instant) -> Poll<()> {
        self.0.as_mut().poll(context)
    }
}

struct Working(Instances);

impl WorkerState for Working {
    type StoreData = Host;
    type RequestData = ();

    fn should_accept_request(&self, _: usize, total: usize) -> ShouldAccept {
        match self.0 {
            Instances::OneARequest if total > 0 => ShouldAccept::Never,
            _ => ShouldAccept::Yes,
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, Host>,
        (): (),
        _: wasmtime::component::GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        Box::pin(std::future::pending())
    }

    fn drop(&self, _: Store<Host>, result: wasmtime::Result<()>) {
        if let Err(error) = result {
            eprintln!("{error:?}");
        }
    }
}
