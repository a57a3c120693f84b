//! The accounts: built once, cheap to clone, used from many tasks.

use super::{
    Accepted, AccountError, AccountErrorCode, AccountsBuilder, AliasChange, Attribute, ChallengeAnswer, MfaPreference,
    RefreshFlow, ResponseTimeFloor, SignedIn, Tokens, TotpOwner, TotpSecret, User,
    bindings::{AccountFlows, exports::poolgate::auth::accounts as wit, poolgate::auth::user_pool as pool},
    cognito::{Cognito, Proof},
    guest::Guest,
    report::{FlowAnswer, Hook},
    sandbox::AccountSandbox,
};
use crate::{ErrorCode, Reason, TokenUse, Verified, Verifier, revocation::Revocation, sandbox::Failure};
use secrecy::{ExposeSecret, SecretString};
use std::{fmt, sync::Arc, time::Duration};
use tokio::time::Instant;
use wasmtime::Store;

/// Runs Cognito's account flows in the sandbox, each in an instance of its own.
///
/// ```no_run
/// use poolgate::{Pool, TokenUseRule, Verifier, accounts::{Accounts, SignedIn}};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = Pool::user_pool("eu-west-1_EXAMPLE01").token_use(TokenUseRule::AccessOrId).client_ids(["1example23456789"]);
/// let verifier = Verifier::builder().pool(pool).build().await?;
/// let accounts = Accounts::builder(verifier, "eu-west-1_EXAMPLE01", "1example23456789").build().await?;
/// match accounts.sign_in("anna", &"Correct-Horse-7".into()).await {
///     Ok(SignedIn::Tokens(tokens)) => println!("hello {}", tokens.verified.username.unwrap_or_default()),
///     Ok(SignedIn::Challenge(challenge)) => println!("one more thing: {}", challenge.name.name()),
///     Err(problem) => println!("answer {} {}, log {:?}", problem.status, problem.code.name(), problem.internal),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Accounts {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) sandbox: AccountSandbox,
    pub(super) cognito: Arc<Cognito>,
    pub(super) verifier: Verifier,
    pub(super) response_time_floor: ResponseTimeFloor,
    pub(super) refresh_flow: RefreshFlow,
    pub(super) hook: Option<Hook>,
}

impl fmt::Debug for Accounts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Accounts").finish_non_exhaustive()
    }
}

type Called<T> = wasmtime::Result<Result<T, wit::AccountError>>;

/// # Errors
/// Every flow: a [`AccountError`]. Flows that take a user's name answer the same whether there is such a user or not, and take the
/// same time ([`ResponseTimeFloor`]). So do those in which a signed-in user names an address, and those that verify it.
///
/// # Cancelling
/// A flow that is dropped may have happened, as one whose connection was lost may. Those that tell the store of revoked tokens go on to
/// their end.
impl Accounts {
    /// Starts with what must be stated: the verifier of the tokens that come, which must accept access and ID tokens of this
    /// app client, the user pool, and the app client.
    pub fn builder(verifier: Verifier, pool_id: impl Into<String>, client_id: impl Into<String>) -> AccountsBuilder {
        AccountsBuilder::new(verifier, pool_id.into(), client_id.into())
    }

    pub(super) fn of(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    /// The verifier of the tokens that come.
    pub fn verifier(&self) -> &Verifier {
        &self.inner.verifier
    }

    /// How many calls to Cognito are under way.
    pub fn calls_in_progress(&self) -> usize {
        self.inner.cognito.calls_in_progress()
    }

    /// Signs a user up (`SignUp`). For a name that is taken it answers the same, and the operator's hook is called.
    pub async fn sign_up(
        &self,
        username: &str,
        password: &SecretString,
        attributes: &[Attribute],
    ) -> Result<Accepted, AccountError> {
        let with: Vec<pool::Attribute> = attributes.iter().map(Into::into).collect();
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>| {
            it.poolgate_auth_accounts().call_sign_up(store, username, password.expose_secret(), &with).await
        };
        self.held(async {
            let accepted = self.accepted("sign-up", flow).await?;
            self.report_taken("sign-up", username, accepted.suppressed_error.as_ref());
            Ok(accepted)
        })
        .await
    }

    /// Confirms a sign-up with the code (`ConfirmSignUp`).
    pub async fn confirm_sign_up(&self, username: &str, code: &SecretString) -> Result<(), AccountError> {
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>| {
            it.poolgate_auth_accounts().call_confirm_sign_up(store, username, code.expose_secret()).await
        };
        self.held(self.run("confirm-sign-up", None, flow)).await
    }

    /// Sends the code of a sign-up again (`ResendConfirmationCode`).
    pub async fn resend_code(&self, username: &str) -> Result<Accepted, AccountError> {
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>| {
            it.poolgate_auth_accounts().call_resend_code(store, username).await
        };
        self.held(self.accepted("resend-code", flow)).await
    }

    /// Signs in with a password (`USER_PASSWORD_AUTH`).
    pub async fn sign_in(&self, username: &str, password: &SecretString) -> Result<SignedIn, AccountError> {
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>| {
            it.poolgate_auth_accounts().call_sign_in(store, username, password.expose_secret()).await
        };
        self.held(self.signing_in("sign-in", None, flow)).await
    }

    /// Signs in with SRP (`USER_SRP_AUTH`, RFC 5054): the password enters neither the sandbox nor the network.
    pub async fn sign_in_srp(&self, username: &str, password: &SecretString) -> Result<SignedIn, AccountError> {
        let no_randomness =
            || AccountError::of(AccountErrorCode::Failed, 500, "no randomness", "the system gives none");
        let proof = Proof::new(username, password.clone()).ok_or_else(no_randomness)?;
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>| {
            it.poolgate_auth_accounts().call_sign_in_srp(store, username).await
        };
        self.held(self.signing_in("sign-in-srp", Some(proof), flow)).await
    }

    /// Answers a challenge (`RespondToAuthChallenge`), with the name and the session that came with it.
    pub async fn answer_challenge(
        &self,
        username: &str,
        session: &SecretString,
        answer: &ChallengeAnswer,
    ) -> Result<SignedIn, AccountError> {
        let answer = answer.into();
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>| {
            let accounts = it.poolgate_auth_accounts();
            accounts.call_answer_challenge(store, username, session.expose_secret(), &answer).await
        };
        self.held(self.signing_in("answer-challenge", None, flow)).await
    }

    /// Begins to set up an authenticator app (`AssociateSoftwareToken`, RFC 6238).
    pub async fn associate_totp(&self, owner: &TotpOwner) -> Result<TotpSecret, AccountError> {
        self.check_owner(owner).await?;
        let owner = owner.into();
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>| {
            it.poolgate_auth_accounts().call_associate_totp(store, &owner).await
        };
        Ok(self.run("associate-totp", None, flow).await?.into())
    }

    /// Ends it with a code of the app (`VerifySoftwareToken`). The session, if it was set up with one, is for
    /// [`Accounts::answer_challenge`].
    pub async fn verify_totp(
        &self,
        owner: &TotpOwner,
        code: &SecretString,
        device_name: Option<&str>,
    ) -> Result<Option<SecretString>, AccountError> {
        self.check_owner(owner).await?;
        let owner = owner.into();
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>| {
            let accounts = it.poolgate_auth_accounts();
            accounts.call_verify_totp(store, &owner, code.expose_secret(), device_name).await
        };
        Ok(self.run("verify-totp", None, flow).await?.map(Into::into))
    }

    /// Gets new tokens for a refresh token. `username`, the user's name or `sub`, is needed only for
    /// [`RefreshFlow::RefreshTokenAuth`] of an app client that has a secret.
    pub async fn refresh(&self, refresh_token: &SecretString, username: Option<&str>) -> Result<Tokens, AccountError> {
        let flow = match self.inner.refresh_flow {
            RefreshFlow::Rotation => wit::RefreshFlow::Rotation,
            RefreshFlow::RefreshTokenAuth => wit::RefreshFlow::RefreshTokenAuth(username.map(Into::into)),
        };
        let call = async |it: &AccountFlows, store: &mut Store<Guest>| {
            it.poolgate_auth_accounts().call_refresh(store, refresh_token.expose_secret(), &flow).await
        };
        let tokens = self.run("refresh", None, call).await?;
        self.verified(tokens, not_a_token).await
    }

    /// Sends a code for a new password (`ForgotPassword`).
    pub async fn forgot_password(&self, username: &str) -> Result<Accepted, AccountError> {
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>| {
            it.poolgate_auth_accounts().call_forgot_password(store, username).await
        };
        self.held(self.accepted("forgot-password", flow)).await
    }

    /// Sets a new password with the code (`ConfirmForgotPassword`).
    pub async fn confirm_forgot_password(
        &self,
        username: &str,
        code: &SecretString,
        password: &SecretString,
    ) -> Result<(), AccountError> {
        let (code, password) = (code.expose_secret(), password.expose_secret());
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>| {
            it.poolgate_auth_accounts().call_confirm_forgot_password(store, username, code, password).await
        };
        self.held(self.run("confirm-forgot-password", None, flow)).await
    }

    /// Changes the password of a signed-in user (`ChangePassword`).
    pub async fn change_password(
        &self,
        access_token: &SecretString,
        previous: &SecretString,
        proposed: &SecretString,
    ) -> Result<(), AccountError> {
        let (previous, proposed) = (previous.expose_secret(), proposed.expose_secret());
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>, token: &str| {
            it.poolgate_auth_accounts().call_change_password(store, token, previous, proposed).await
        };
        self.as_caller("change-password", access_token, flow).await
    }

    /// What the user pool knows of a signed-in user (`GetUser`).
    pub async fn get_user(&self, access_token: &SecretString) -> Result<User, AccountError> {
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>, token: &str| {
            it.poolgate_auth_accounts().call_get_user(store, token).await
        };
        Ok(self.as_caller("get-user", access_token, flow).await?.into())
    }

    /// Changes attributes of a signed-in user (`UpdateUserAttributes`). It answers the same for an address or a preferred user name
    /// that another account has, and the operator's hook is called.
    ///
    /// Attributes that are no aliases are changed first, in one call, and then each alias by a call of its own: if a later one ends with
    /// a problem, the earlier ones are changed. To send the same again does no harm.
    ///
    /// Where the user pool changes an address before it is verified, what comes later tells whether it was taken: see
    /// `docs/accounts.md`.
    pub async fn update_attributes(
        &self,
        access_token: &SecretString,
        attributes: &[Attribute],
    ) -> Result<Vec<AliasChange>, AccountError> {
        let changed: Vec<pool::Attribute> = attributes.iter().map(Into::into).collect();
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>, token: &str| {
            it.poolgate_auth_accounts().call_update_attributes(store, token, &changed).await
        };
        self.held(async {
            let changes = self.as_caller("update-attributes", access_token, flow).await?;
            let changes: Vec<AliasChange> = changes.into_iter().map(Into::into).collect();
            for change in &changes {
                let typed = attributes.iter().find(|attribute| attribute.name == change.name);
                let typed = typed.map(|attribute| attribute.value.as_str()).unwrap_or_default();
                self.report_taken("update-attributes", typed, change.suppressed_error.as_ref());
            }
            Ok(changes)
        })
        .await
    }

    /// Sends a code that verifies an attribute, if there is anything to verify (`GetUserAttributeVerificationCode`). It answers the
    /// same if there is not, which would tell what became of the change before it.
    pub async fn send_attribute_code(
        &self,
        access_token: &SecretString,
        attribute: &str,
    ) -> Result<Accepted, AccountError> {
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>, token: &str| {
            it.poolgate_auth_accounts().call_send_attribute_code(store, token, attribute).await
        };
        self.held(async { Ok(self.as_caller("send-attribute-code", access_token, flow).await?.into()) }).await
    }

    /// Verifies an attribute with the code (`VerifyUserAttribute`).
    pub async fn verify_attribute(
        &self,
        access_token: &SecretString,
        attribute: &str,
        code: &SecretString,
    ) -> Result<(), AccountError> {
        let code = code.expose_secret();
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>, token: &str| {
            it.poolgate_auth_accounts().call_verify_attribute(store, token, attribute, code).await
        };
        self.held(self.as_caller("verify-attribute", access_token, flow)).await
    }

    /// Signs a user out everywhere (`GlobalSignOut`). Verifiers do not ask Cognito: access and ID tokens verify until they expire, unless
    /// the verifier has a store of revoked tokens ([`VerifierBuilder::revocations`](crate::VerifierBuilder::revocations)), which is then
    /// told. If it does not take it, the problem is `unavailable` although Cognito has signed the user out.
    pub async fn sign_out(&self, access_token: &SecretString) -> Result<(), AccountError> {
        let (accounts, access_token) = (self.clone(), access_token.clone());
        to_its_end(async move {
            let flow = async |it: &AccountFlows, store: &mut Store<Guest>, token: &str| {
                it.poolgate_auth_accounts().call_sign_out(store, token).await
            };
            let (caller, ()) = accounts.as_known_caller("sign-out", &access_token, flow).await?;
            accounts.revoke_user(&caller).await
        })
        .await
    }

    /// Revokes a refresh token (`RevokeToken`). It is opaque: which access and ID tokens came of it, it does not say, and they verify until
    /// they expire. See [`Accounts::revoke_sign_in`].
    pub async fn revoke_token(&self, refresh_token: &SecretString) -> Result<(), AccountError> {
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>| {
            it.poolgate_auth_accounts().call_revoke_token(store, refresh_token.expose_secret()).await
        };
        self.run("revoke-token", None, flow).await
    }

    /// Revokes a refresh token (`RevokeToken`), and then, in the verifier's store of revoked tokens, all that came of the same sign-in as
    /// an access token of the caller's (by its `origin_jti`). Without a store it is [`Accounts::revoke_token`].
    pub async fn revoke_sign_in(
        &self,
        refresh_token: &SecretString,
        access_token: &SecretString,
    ) -> Result<(), AccountError> {
        if !self.inner.verifier.checks_revocation() {
            return self.revoke_token(refresh_token).await;
        }
        let caller = self.check_access(access_token).await?;
        let (accounts, refresh_token) = (self.clone(), refresh_token.clone());
        to_its_end(async move {
            accounts.revoke_token(&refresh_token).await?;
            accounts.revoke(Revocation::sign_in_from_claims(&caller)).await
        })
        .await
    }

    /// Deletes a signed-in user (`DeleteUser`), whose tokens are revoked as in [`Accounts::sign_out`].
    pub async fn delete_user(&self, access_token: &SecretString) -> Result<(), AccountError> {
        let (accounts, access_token) = (self.clone(), access_token.clone());
        to_its_end(async move {
            let flow = async |it: &AccountFlows, store: &mut Store<Guest>, token: &str| {
                it.poolgate_auth_accounts().call_delete_user(store, token).await
            };
            let (caller, ()) = accounts.as_known_caller("delete-user", &access_token, flow).await?;
            accounts.revoke_user(&caller).await
        })
        .await
    }

    /// Says which second factors a signed-in user wants (`SetUserMFAPreference`).
    pub async fn set_mfa_preference(
        &self,
        access_token: &SecretString,
        preference: MfaPreference,
    ) -> Result<(), AccountError> {
        let preference = preference.into();
        let flow = async |it: &AccountFlows, store: &mut Store<Guest>, token: &str| {
            it.poolgate_auth_accounts().call_set_mfa_preference(store, token, preference).await
        };
        self.as_caller("set-mfa-preference", access_token, flow).await
    }

    /// Runs a flow of a signed-in user: who it is, says the verified token alone.
    async fn as_caller<T: FlowAnswer>(
        &self,
        name: &'static str,
        access_token: &SecretString,
        flow: impl AsyncFnOnce(&AccountFlows, &mut Store<Guest>, &str) -> Called<T>,
    ) -> Result<T, AccountError> {
        Ok(self.as_known_caller(name, access_token, flow).await?.1)
    }

    /// The same, and who it is.
    async fn as_known_caller<T: FlowAnswer>(
        &self,
        name: &'static str,
        access_token: &SecretString,
        flow: impl AsyncFnOnce(&AccountFlows, &mut Store<Guest>, &str) -> Called<T>,
    ) -> Result<(Verified, T), AccountError> {
        let caller = self.check_access(access_token).await?;
        let flow =
            async |it: &AccountFlows, store: &mut Store<Guest>| flow(it, store, access_token.expose_secret()).await;
        Ok((caller, self.run(name, None, flow).await?))
    }

    /// After Cognito has confirmed it: all tokens of the user until now.
    async fn revoke_user(&self, caller: &Verified) -> Result<(), AccountError> {
        // Should our clock be behind Cognito's: the caller's own token goes in any case.
        let signed_in = caller.auth_time.max(caller.issued_at).unwrap_or(0);
        self.revoke(Revocation::user_from_claims(caller, self.inner.verifier.now().max(signed_in))).await
    }

    /// A token without the claim that is needed can't be revoked by it, but Cognito issues none.
    async fn revoke(&self, revocation: Option<Revocation>) -> Result<(), AccountError> {
        let verifier = &self.inner.verifier;
        match revocation {
            Some(revocation) if verifier.checks_revocation() => verifier.revoke(&revocation).await.map_err(|error| {
                let meaning = "Cognito has done it, but the store of revoked tokens does not take it";
                AccountError::of(AccountErrorCode::Unavailable, 503, error.name(), meaning)
            }),
            _ => Ok(()),
        }
    }

    /// Runs a flow that sends a code to whoever it is.
    async fn accepted(
        &self,
        name: &'static str,
        flow: impl AsyncFnOnce(&AccountFlows, &mut Store<Guest>) -> Called<wit::Accepted>,
    ) -> Result<Accepted, AccountError> {
        Ok(self.run(name, None, flow).await?.into())
    }

    /// Runs a step of signing in, and verifies the tokens that come of it.
    async fn signing_in(
        &self,
        name: &'static str,
        proof: Option<Proof>,
        flow: impl AsyncFnOnce(&AccountFlows, &mut Store<Guest>) -> Called<wit::SignedIn>,
    ) -> Result<SignedIn, AccountError> {
        match self.run(name, proof, flow).await? {
            // Revoked, just issued: the user has signed out within this very second.
            wit::SignedIn::Tokens(tokens) => Ok(SignedIn::Tokens(Box::new(self.verified(tokens, unavailable).await?))),
            wit::SignedIn::Challenge(challenge) => Ok(SignedIn::Challenge(challenge.into())),
        }
    }

    /// Runs a flow that names a user or an address, and holds its answer. All that is done for it is done before.
    async fn held<T>(&self, flow: impl Future<Output = Result<T, AccountError>>) -> Result<T, AccountError> {
        let asked = Instant::now();
        let answer = flow.await;
        self.inner.response_time_floor.hold(asked).await;
        answer
    }

    async fn run<T: FlowAnswer>(
        &self,
        name: &'static str,
        proof: Option<Proof>,
        flow: impl AsyncFnOnce(&AccountFlows, &mut Store<Guest>) -> Called<T>,
    ) -> Result<T, AccountError> {
        let answer = match self.inner.sandbox.run(proof, flow).await {
            Ok(answer) => answer.map_err(AccountError::from),
            Err(failure) => Err(sandbox_failed(failure)),
        };
        self.report(name, &answer);
        answer
    }

    async fn check_owner(&self, owner: &TotpOwner) -> Result<(), AccountError> {
        match owner {
            TotpOwner::AccessToken(token) => self.check_access(token).await.map(drop),
            TotpOwner::Session(_) => Ok(()),
        }
    }

    /// Whose access token it is.
    async fn check_access(&self, token: &SecretString) -> Result<Verified, AccountError> {
        let verified =
            self.inner.verifier.verify(token.expose_secret()).await.map_err(|denial| match denial.error {
                ErrorCode::Unavailable => unavailable(denial.reason.name()),
                _ => not_a_token(denial.reason.name()),
            })?;
        match verified.token_use {
            Some(TokenUse::Access) => Ok(verified),
            _ => Err(not_a_token("token-use-mismatch")),
        }
    }

    /// Nobody gets tokens that the verifier would refuse. What it means that one was revoked, `revoked` says.
    async fn verified(&self, tokens: pool::Tokens, revoked: fn(&str) -> AccountError) -> Result<Tokens, AccountError> {
        let pool::Tokens { access_token, id_token, refresh_token, expires_in } = tokens;
        let access_token = SecretString::from(access_token);
        let id_token = id_token.map(SecretString::from);
        let refused = |reason: &str| {
            tracing::error!(reason, "Cognito gave tokens that the verifier refuses: is its pool the same?");
            AccountError::of(
                AccountErrorCode::Misconfigured,
                500,
                reason,
                "Cognito gave tokens that the verifier refuses",
            )
        };
        let verify = async |token: &SecretString, token_use: TokenUse| {
            let verified = self.inner.verifier.verify(token.expose_secret()).await;
            let verified = verified.map_err(|denial| match denial.error {
                ErrorCode::Unavailable => unavailable(denial.reason.name()),
                _ if denial.reason == Reason::Revoked => revoked(denial.reason.name()),
                _ => refused(denial.reason.name()),
            })?;
            let is_right = verified.token_use == Some(token_use);
            if is_right { Ok(verified) } else { Err(refused("token-use-mismatch")) }
        };
        let verified = verify(&access_token, TokenUse::Access).await?;
        if let Some(id_token) = &id_token
            && verify(id_token, TokenUse::Id).await?.subject != verified.subject
        {
            return Err(refused("subject-mismatch"));
        }
        Ok(Tokens {
            access_token,
            id_token,
            refresh_token: refresh_token.map(Into::into),
            expires_in: expires_in.map(|seconds| Duration::from_secs(seconds.into())),
            verified,
        })
    }
}

/// Runs in a task of its own: a caller who goes away does not keep the store of revoked tokens from being told.
async fn to_its_end(flow: impl Future<Output = Result<(), AccountError>> + Send + 'static) -> Result<(), AccountError> {
    let ended =
        || AccountError::of(AccountErrorCode::Unavailable, 503, "ended", "the task of the flow ended before the flow");
    match tokio::spawn(flow).await {
        Ok(answer) => answer,
        Err(_) => Err(ended()),
    }
}

fn not_a_token(reason: &str) -> AccountError {
    AccountError::of(AccountErrorCode::TokenInvalid, 401, reason, "the access token is refused")
}

fn unavailable(reason: &str) -> AccountError {
    AccountError::of(AccountErrorCode::Unavailable, 503, reason, "a token could not be judged")
}

fn sandbox_failed(failure: Failure) -> AccountError {
    AccountError::of(AccountErrorCode::Unavailable, 503, failure.name(), "the sandbox failed")
}
