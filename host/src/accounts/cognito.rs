//! The door to Cognito: the SDK, the app client, timeouts and retries. It reports what came, and decides nothing.

use super::{
    app_client::AppClient,
    bindings::poolgate::auth::user_pool as wit,
    srp::{Question, Srp, timestamp},
};
use aws_sdk_cognitoidentityprovider::{
    Client,
    config::{
        BehaviorVersion, Builder, Config, Region, http::HttpResponse, retry::RetryConfig, timeout::TimeoutConfig,
    },
    error::{ProvideErrorMetadata, SdkError},
    types as sdk,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};
use std::{collections::HashMap, time::Duration};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Attempts where repeating is harmless.
const ATTEMPTS: u32 = 3;

type Called<T> = Result<T, wit::Failure>;

/// One client for the process.
pub(crate) struct Cognito {
    client: Client,
    app: AppClient,
    /// The user pool ID after the underscore, which SRP hashes.
    pool_name: String,
    turns: Semaphore,
    max_calls: usize,
}

/// How Cognito is reached.
#[derive(Clone, Debug)]
pub(crate) struct CognitoSettings {
    pub(crate) region: String,
    pub(crate) pool_id: String,
    pub(crate) app: AppClient,
    pub(crate) endpoint: Option<String>,
    pub(crate) connect_timeout: Duration,
    /// Of one attempt.
    pub(crate) attempt_timeout: Duration,
    /// Of a call with all its attempts.
    pub(crate) call_timeout: Duration,
    /// Calls under way at once.
    pub(crate) max_calls: usize,
}

/// A sign-in with SRP between its two steps.
pub(crate) struct Proof {
    srp: Srp,
    password: SecretString,
    username: String,
    challenge: Option<wit::RawChallenge>,
}

impl Proof {
    /// `None` if the system has no randomness.
    pub(crate) fn new(username: &str, password: SecretString) -> Option<Self> {
        Some(Self { srp: Srp::random()?, password, username: username.to_owned(), challenge: None })
    }
}

impl Cognito {
    pub(crate) fn new(settings: CognitoSettings) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(settings.connect_timeout)
            .operation_attempt_timeout(settings.attempt_timeout)
            .operation_timeout(settings.call_timeout);
        let mut config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(settings.region))
            .timeout_config(timeouts.build())
            .retry_config(RetryConfig::disabled());
        config.set_endpoint_url(settings.endpoint);
        let pool_name = settings.pool_id.split_once('_').map_or("", |(_, name)| name).to_owned();
        let (turns, max_calls) = (Semaphore::new(settings.max_calls), settings.max_calls);
        Self { client: Client::from_conf(config.build()), app: settings.app, pool_name, turns, max_calls }
    }

    /// How many calls are under way.
    pub(crate) fn calls_in_progress(&self) -> usize {
        self.max_calls.saturating_sub(self.turns.available_permits())
    }

    fn turn(&self) -> Called<SemaphorePermit<'_>> {
        self.turns.try_acquire().map_err(|_| wit::Failure::TooBusy)
    }

    pub(crate) async fn sign_up(&self, username: String, password: String, with: Vec<wit::Attribute>) -> Called<()> {
        let _turn = self.turn()?;
        let call = self.client.sign_up().client_id(&self.app.id).set_secret_hash(self.app.secret_hash(&username));
        let call = call.username(username).password(password).set_user_attributes(Some(attributes(with)?));
        call.send().await.map(drop).map_err(failure)
    }

    pub(crate) async fn confirm_sign_up(&self, username: String, code: String) -> Called<()> {
        let _turn = self.turn()?;
        let call = self.client.confirm_sign_up().client_id(&self.app.id);
        let call = call.set_secret_hash(self.app.secret_hash(&username)).username(username).confirmation_code(code);
        call.send().await.map(drop).map_err(failure)
    }

    pub(crate) async fn resend_confirmation_code(&self, username: String) -> Called<()> {
        let _turn = self.turn()?;
        let call = self.client.resend_confirmation_code().client_id(&self.app.id);
        let call = call.set_secret_hash(self.app.secret_hash(&username)).username(username);
        call.send().await.map(drop).map_err(failure)
    }

    pub(crate) async fn initiate_auth(&self, username: String, password: String) -> Called<wit::AuthReply> {
        let hash = self.app.secret_hash(&username).map(|hash| ("SECRET_HASH", hash));
        let parameters = [("USERNAME", username), ("PASSWORD", password)];
        // Twice, it could send two text messages, and count as two failures.
        self.initiate(sdk::AuthFlowType::UserPasswordAuth, parameters.into_iter().chain(hash), false).await
    }

    pub(crate) async fn refresh_token_auth(&self, token: String, username: Option<String>) -> Called<wit::AuthReply> {
        let hash = username.and_then(|username| self.app.secret_hash(&username)).map(|hash| ("SECRET_HASH", hash));
        let parameters = [("REFRESH_TOKEN", token)];
        self.initiate(sdk::AuthFlowType::RefreshTokenAuth, parameters.into_iter().chain(hash), true).await
    }

    /// The first step of SRP: the user's name and the ephemeral key.
    pub(crate) async fn begin_srp(&self, proof: &mut Proof) -> Called<wit::AuthReply> {
        let hash = self.app.secret_hash(&proof.username).map(|hash| ("SECRET_HASH", hash));
        let parameters = [("USERNAME", proof.username.clone()), ("SRP_A", proof.srp.public())];
        let reply = self.initiate(sdk::AuthFlowType::UserSrpAuth, parameters.into_iter().chain(hash), true).await?;
        if let wit::AuthReply::Challenge(challenge) = &reply {
            proof.challenge = Some(challenge.clone());
        }
        Ok(reply)
    }

    /// The second: the proof. `now` is in seconds since the Unix epoch.
    pub(crate) async fn prove_srp(&self, proof: &Proof, now: u64) -> Called<wit::AuthReply> {
        // Something is missing, or no number. It may be so for made-up users only: the answer must be that of a wrong password.
        let unusable = || wit::Failure::Exception("UnusableSrpChallenge".into());
        let response = self.srp_response(proof, now).ok_or_else(unusable)?;
        self.respond_to_auth_challenge(response).await
    }

    fn srp_response(&self, proof: &Proof, now: u64) -> Option<wit::ChallengeResponse> {
        let challenge = proof.challenge.as_ref()?;
        let parameter =
            |name| challenge.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let (user_id, secret_block) = (parameter("USER_ID_FOR_SRP")?, parameter("SECRET_BLOCK")?);
        let (timestamp, decoded) = (timestamp(now)?, STANDARD.decode(secret_block).ok()?);
        let question = Question {
            pool_name: &self.pool_name,
            user_id,
            server_public: parameter("SRP_B")?,
            salt: parameter("SALT")?,
            secret_block: &decoded,
            timestamp: &timestamp,
        };
        let signature = STANDARD.encode(proof.srp.prove(&proof.password, &question)?);
        Some(wit::ChallengeResponse {
            name: challenge.name.clone(),
            username: user_id.to_owned(),
            session: challenge.session.clone().unwrap_or_default(),
            responses: vec![
                ("TIMESTAMP".into(), timestamp),
                ("PASSWORD_CLAIM_SECRET_BLOCK".into(), secret_block.to_owned()),
                ("PASSWORD_CLAIM_SIGNATURE".into(), signature),
            ],
        })
    }

    async fn initiate(
        &self,
        flow: sdk::AuthFlowType,
        parameters: impl Iterator<Item = (&'static str, String)>,
        is_repeatable: bool,
    ) -> Called<wit::AuthReply> {
        let _turn = self.turn()?;
        let call = self.client.initiate_auth().client_id(&self.app.id).auth_flow(flow);
        let call = parameters.fold(call, |call, (name, value)| call.auth_parameters(name, value));
        let config = if is_repeatable { repeatable() } else { Config::builder() };
        let reply = call.customize().config_override(config).send().await.map_err(failure)?;
        auth_reply(reply.authentication_result, reply.challenge_name, reply.session, reply.challenge_parameters)
    }

    pub(crate) async fn respond_to_auth_challenge(&self, response: wit::ChallengeResponse) -> Called<wit::AuthReply> {
        let _turn = self.turn()?;
        let wit::ChallengeResponse { name, username, session, responses } = response;
        let hash = self.app.secret_hash(&username).map(|hash| ("SECRET_HASH".to_owned(), hash));
        let session = Some(session).filter(|session| !session.is_empty());
        let call = self.client.respond_to_auth_challenge().client_id(&self.app.id).set_session(session);
        let call = call.challenge_name(name.as_str().into()).challenge_responses("USERNAME", username);
        let responses = responses.into_iter().chain(hash);
        let call = responses.fold(call, |call, (name, value)| call.challenge_responses(name, value));
        let reply = call.send().await.map_err(failure)?;
        auth_reply(reply.authentication_result, reply.challenge_name, reply.session, reply.challenge_parameters)
    }

    pub(crate) async fn associate_software_token(&self, owner: wit::TotpOwner) -> Called<wit::TotpSecret> {
        let _turn = self.turn()?;
        let (token, session) = split(owner);
        let call = self.client.associate_software_token().set_access_token(token).set_session(session);
        let reply = call.send().await.map_err(failure)?;
        let secret_code = reply.secret_code.ok_or(wit::Failure::Unreachable)?;
        Ok(wit::TotpSecret { secret_code, session: reply.session })
    }

    pub(crate) async fn verify_software_token(
        &self,
        owner: wit::TotpOwner,
        code: String,
        device_name: Option<String>,
    ) -> Called<Option<String>> {
        let _turn = self.turn()?;
        let (token, session) = split(owner);
        let call = self.client.verify_software_token().set_access_token(token).set_session(session);
        let reply = call.user_code(code).set_friendly_device_name(device_name).send().await.map_err(failure)?;
        match reply.status {
            Some(sdk::VerifySoftwareTokenResponseType::Success) => Ok(reply.session),
            _ => Err(wit::Failure::Exception("EnableSoftwareTokenMFAException".into())),
        }
    }

    pub(crate) async fn get_tokens_from_refresh_token(&self, refresh_token: String) -> Called<wit::Tokens> {
        let _turn = self.turn()?;
        let secret = self.app.secret.as_ref().map(|secret| secret.expose_secret().to_owned());
        let call = self.client.get_tokens_from_refresh_token().client_id(&self.app.id).set_client_secret(secret);
        let reply = call.refresh_token(refresh_token).send().await.map_err(failure)?;
        reply.authentication_result.and_then(tokens).ok_or(wit::Failure::Unreachable)
    }

    pub(crate) async fn forgot_password(&self, username: String) -> Called<()> {
        let _turn = self.turn()?;
        let call = self.client.forgot_password().client_id(&self.app.id);
        let call = call.set_secret_hash(self.app.secret_hash(&username)).username(username);
        call.send().await.map(drop).map_err(failure)
    }

    pub(crate) async fn confirm_forgot_password(&self, username: String, code: String, password: String) -> Called<()> {
        let _turn = self.turn()?;
        let call = self.client.confirm_forgot_password().client_id(&self.app.id);
        let call = call.set_secret_hash(self.app.secret_hash(&username)).username(username);
        call.confirmation_code(code).password(password).send().await.map(drop).map_err(failure)
    }

    pub(crate) async fn change_password(&self, token: String, previous: String, proposed: String) -> Called<()> {
        let _turn = self.turn()?;
        let call = self.client.change_password().access_token(token);
        call.previous_password(previous).proposed_password(proposed).send().await.map(drop).map_err(failure)
    }

    pub(crate) async fn get_user(&self, token: String) -> Called<wit::User> {
        let _turn = self.turn()?;
        let call = self.client.get_user().access_token(token).customize().config_override(repeatable());
        let reply = call.send().await.map_err(failure)?;
        let attribute = |it: sdk::AttributeType| wit::Attribute { name: it.name, value: it.value.unwrap_or_default() };
        Ok(wit::User {
            username: reply.username,
            attributes: reply.user_attributes.into_iter().map(attribute).collect(),
            mfa_settings: reply.user_mfa_setting_list.unwrap_or_default(),
            preferred_mfa: reply.preferred_mfa_setting,
        })
    }

    pub(crate) async fn update_user_attributes(&self, token: String, changed: Vec<wit::Attribute>) -> Called<()> {
        let _turn = self.turn()?;
        let call = self.client.update_user_attributes().access_token(token);
        call.set_user_attributes(Some(attributes(changed)?)).send().await.map(drop).map_err(failure)
    }

    pub(crate) async fn get_user_attribute_verification_code(&self, token: String, attribute: String) -> Called<()> {
        let _turn = self.turn()?;
        let call = self.client.get_user_attribute_verification_code().access_token(token).attribute_name(attribute);
        call.send().await.map(drop).map_err(failure)
    }

    pub(crate) async fn verify_user_attribute(&self, token: String, attribute: String, code: String) -> Called<()> {
        let _turn = self.turn()?;
        let call = self.client.verify_user_attribute().access_token(token).attribute_name(attribute).code(code);
        call.send().await.map(drop).map_err(failure)
    }

    pub(crate) async fn global_sign_out(&self, token: String) -> Called<()> {
        let _turn = self.turn()?;
        let call = self.client.global_sign_out().access_token(token);
        call.send().await.map(drop).map_err(failure)
    }

    pub(crate) async fn revoke_token(&self, refresh_token: String) -> Called<()> {
        let _turn = self.turn()?;
        let secret = self.app.secret.as_ref().map(|secret| secret.expose_secret().to_owned());
        let call = self.client.revoke_token().client_id(&self.app.id).set_client_secret(secret).token(refresh_token);
        call.customize().config_override(repeatable()).send().await.map(drop).map_err(failure)
    }

    pub(crate) async fn delete_user(&self, token: String) -> Called<()> {
        let _turn = self.turn()?;
        self.client.delete_user().access_token(token).send().await.map(drop).map_err(failure)
    }

    pub(crate) async fn set_user_mfa_preference(&self, token: String, preference: wit::MfaPreference) -> Called<()> {
        let _turn = self.turn()?;
        let email = preference
            .email
            .map(|it| sdk::EmailMfaSettingsType::builder().enabled(it.enabled).preferred_mfa(it.preferred).build());
        let sms = preference
            .sms
            .map(|it| sdk::SmsMfaSettingsType::builder().enabled(it.enabled).preferred_mfa(it.preferred).build());
        let app = preference.software_token.map(|it| {
            sdk::SoftwareTokenMfaSettingsType::builder().enabled(it.enabled).preferred_mfa(it.preferred).build()
        });
        let call = self.client.set_user_mfa_preference().access_token(token).set_email_mfa_settings(email);
        let call = call.set_sms_mfa_settings(sms).set_software_token_mfa_settings(app);
        call.customize().config_override(repeatable()).send().await.map(drop).map_err(failure)
    }
}

/// The SDK's own policy of repeating, for operations that change nothing the second time.
fn repeatable() -> Builder {
    Config::builder().retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
}

fn split(owner: wit::TotpOwner) -> (Option<String>, Option<String>) {
    match owner {
        wit::TotpOwner::AccessToken(token) => (Some(token), None),
        wit::TotpOwner::Session(session) => (None, Some(session)),
    }
}

fn attributes(attributes: Vec<wit::Attribute>) -> Called<Vec<sdk::AttributeType>> {
    let attribute = |it: wit::Attribute| sdk::AttributeType::builder().name(it.name).value(it.value).build();
    // It fails without a name only.
    attributes
        .into_iter()
        .map(attribute)
        .collect::<Result<_, _>>()
        .map_err(|_| wit::Failure::Exception("InvalidParameterException".into()))
}

/// Tokens without an access token are none.
fn tokens(result: sdk::AuthenticationResultType) -> Option<wit::Tokens> {
    Some(wit::Tokens {
        access_token: result.access_token?,
        id_token: result.id_token,
        refresh_token: result.refresh_token,
        expires_in: u32::try_from(result.expires_in).ok().filter(|seconds| *seconds > 0),
    })
}

fn auth_reply(
    result: Option<sdk::AuthenticationResultType>,
    challenge: Option<sdk::ChallengeNameType>,
    session: Option<String>,
    parameters: Option<HashMap<String, String>>,
) -> Called<wit::AuthReply> {
    // A challenge comes before tokens: a server that sends both wants more.
    match (challenge, result.and_then(tokens)) {
        (Some(name), _) => Ok(wit::AuthReply::Challenge(wit::RawChallenge {
            name: name.as_str().to_owned(),
            session,
            parameters: parameters.unwrap_or_default().into_iter().collect(),
        })),
        (None, Some(tokens)) => Ok(wit::AuthReply::Tokens(tokens)),
        (None, None) => Err(wit::Failure::Unreachable),
    }
}

/// The exception's name and never its message, which may repeat what was sent.
fn failure<E: ProvideErrorMetadata>(error: SdkError<E, HttpResponse>) -> wit::Failure {
    match &error {
        SdkError::ServiceError(service) => match service.err().code() {
            Some(name) => wit::Failure::Exception(name.to_owned()),
            None if service.raw().status().is_server_error() => wit::Failure::Unreachable,
            None => wit::Failure::Exception(String::new()),
        },
        SdkError::TimeoutError(_) => wit::Failure::TimedOut,
        SdkError::DispatchFailure(dispatch) if dispatch.is_timeout() => wit::Failure::TimedOut,
        SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => wit::Failure::Unreachable,
        _ => wit::Failure::Exception("ConstructionFailure".into()),
    }
}
