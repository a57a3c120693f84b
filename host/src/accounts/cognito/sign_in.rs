//! Sign-in: with a password, with SRP, with a refresh token, and the response to a challenge.

use super::{
    client::{CallResult, Cognito, repeatable},
    reply::{auth_reply, failure},
};
use crate::accounts::{
    bindings::poolgate::auth::user_pool as wit,
    srp::{Srp, SrpChallenge, timestamp},
};
use aws_sdk_cognitoidentityprovider::{config::Config, types as sdk};
use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::SecretString;

/// A sign-in with SRP between its two steps. It holds the password outside the sandbox.
pub(crate) struct SrpSignIn {
    srp: Srp,
    password: SecretString,
    username: String,
    challenge: Option<wit::RawChallenge>,
}

impl SrpSignIn {
    /// `None` if the system has no randomness.
    pub(crate) fn new(username: &str, password: SecretString) -> Option<Self> {
        Some(Self { srp: Srp::random()?, password, username: username.to_owned(), challenge: None })
    }
}

impl Cognito {
    pub(crate) async fn initiate_auth(&self, username: String, password: String) -> CallResult<wit::AuthReply> {
        let hash = self.app.secret_hash(&username).map(|hash| ("SECRET_HASH", hash));
        let parameters = [("USERNAME", username), ("PASSWORD", password)];
        // Not repeated: a repetition could send a second text message, and count as a second failed attempt.
        self.initiate(sdk::AuthFlowType::UserPasswordAuth, parameters.into_iter().chain(hash), false).await
    }

    pub(crate) async fn refresh_token_auth(
        &self,
        token: String,
        username: Option<String>,
    ) -> CallResult<wit::AuthReply> {
        let hash = username.and_then(|username| self.app.secret_hash(&username)).map(|hash| ("SECRET_HASH", hash));
        let parameters = [("REFRESH_TOKEN", token)];
        self.initiate(sdk::AuthFlowType::RefreshTokenAuth, parameters.into_iter().chain(hash), true).await
    }

    /// The first step of SRP: sends the username and the client's ephemeral public key.
    pub(crate) async fn begin_srp(&self, srp: &mut SrpSignIn) -> CallResult<wit::AuthReply> {
        let hash = self.app.secret_hash(&srp.username).map(|hash| ("SECRET_HASH", hash));
        let parameters = [("USERNAME", srp.username.clone()), ("SRP_A", srp.srp.public())];
        let reply = self.initiate(sdk::AuthFlowType::UserSrpAuth, parameters.into_iter().chain(hash), true).await?;
        if let wit::AuthReply::Challenge(challenge) = &reply {
            srp.challenge = Some(challenge.clone());
        }
        Ok(reply)
    }

    /// The second step of SRP: sends the proof. `now` is in seconds since the Unix epoch.
    pub(crate) async fn prove_srp(&self, srp: &SrpSignIn, now: u64) -> CallResult<wit::AuthReply> {
        // A parameter is missing or malformed. Cognito might send such a challenge only for users that do not exist, so the response
        // must be the one for a wrong password.
        let unusable = || wit::Failure::Exception("UnusableSrpChallenge".into());
        let response = self.srp_response(srp, now).ok_or_else(unusable)?;
        self.respond_to_auth_challenge(response).await
    }

    fn srp_response(&self, srp: &SrpSignIn, now: u64) -> Option<wit::ChallengeResponse> {
        let challenge = srp.challenge.as_ref()?;
        let parameter =
            |name| challenge.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let (user_id, secret_block) = (parameter("USER_ID_FOR_SRP")?, parameter("SECRET_BLOCK")?);
        let (timestamp, decoded) = (timestamp(now)?, STANDARD.decode(secret_block).ok()?);
        let parameters = SrpChallenge {
            pool_name: &self.pool_name,
            user_id,
            server_public: parameter("SRP_B")?,
            salt: parameter("SALT")?,
            secret_block: &decoded,
            timestamp: &timestamp,
        };
        let signature = STANDARD.encode(srp.srp.prove(&srp.password, &parameters)?);
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
    ) -> CallResult<wit::AuthReply> {
        let _permit = self.permit()?;
        let call = self.client.initiate_auth().client_id(&self.app.id).auth_flow(flow);
        let call = parameters.fold(call, |call, (name, value)| call.auth_parameters(name, value));
        let config = if is_repeatable { repeatable() } else { Config::builder() };
        let reply = call.customize().config_override(config).send().await.map_err(failure)?;
        auth_reply(reply.authentication_result, reply.challenge_name, reply.session, reply.challenge_parameters)
    }

    pub(crate) async fn respond_to_auth_challenge(
        &self,
        response: wit::ChallengeResponse,
    ) -> CallResult<wit::AuthReply> {
        let _permit = self.permit()?;
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
}
