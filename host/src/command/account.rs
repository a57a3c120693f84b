//! `poolgate account`: the account flows on the command line. Passwords, codes and tokens are read from a prompt or from standard input,
//! one per line, and never from arguments.

use super::{
    arguments::{AccountArguments, Factor, Flow},
    output::{self, CommandError, Outcome},
    shown,
};
use poolgate::accounts::{
    Accepted, AccountError, Accounts, Attribute, Challenge, ChallengeAnswer, ChallengeName, Delivery, MfaPreference,
    MfaSetting, ResponseTimeFloor, SignedIn, Tokens, TotpOwner,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use std::{
    io::{self, BufRead, IsTerminal},
    time::Duration,
};
use zeroize::Zeroizing;

/// Why a flow failed.
enum FlowError {
    Account(AccountError),
    Command(CommandError),
}

impl From<AccountError> for FlowError {
    fn from(error: AccountError) -> Self {
        FlowError::Account(error)
    }
}

impl From<CommandError> for FlowError {
    fn from(error: CommandError) -> Self {
        FlowError::Command(error)
    }
}

pub async fn run(arguments: Box<AccountArguments>) -> Result<Outcome, CommandError> {
    // The user of the command line has the app client's credentials and could call Cognito directly, so a delay would protect nothing.
    let builder = arguments.connection.accounts().await?.response_time_floor(ResponseTimeFloor::OFF);
    let accounts = builder.build().await?;
    match flow(&accounts, &arguments.flow).await {
        Ok(answer) => output::conclude(Outcome::Allowed, arguments.json, || answer.clone(), |_| text(&answer)),
        Err(FlowError::Command(error)) => Err(error),
        Err(FlowError::Account(error)) => {
            let after = error.retry_after.map(|after| after.as_secs());
            let json = json!({ "problem": error.code.name(), "status": error.status, "title": error.code.description(),
                               "detail": error.detail, "retry_after": after });
            let message = shown::lines(&error.to_string());
            let text = |palette: output::Palette| format!("{}  {message}\n", palette.failure("rejected"));
            let outcome = if error.status == 503 { Outcome::Unavailable } else { Outcome::Denied };
            output::conclude(outcome, arguments.json, || json, text)
        }
    }
}

async fn flow(accounts: &Accounts, flow: &Flow) -> Result<Value, FlowError> {
    Ok(match flow {
        Flow::SignUp { username, attributes } => {
            let password = new_secret("New password")?;
            accepted(accounts.sign_up(username, &password, &attributes_of(attributes)).await?)
        }
        Flow::ConfirmSignUp { username } => done(accounts.confirm_sign_up(username, &secret("Code")?).await?),
        Flow::ResendCode { username } => accepted(accounts.resend_code(username).await?),
        Flow::SignIn { username, srp, attributes } => {
            let password = secret("Password")?;
            let signed_in = match srp {
                true => accounts.sign_in_srp(username, &password).await?,
                false => accounts.sign_in(username, &password).await?,
            };
            tokens(&answer_all(accounts, signed_in, &attributes_of(attributes)).await?)
        }
        Flow::Refresh { username } => tokens(&accounts.refresh(&secret("Refresh token")?, username.as_deref()).await?),
        Flow::ForgotPassword { username } => accepted(accounts.forgot_password(username).await?),
        Flow::ConfirmForgotPassword { username } => {
            let (code, password) = (secret("Code")?, new_secret("New password")?);
            done(accounts.confirm_forgot_password(username, &code, &password).await?)
        }
        Flow::ChangePassword => {
            let (token, previous) = (secret("Access token")?, secret("Current password")?);
            done(accounts.change_password(&token, &previous, &new_secret("New password")?).await?)
        }
        Flow::GetUser => {
            let user = accounts.get_user(&secret("Access token")?).await?;
            let attributes: Map<String, Value> =
                user.attributes.into_iter().map(|attribute| (attribute.name, attribute.value.into())).collect();
            json!({ "username": user.username, "attributes": attributes, "mfa_settings": user.mfa_settings,
                    "preferred_mfa": user.preferred_mfa })
        }
        Flow::UpdateAttributes { attributes } => {
            let changes = accounts.update_attributes(&secret("Access token")?, &attributes_of(attributes)).await?;
            let deliveries = changes.iter().filter_map(|change| change.delivery.as_ref());
            json!({ "deliveries": deliveries.map(delivery).collect::<Vec<_>>() })
        }
        Flow::SendAttributeCode { attribute } => {
            accepted(accounts.send_attribute_code(&secret("Access token")?, attribute).await?)
        }
        Flow::VerifyAttribute { attribute } => {
            let (token, code) = (secret("Access token")?, secret("Code")?);
            done(accounts.verify_attribute(&token, attribute, &code).await?)
        }
        Flow::SetUpTotp { device_name } => {
            let owner = TotpOwner::AccessToken(secret("Access token")?);
            set_up_totp(accounts, &owner, device_name.as_deref()).await?;
            done(())
        }
        Flow::MfaPreference { email, sms, software_token } => {
            let setting = |choice: &Option<Factor>| {
                choice.map(|choice| MfaSetting { enabled: choice.is_enabled(), preferred: choice.is_preferred() })
            };
            let preference =
                MfaPreference { email: setting(email), sms: setting(sms), software_token: setting(software_token) };
            done(accounts.set_mfa_preference(&secret("Access token")?, preference).await?)
        }
        Flow::SignOut => done(accounts.sign_out(&secret("Access token")?).await?),
        Flow::RevokeToken => done(accounts.revoke_token(&secret("Refresh token")?).await?),
        Flow::DeleteUser => done(accounts.delete_user(&secret("Access token")?).await?),
    })
}

/// Responds to challenges until the user is signed in.
async fn answer_all(accounts: &Accounts, first: SignedIn, attributes: &[Attribute]) -> Result<Tokens, FlowError> {
    let mut step = first;
    loop {
        let challenge = match step {
            SignedIn::Tokens(tokens) => return Ok(*tokens),
            SignedIn::Challenge(challenge) => challenge,
        };
        let (session, answer) = answer(accounts, &challenge, attributes).await?;
        step = accounts.answer_challenge(&challenge.username, &session, &answer).await?;
    }
}

async fn answer(
    accounts: &Accounts,
    challenge: &Challenge,
    attributes: &[Attribute],
) -> Result<(SecretString, ChallengeAnswer), FlowError> {
    let session = challenge.session.clone();
    if let Some(delivery) = &challenge.delivery {
        output::notify(&format!("A code was sent to {}.", delivery.destination.as_deref().unwrap_or("the user")));
    }
    Ok(match challenge.name {
        ChallengeName::NewPasswordRequired => {
            output::notify("A new password is required.");
            (session, ChallengeAnswer::NewPassword(new_secret("New password")?, attributes.to_vec()))
        }
        ChallengeName::SoftwareTokenMfa => {
            (session, ChallengeAnswer::SoftwareToken(secret("Code of the authenticator app")?))
        }
        ChallengeName::SmsMfa => (session, ChallengeAnswer::Sms(secret("Code of the text message")?)),
        ChallengeName::EmailOtp => (session, ChallengeAnswer::EmailOtp(secret("Code of the email")?)),
        ChallengeName::MfaSetup => {
            let owner = TotpOwner::Session(session.clone());
            let next = set_up_totp(accounts, &owner, None).await?;
            (next.unwrap_or(session), ChallengeAnswer::MfaSetup)
        }
    })
}

async fn set_up_totp(
    accounts: &Accounts,
    owner: &TotpOwner,
    device_name: Option<&str>,
) -> Result<Option<SecretString>, FlowError> {
    let app = accounts.associate_totp(owner).await?;
    // Standard output is reserved for the result.
    output::notify(&format!("Enter this secret in your authenticator app: {}", app.secret_code.expose_secret()));
    let owner = match (app.session, owner) {
        (Some(session), TotpOwner::Session(_)) => TotpOwner::Session(session),
        _ => owner.clone(),
    };
    Ok(accounts.verify_totp(&owner, &secret("Code of the authenticator app")?, device_name).await?)
}

fn attributes_of(attributes: &[(String, String)]) -> Vec<Attribute> {
    attributes.iter().map(|(name, value)| Attribute::new(name, value)).collect()
}

/// Reads a secret from the terminal without echo, or from the next line of standard input.
fn secret(what: &str) -> Result<SecretString, CommandError> {
    let unreadable = |error: io::Error| CommandError::Usage(format!("{}: {error}", what.to_lowercase()));
    if io::stdin().is_terminal() {
        return rpassword::prompt_password(format!("{what}: ")).map(Into::into).map_err(unreadable);
    }
    let mut line = Zeroizing::new(String::with_capacity(1 << 15));
    let read = io::stdin().lock().read_line(&mut line).map_err(unreadable)?;
    if read == 0 {
        let what = what.to_lowercase();
        return Err(CommandError::Usage(format!("standard input has no line for: {what} (one line each, in order)")));
    }
    Ok(line.trim_end_matches(['\r', '\n']).into())
}

/// Reads a new secret. At a terminal, it must be typed twice.
fn new_secret(what: &str) -> Result<SecretString, CommandError> {
    let first = secret(what)?;
    if io::stdin().is_terminal() && secret(&format!("{what} again"))?.expose_secret() != first.expose_secret() {
        return Err(CommandError::Usage("the two inputs differ".into()));
    }
    Ok(first)
}

fn done((): ()) -> Value {
    json!({ "done": true })
}

fn delivery(delivery: &Delivery) -> Value {
    json!({ "medium": delivery.medium.name(), "destination": delivery.destination })
}

fn accepted(accepted: Accepted) -> Value {
    json!({ "delivery": delivery(&accepted.delivery) })
}

fn tokens(tokens: &Tokens) -> Value {
    let text = |secret: &SecretString| secret.expose_secret().to_owned();
    json!({
        "username": tokens.verified.username,
        "access_token": text(&tokens.access_token),
        "id_token": tokens.id_token.as_ref().map(text),
        "refresh_token": tokens.refresh_token.as_ref().map(text),
        "expires_in": tokens.expires_in.as_ref().map(Duration::as_secs),
    })
}

/// One line per member.
fn text(answer: &Value) -> String {
    fn lines(prefix: &str, value: &Value, text: &mut String) {
        match value {
            Value::Object(members) => members.iter().for_each(|(name, value)| {
                let name = name.replace('_', " ");
                lines(&if prefix.is_empty() { name } else { format!("{prefix} {name}") }, value, text);
            }),
            Value::Array(values) => values.iter().for_each(|value| lines(prefix, value, text)),
            Value::Null => {}
            Value::Bool(true) => *text += &format!("{prefix}\n"),
            Value::String(value) => *text += &format!("{prefix}: {}\n", value.escape_debug()),
            value => *text += &format!("{prefix}: {value}\n"),
        }
    }
    let mut text = String::new();
    lines("", answer, &mut text);
    // The user pool determines the names of attributes, so they are untrusted.
    shown::lines(&text)
}
