//! The host's state for one account operation, and the imports of its sandbox instance.

use super::{
    bindings::{
        poolgate::auth::{
            key_source::{self, FetchError, KeyResponse},
            user_pool::{self, Failure},
        },
        wasi::clocks::wall_clock::{self, Datetime},
    },
    cognito::{Cognito, SrpSignIn},
};
use crate::{clock::Clock, sandbox::MemoryLimit};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use wasmtime::component::HasData;

/// The state of one account operation.
pub(crate) struct Guest {
    pub(crate) memory: MemoryLimit,
    pub(crate) stopwatch: Stopwatch,
    clock: Arc<dyn Clock>,
    cognito: Arc<Cognito>,
    /// The password of a sign-in with SRP. It stays here, outside the sandbox.
    srp: Option<SrpSignIn>,
}

/// Measures how long the instance runs, without the time that it waits for Cognito.
pub(crate) struct Stopwatch {
    started: Instant,
    waited: Duration,
}

impl Stopwatch {
    fn new() -> Self {
        Self { started: Instant::now(), waited: Duration::ZERO }
    }

    pub(crate) fn running_time(&self) -> Duration {
        self.started.elapsed().saturating_sub(self.waited)
    }
}

impl Guest {
    pub(crate) fn new(
        memory: MemoryLimit,
        clock: Arc<dyn Clock>,
        cognito: Arc<Cognito>,
        srp: Option<SrpSignIn>,
    ) -> Self {
        Self { memory, stopwatch: Stopwatch::new(), clock, cognito, srp }
    }

    /// Waits for Cognito. The instance occupies no thread in the meantime, and the stopwatch does not count it.
    async fn wait<T>(&mut self, call: impl Future<Output = T> + Send) -> T {
        let started = Instant::now();
        let reply = call.await;
        self.stopwatch.waited += started.elapsed();
        reply
    }
}

impl HasData for Guest {
    type Data<'a> = &'a mut Guest;
}

/// Implements each import with the client's method of the same name.
macro_rules! imports {
    ($($name:ident($($argument:ident: $type:ty),*) -> $reply:ty;)+) => {
        impl user_pool::Host for Guest {
            $(
                async fn $name(&mut self, $($argument: $type),*) -> Result<$reply, Failure> {
                    let cognito = Arc::clone(&self.cognito);
                    self.wait(cognito.$name($($argument),*)).await
                }
            )+

            async fn begin_srp(&mut self, _username: String) -> Result<user_pool::AuthReply, Failure> {
                // The name is the one that the srp was made for.
                let (cognito, mut srp) = (Arc::clone(&self.cognito), self.srp.take());
                let reply = match &mut srp {
                    Some(srp) => self.wait(cognito.begin_srp(srp)).await,
                    None => Err(Failure::Exception("NoPassword".into())),
                };
                self.srp = srp;
                reply
            }

            async fn prove_srp(&mut self) -> Result<user_pool::AuthReply, Failure> {
                let (cognito, now) = (Arc::clone(&self.cognito), self.clock.now().as_secs());
                match self.srp.take() {
                    Some(srp) => self.wait(cognito.prove_srp(&srp, now)).await,
                    None => Err(Failure::Exception("NoPassword".into())),
                }
            }
        }
    };
}

imports! {
    sign_up(username: String, password: String, attributes: Vec<user_pool::Attribute>) -> ();
    confirm_sign_up(username: String, code: String) -> ();
    resend_confirmation_code(username: String) -> ();
    initiate_auth(username: String, password: String) -> user_pool::AuthReply;
    respond_to_auth_challenge(response: user_pool::ChallengeResponse) -> user_pool::AuthReply;
    associate_software_token(owner: user_pool::TotpOwner) -> user_pool::TotpSecret;
    verify_software_token(owner: user_pool::TotpOwner, code: String, device_name: Option<String>) -> Option<String>;
    refresh_token_auth(refresh_token: String, username: Option<String>) -> user_pool::AuthReply;
    get_tokens_from_refresh_token(refresh_token: String) -> user_pool::Tokens;
    forgot_password(username: String) -> ();
    confirm_forgot_password(username: String, code: String, password: String) -> ();
    change_password(access_token: String, previous: String, proposed: String) -> ();
    get_user(access_token: String) -> user_pool::User;
    update_user_attributes(access_token: String, attributes: Vec<user_pool::Attribute>) -> ();
    get_user_attribute_verification_code(access_token: String, attribute: String) -> ();
    verify_user_attribute(access_token: String, attribute: String, code: String) -> ();
    global_sign_out(access_token: String) -> ();
    revoke_token(refresh_token: String) -> ();
    delete_user(access_token: String) -> ();
    set_user_mfa_preference(access_token: String, preference: user_pool::MfaPreference) -> ();
}

impl key_source::Host for Guest {
    /// An instance that runs an account operation verifies no tokens, so it fetches no keys.
    async fn fetch(
        &mut self,
        _url: String,
        _key_id: Option<String>,
        _etag: Option<String>,
    ) -> Result<KeyResponse, FetchError> {
        Err(FetchError::Refused)
    }
}

impl wall_clock::Host for Guest {
    async fn now(&mut self) -> Datetime {
        let now = self.clock.now();
        Datetime { seconds: now.as_secs(), nanoseconds: now.subsec_nanos() }
    }

    async fn resolution(&mut self) -> Datetime {
        Datetime { seconds: 0, nanoseconds: 1 }
    }
}
