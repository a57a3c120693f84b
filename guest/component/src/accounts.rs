//! Exports the `accounts` interface: the core's flows with the imported user pool.

use crate::{
    Component,
    bindings::{
        exports::poolgate::auth::accounts::{self as wit, Guest},
        poolgate::auth::user_pool as pool,
    },
    user_pool::ImportedUserPool,
};
use poolgate_core::accounts::{self as core, Accounts};
use std::cell::OnceCell;

thread_local! {
    static ACCOUNTS: OnceCell<Accounts<ImportedUserPool>> = const { OnceCell::new() };
}

type FlowResult<T> = Result<T, wit::AccountError>;

/// Runs a flow. Fails if `configure` has not been called.
fn run<T>(flow: impl FnOnce(&Accounts<ImportedUserPool>) -> Result<T, core::AccountError>) -> FlowResult<T> {
    ACCOUNTS.with(|accounts| match accounts.get() {
        Some(accounts) => flow(accounts).map_err(account_error),
        None => Err(not_configured()),
    })
}

impl Guest for Component {
    fn configure(settings: wit::Settings) -> Result<(), String> {
        let accounts = Accounts::new(core_settings(settings), ImportedUserPool).map_err(|error| error.meaning())?;
        ACCOUNTS.with(|slot| slot.set(accounts)).map_err(|_| "configure was called before".into())
    }

    fn sign_up(username: String, password: String, attributes: Vec<pool::Attribute>) -> FlowResult<wit::Accepted> {
        run(|it| it.sign_up(&username, &password, &core_attributes(attributes))).map(accepted)
    }

    fn confirm_sign_up(username: String, code: String) -> FlowResult<()> {
        run(|it| it.confirm_sign_up(&username, &code))
    }

    fn resend_code(username: String) -> FlowResult<wit::Accepted> {
        run(|it| it.resend_code(&username)).map(accepted)
    }

    fn sign_in(username: String, password: String) -> FlowResult<wit::SignedIn> {
        run(|it| it.sign_in(&username, &password)).map(signed_in)
    }

    fn sign_in_srp(username: String) -> FlowResult<wit::SignedIn> {
        run(|it| it.sign_in_srp(&username)).map(signed_in)
    }

    fn answer_challenge(username: String, session: String, answer: wit::ChallengeAnswer) -> FlowResult<wit::SignedIn> {
        let attributes;
        let answer = match &answer {
            wit::ChallengeAnswer::NewPassword(new) => {
                attributes = core_attributes(new.attributes.clone());
                core::ChallengeAnswer::NewPassword(&new.password, &attributes)
            }
            wit::ChallengeAnswer::SoftwareToken(code) => core::ChallengeAnswer::SoftwareToken(code),
            wit::ChallengeAnswer::Sms(code) => core::ChallengeAnswer::Sms(code),
            wit::ChallengeAnswer::EmailOtp(code) => core::ChallengeAnswer::EmailOtp(code),
            wit::ChallengeAnswer::MfaSetup => core::ChallengeAnswer::MfaSetup,
        };
        run(|it| it.answer_challenge(&username, &session, answer)).map(signed_in)
    }

    fn associate_totp(owner: pool::TotpOwner) -> FlowResult<pool::TotpSecret> {
        let secret = run(|it| it.associate_totp(core_owner(&owner)))?;
        Ok(pool::TotpSecret { secret_code: secret.secret_code, session: secret.session })
    }

    fn verify_totp(owner: pool::TotpOwner, code: String, device_name: Option<String>) -> FlowResult<Option<String>> {
        run(|it| it.verify_totp(core_owner(&owner), &code, device_name.as_deref()))
    }

    fn refresh(refresh_token: String, flow: wit::RefreshFlow) -> FlowResult<pool::Tokens> {
        let flow = match &flow {
            wit::RefreshFlow::Rotation => core::RefreshFlow::Rotation,
            wit::RefreshFlow::RefreshTokenAuth(username) => core::RefreshFlow::RefreshTokenAuth(username.as_deref()),
        };
        run(|it| it.refresh(&refresh_token, flow)).map(tokens)
    }

    fn forgot_password(username: String) -> FlowResult<wit::Accepted> {
        run(|it| it.forgot_password(&username)).map(accepted)
    }

    fn confirm_forgot_password(username: String, code: String, password: String) -> FlowResult<()> {
        run(|it| it.confirm_forgot_password(&username, &code, &password))
    }

    fn change_password(access_token: String, previous: String, proposed: String) -> FlowResult<()> {
        run(|it| it.change_password(&access_token, &previous, &proposed))
    }

    fn get_user(access_token: String) -> FlowResult<pool::User> {
        let core::User { username, attributes, mfa_settings, preferred_mfa } = run(|it| it.get_user(&access_token))?;
        let attribute = |it: core::Attribute| pool::Attribute { name: it.name, value: it.value };
        Ok(pool::User {
            username,
            attributes: attributes.into_iter().map(attribute).collect(),
            mfa_settings,
            preferred_mfa,
        })
    }

    fn update_attributes(access_token: String, attributes: Vec<pool::Attribute>) -> FlowResult<Vec<wit::AliasChange>> {
        let changes = run(|it| it.update_attributes(&access_token, &core_attributes(attributes)))?;
        Ok(changes.into_iter().map(alias_change).collect())
    }

    fn send_attribute_code(access_token: String, attribute: String) -> FlowResult<wit::Accepted> {
        run(|it| it.send_attribute_code(&access_token, &attribute)).map(accepted)
    }

    fn verify_attribute(access_token: String, attribute: String, code: String) -> FlowResult<()> {
        run(|it| it.verify_attribute(&access_token, &attribute, &code))
    }

    fn sign_out(access_token: String) -> FlowResult<()> {
        run(|it| it.sign_out(&access_token))
    }

    fn revoke_token(refresh_token: String) -> FlowResult<()> {
        run(|it| it.revoke_token(&refresh_token))
    }

    fn delete_user(access_token: String) -> FlowResult<()> {
        run(|it| it.delete_user(&access_token))
    }

    fn set_mfa_preference(access_token: String, preference: pool::MfaPreference) -> FlowResult<()> {
        let setting = |it: pool::MfaSetting| core::MfaSetting { enabled: it.enabled, preferred: it.preferred };
        let preference = core::MfaPreference {
            email: preference.email.map(setting),
            sms: preference.sms.map(setting),
            software_token: preference.software_token.map(setting),
        };
        run(|it| it.set_mfa_preference(&access_token, preference))
    }
}

fn core_settings(settings: wit::Settings) -> core::Settings {
    let wit::PasswordPolicy { min_length, uppercase, lowercase, number, symbol } = settings.password_policy;
    core::Settings {
        password_policy: core::PasswordPolicy { min_length, uppercase, lowercase, number, symbol },
        required_attributes: settings.required_attributes,
        credentials_checked_first: settings.credentials_checked_first,
        retry_after: settings.retry_after,
    }
}

fn core_attributes(attributes: Vec<pool::Attribute>) -> Vec<core::Attribute> {
    attributes.into_iter().map(|it| core::Attribute { name: it.name, value: it.value }).collect()
}

fn core_owner(owner: &pool::TotpOwner) -> core::TotpOwner<'_> {
    match owner {
        pool::TotpOwner::AccessToken(token) => core::TotpOwner::AccessToken(token),
        pool::TotpOwner::Session(session) => core::TotpOwner::Session(session),
    }
}

fn tokens(tokens: core::Tokens) -> pool::Tokens {
    let core::Tokens { access_token, id_token, refresh_token, expires_in } = tokens;
    pool::Tokens { access_token, id_token, refresh_token, expires_in }
}

fn signed_in(answer: core::SignedIn) -> wit::SignedIn {
    match answer {
        core::SignedIn::Tokens(reply) => wit::SignedIn::Tokens(tokens(reply)),
        core::SignedIn::Challenge(challenge) => wit::SignedIn::Challenge(wit::Challenge {
            name: match challenge.name {
                core::ChallengeName::NewPasswordRequired => wit::ChallengeName::NewPasswordRequired,
                core::ChallengeName::SoftwareTokenMfa => wit::ChallengeName::SoftwareTokenMfa,
                core::ChallengeName::SmsMfa => wit::ChallengeName::SmsMfa,
                core::ChallengeName::EmailOtp => wit::ChallengeName::EmailOtp,
                core::ChallengeName::MfaSetup => wit::ChallengeName::MfaSetup,
            },
            session: challenge.session,
            username: challenge.username,
            delivery: challenge.delivery.map(delivery),
            required_attributes: challenge.required_attributes,
        }),
    }
}

fn delivery(delivery: core::Delivery) -> wit::Delivery {
    let medium = match delivery.medium {
        core::Medium::Email => wit::DeliveryMedium::Email,
        core::Medium::Sms => wit::DeliveryMedium::Sms,
        core::Medium::OnFile => wit::DeliveryMedium::OnFile,
    };
    wit::Delivery { medium, destination: delivery.destination }
}

fn accepted(accepted: core::Accepted) -> wit::Accepted {
    wit::Accepted {
        delivery: delivery(accepted.delivery),
        suppressed_error: accepted.suppressed_error.map(internal_reason),
    }
}

fn alias_change(change: core::AliasChange) -> wit::AliasChange {
    let core::AliasChange { name, delivery: to, suppressed_error } = change;
    wit::AliasChange { name, delivery: to.map(delivery), suppressed_error: suppressed_error.map(internal_reason) }
}

fn internal_reason(reason: core::InternalReason) -> wit::InternalReason {
    let core::InternalReason { operation, failure, meaning, unforeseen } = reason;
    wit::InternalReason { operation: operation.into(), failure, meaning: meaning.into(), unforeseen }
}

fn account_error(error: core::AccountError) -> wit::AccountError {
    wit::AccountError {
        code: error_code(error.code),
        status: error.code.status(),
        detail: error.detail.map(Into::into),
        retry_after: error.retry_after,
        internal: internal_reason(error.internal),
    }
}

fn error_code(code: core::AccountErrorCode) -> wit::AccountErrorCode {
    use core::AccountErrorCode as From;
    use wit::AccountErrorCode as To;
    match code {
        From::InvalidRequest => To::InvalidRequest,
        From::RequestRejected => To::RequestRejected,
        From::PasswordRejected => To::PasswordRejected,
        From::InvalidCode => To::InvalidCode,
        From::InvalidCredentials => To::InvalidCredentials,
        From::SessionInvalid => To::SessionInvalid,
        From::TokenInvalid => To::TokenInvalid,
        From::AccountNotConfirmed => To::AccountNotConfirmed,
        From::PasswordResetRequired => To::PasswordResetRequired,
        From::Forbidden => To::Forbidden,
        From::AliasTaken => To::AliasTaken,
        From::MfaNotSetUp => To::MfaNotSetUp,
        From::TooManyRequests => To::TooManyRequests,
        From::Misconfigured => To::Misconfigured,
        From::ChallengeUnsupported => To::ChallengeUnsupported,
        From::Unavailable => To::Unavailable,
        _ => To::Failed,
    }
}

fn not_configured() -> wit::AccountError {
    wit::AccountError {
        code: wit::AccountErrorCode::Misconfigured,
        status: core::AccountErrorCode::Misconfigured.status(),
        detail: None,
        retry_after: None,
        internal: wit::InternalReason {
            operation: String::new(),
            failure: "not-configured".into(),
            meaning: "configure was not called".into(),
            unforeseen: false,
        },
    }
}
