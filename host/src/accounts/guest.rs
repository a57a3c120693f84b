//! What the host keeps for one account operation, and the doors that its instance sees.

use super::{
    bindings::{
        poolgate::auth::{
            key_source::{self, FetchError, KeyResponse},
            user_pool::{self, Failure},
        },
        wasi::clocks::wall_clock::{self, Datetime},
    },
    cognito::{Cognito, Proof},
};
use crate::{clock::Clock, sandbox::MemoryLimit};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use wasmtime::component::HasData;

/// Lives as long as the operation.
pub(crate) struct Guest {
    pub(crate) memory: MemoryLimit,
    pub(crate) stopwatch: Stopwatch,
    clock: Arc<dyn Clock>,
    cognito: Arc<Cognito>,
    /// Of a sign-in with SRP: the password stays here, outside the sandbox.
    proof: Option<Proof>,
}

/// The time that the instance itself runs, without what it waits for.
pub(crate) struct Stopwatch {
    begun: Instant,
    waited: Duration,
}

impl Stopwatch {
    fn new() -> Self {
        Self { begun: Instant::now(), waited: Duration::ZERO }
    }

    pub(crate) fn has_run(&self) -> Duration {
        self.begun.elapsed().saturating_sub(self.waited)
    }
}

impl Guest {
    pub(crate) fn new(memory: MemoryLimit, clock: Arc<dyn Clock>, cognito: Arc<Cognito>, proof: Option<Proof>) -> Self {
        Self { memory, stopwatch: Stopwatch::new(), clock, cognito, proof }
    }

    /// Waits for Cognito. The instance holds no thread meanwhile, and its time stands still.
    async fn wait<T>(&mut self, call: impl Future<Output = T> + Send) -> T {
        let begun = Instant::now();
        let reply = call.await;
        self.stopwatch.waited += begun.elapsed();
        reply
    }
}

impl HasData for Guest {
    type Data<'a> = &'a mut Guest;
}

/// The door of each name is the client's method of that name.
macro_rules! doors {
    ($($name:ident($($argument:ident: $type:ty),*) -> $reply:ty;)+) => {
        impl user_pool::Host for Guest {
            $(
                async fn $name(&mut self, $($argument: $type),*) -> Result<$reply, Failure> {
                    let cognito = Arc::clone(&self.cognito);
                    self.wait(cognito.$name($($argument),*)).await
                }
            )+

            async fn begin_srp(&mut self, _username: String) -> Result<user_pool::AuthReply, Failure> {
                // The name is the one that the proof was made for.
                let (cognito, mut proof) = (Arc::clone(&self.cognito), self.proof.take());
                let reply = match &mut proof {
                    Some(proof) => self.wait(cognito.begin_srp(proof)).await,
                    None => Err(Failure::Exception("NoPassword".into())),
                };
                self.proof = proof;
                reply
            }

            async fn prove_srp(&mut self) -> Result<user_pool::AuthReply, Failure> {
                let (cognito, now) = (Arc::clone(&self.cognito), self.clock.now().as_secs());
                match self.proof.take() {
                    Some(proof) => self.wait(cognito.prove_srp(&proof, now)).await,
                    None => Err(Failure::Exception("NoPassword".into())),
                }
            }
        }
    };
}

doors! {
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
    /// Account operations verify nothing in their own instance.
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
