//! A minimal host, which runs the component synchronously, cannot wait inside an import, and returns `deferred`. Each
//! test that needs it includes this file.
#![allow(dead_code, reason = "not every test looks at all of it")]

use bindings::{
    TokenVerifier,
    exports::poolgate::auth::verifier::{
        ClientRule, Config, ConfirmationRule, IssuerRule, KeyOrigin, Membership, Pool, ResourceRule, SubjectRule,
        TokenUseRule, UserPool,
    },
    poolgate::auth::key_source::{self, FetchError, KeyResponse},
    wasi::clocks::wall_clock::{self, Datetime},
};
use poolgate_tests::minting::{CLIENT_ID, NOW, POOL_ID};
use wasmtime::{
    Config as EngineConfig, Engine, Store,
    component::{Component, HasData, Linker},
};

#[allow(missing_docs)]
pub mod bindings {
    wasmtime::component::bindgen!({ path: "../wit", world: "token-verifier", additional_derives: [PartialEq] });
}

/// The host data, as in a host with an event loop: it records the requested fetches and returns immediately.
pub struct EventLoop {
    pub now: u64,
    pub asked: Vec<String>,
    pub etags: Vec<Option<String>>,
}

impl HasData for EventLoop {
    type Data<'a> = &'a mut EventLoop;
}

impl key_source::Host for EventLoop {
    fn fetch(&mut self, url: String, _: Option<String>, etag: Option<String>) -> Result<KeyResponse, FetchError> {
        self.etags.push(etag);
        self.asked.push(url);
        Err(FetchError::Deferred)
    }
}

impl wall_clock::Host for EventLoop {
    fn now(&mut self) -> Datetime {
        Datetime { seconds: self.now, nanoseconds: 0 }
    }

    fn resolution(&mut self) -> Datetime {
        Datetime { seconds: 1, nanoseconds: 0 }
    }
}

/// More fuel than any test uses, for engines that count it.
pub const FUEL: u64 = u64::MAX / 2;

/// Returns the `verifier` interface of an instance. All other imports of the authenticator trap.
pub fn start(component: &[u8], engine: &EngineConfig) -> (Store<EventLoop>, TokenVerifier) {
    let engine = Engine::new(engine).expect("an engine");
    let component = Component::new(&engine, component).expect("it compiles");
    let mut linker = Linker::new(&engine);
    wall_clock::add_to_linker::<_, EventLoop>(&mut linker, |host| host).expect("the clock");
    key_source::add_to_linker::<_, EventLoop>(&mut linker, |host| host).expect("the key source");
    linker.define_unknown_imports_as_traps(&component).expect("other imports");
    let mut store = Store::new(&engine, EventLoop { now: NOW, asked: Vec::new(), etags: Vec::new() });
    // This fails for an engine that does not count fuel.
    let _ = store.set_fuel(FUEL);
    let bindings = TokenVerifier::instantiate(&mut store, &component, &linker).expect("it starts");
    (store, bindings)
}

/// One pool of access tokens, with the keys at the URL of its issuer.
pub fn pool() -> Pool {
    Pool {
        issuer: IssuerRule::UserPool(UserPool { id: POOL_ID.into(), region: None }),
        keys: KeyOrigin::Derived,
        algorithms: Vec::new(),
        types: Vec::new(),
        token_use: TokenUseRule::Access,
        client: ClientRule::OneOf(vec![CLIENT_ID.into()]),
        client_claim: None,
        groups: Membership { any_of: None, all_of: None },
        scopes: Membership { any_of: None, all_of: None },
        scope_claim: None,
        unbound_clients: Vec::new(),
        claims: Vec::new(),
        resource: ResourceRule::Unbound,
        subject: SubjectRule::Required,
        confirmation: ConfirmationRule::Refuse,
        max_age: None,
        leeway: 0,
        issued_at_skew: 60,
    }
}

/// This pool and the default limits.
pub fn config() -> Config {
    Config { pools: vec![pool()], limits: None, key_policy: None, cache: None, requirements: Vec::new() }
}
