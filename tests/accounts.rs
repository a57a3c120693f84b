//! Every account flow through the component, with Cognito emulators.

mod account_setup;
#[path = "accounts/alias.rs"]
mod alias;
mod scripted_cognito;

use account_setup::{PASSWORD, account_builder, over, secret};
use poolgate::{
    Pool,
    accounts::{
        AccountError, AccountErrorCode, Accounts, Attribute, ChallengeAnswer, ChallengeName, DeliveryMedium,
        MfaPreference, MfaSetting, RefreshFlow, SignedIn, Tokens, TotpOwner,
    },
};
use poolgate_tests::{
    cognito_local::{CODE, CognitoLocal},
    edge_scene::now,
    ministack::Ministack,
    test_pool::{PoolOptions, TestPool},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

const NEW_PASSWORD: &str = "Better-Horse-8";
/// The codes that ministack sends for a sign-up and for a new password.
const SIGN_UP_CODE: &str = "123456";
const RESET_CODE: &str = "654321";

async fn accounts(server: &Ministack, pool: &TestPool) -> Accounts {
    account_builder(server.endpoint(), pool).await.build().await.expect("the accounts build")
}

fn tokens(signed_in: Result<SignedIn, AccountError>) -> Tokens {
    match signed_in {
        Ok(SignedIn::Tokens(tokens)) => *tokens,
        Ok(SignedIn::Challenge(challenge)) => panic!("a challenge: {challenge:?}"),
        Err(error) => panic!("{error}: {:?}", error.internal),
    }
}

fn name<T>(answer: Result<T, AccountError>) -> AccountErrorCode {
    answer.err().expect("a problem").code
}

/// Creates a confirmed user.
async fn join(accounts: &Accounts, username: &str) {
    let email = [Attribute::new("email", format!("{username}@example.com"))];
    let accepted = accounts.sign_up(username, &secret(PASSWORD), &email).await.expect("a sign-up");
    assert_eq!(accepted.suppressed_error, None);
    accounts.confirm_sign_up(username, &secret(SIGN_UP_CODE)).await.expect("the code is right");
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_up_sign_in_and_the_flows_of_a_signed_in_user_with_and_without_a_client_secret() {
    let server = Ministack::start().await;
    for has_client_secret in [false, true] {
        let pool = server.create_pool(PoolOptions { has_client_secret, ..PoolOptions::default() }).await;
        let accounts = accounts(&server, &pool).await;
        let email = [Attribute::new("email", "anna@example.com")];
        let accepted = accounts.sign_up("anna", &secret(PASSWORD), &email).await.expect("a sign-up");
        assert_eq!(accepted.delivery.destination.as_deref(), Some("a***@e***"));
        assert_eq!((accepted.delivery.medium, accepted.suppressed_error), (DeliveryMedium::Email, None));
        assert_eq!(name(accounts.sign_in("anna", &secret(PASSWORD)).await), AccountErrorCode::InvalidCredentials);
        assert_eq!(accounts.resend_code("anna").await.expect("a code").suppressed_error, None);
        assert_eq!(name(accounts.confirm_sign_up("anna", &secret("000000")).await), AccountErrorCode::InvalidCode);
        accounts.confirm_sign_up("anna", &secret(SIGN_UP_CODE)).await.expect("the code is right");

        for signed_in in
            [accounts.sign_in("anna", &secret(PASSWORD)).await, accounts.sign_in_srp("anna", &secret(PASSWORD)).await]
        {
            let tokens = tokens(signed_in);
            assert_eq!(tokens.verified.username.as_deref(), Some("anna"));
            assert!(tokens.id_token.is_some() && tokens.refresh_token.is_some());
        }
        for wrong in [
            accounts.sign_in("anna", &secret("Wrong-Horse-7")).await,
            accounts.sign_in_srp("anna", &secret("Wrong-Horse-7")).await,
            accounts.sign_in_srp("nobody", &secret(PASSWORD)).await,
        ] {
            assert_eq!(name(wrong), AccountErrorCode::InvalidCredentials);
        }

        let tokens = tokens(accounts.sign_in("anna", &secret(PASSWORD)).await);
        let user = accounts.get_user(&tokens.access_token).await.expect("a user");
        assert_eq!(user.username, "anna");
        assert!(user.attributes.contains(&Attribute::new("email", "anna@example.com")));
        let changed = [Attribute::new("name", "Anna Livia")];
        accounts.update_attributes(&tokens.access_token, &changed).await.expect("a new name");
        let user = accounts.get_user(&tokens.access_token).await.expect("a user");
        assert!(user.attributes.contains(&changed[0]));
        let rejected =
            accounts.change_password(&tokens.access_token, &secret("Wrong-1-x"), &secret(NEW_PASSWORD)).await;
        assert_eq!(name(rejected), AccountErrorCode::InvalidCredentials);
        let changed = accounts.change_password(&tokens.access_token, &secret(PASSWORD), &secret(NEW_PASSWORD)).await;
        changed.expect("a new password");
        assert_eq!(name(accounts.sign_in("anna", &secret(PASSWORD)).await), AccountErrorCode::InvalidCredentials);

        // An ID token and a forged token are not access tokens.
        let id_token = tokens.id_token.expect("an ID token");
        assert_eq!(name(accounts.get_user(&id_token).await), AccountErrorCode::TokenInvalid);
        assert_eq!(name(accounts.get_user(&secret("a.b.c")).await), AccountErrorCode::TokenInvalid);

        accounts.sign_out(&tokens.access_token).await.expect("a sign-out");
        accounts.delete_user(&tokens.access_token).await.map_err(|error| error.internal).err();
        let tokens = self::tokens(accounts.sign_in("anna", &secret(NEW_PASSWORD)).await);
        accounts.delete_user(&tokens.access_token).await.expect("the end");
        assert_eq!(name(accounts.sign_in("anna", &secret(NEW_PASSWORD)).await), AccountErrorCode::InvalidCredentials);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_refreshed_with_both_flows_and_revoked() {
    let server = Ministack::start().await;
    for has_client_secret in [false, true] {
        let pool = server.create_pool(PoolOptions { has_client_secret, ..PoolOptions::default() }).await;
        for flow in [RefreshFlow::Rotation, RefreshFlow::RefreshTokenAuth] {
            let accounts = account_builder(server.endpoint(), &pool)
                .await
                .refresh_flow(flow)
                .build()
                .await
                .expect("the accounts build");
            let user = format!("anna{flow:?}");
            join(&accounts, &user).await;
            let first = tokens(accounts.sign_in(&user, &secret(PASSWORD)).await);
            let refresh_token = first.refresh_token.expect("a refresh token");
            let refreshed = accounts.refresh(&refresh_token, Some(&user)).await.expect("new tokens");
            assert_eq!(refreshed.verified.username.as_deref(), Some(user.as_str()));
            let latest = refreshed.refresh_token.unwrap_or(refresh_token);
            accounts.revoke_token(&latest).await.expect("it is revoked");
            assert_eq!(name(accounts.refresh(&latest, Some(&user)).await), AccountErrorCode::TokenInvalid);
            assert_eq!(name(accounts.refresh(&secret("bogus"), Some(&user)).await), AccountErrorCode::TokenInvalid);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_reset_with_the_code() {
    let server = Ministack::start().await;
    let pool = server.create_pool(PoolOptions::default()).await;
    let accounts = accounts(&server, &pool).await;
    join(&accounts, "anna").await;
    let accepted = accounts.forgot_password("anna").await.expect("a code");
    assert_eq!((accepted.delivery.medium, accepted.delivery.destination), (DeliveryMedium::OnFile, None));
    let wrong = accounts.confirm_forgot_password("anna", &secret("000000"), &secret(NEW_PASSWORD)).await;
    assert_eq!(name(wrong), AccountErrorCode::InvalidCode);
    let weak = accounts.confirm_forgot_password("anna", &secret(RESET_CODE), &secret("weak")).await;
    assert_eq!(name(weak), AccountErrorCode::PasswordRejected);
    let set = accounts.confirm_forgot_password("anna", &secret(RESET_CODE), &secret(NEW_PASSWORD)).await;
    set.expect("a new password");
    let again = accounts.confirm_forgot_password("anna", &secret(RESET_CODE), &secret(PASSWORD)).await;
    assert_eq!(name(again), AccountErrorCode::InvalidCode, "a code can be used once");
    tokens(accounts.sign_in("anna", &secret(NEW_PASSWORD)).await);
    let metrics = accounts.verifier().metrics();
    let line = "poolgate_account_flows_total{flow=\"sign-in\",response=\"done\",internal=\"\"} 1";
    assert!(metrics.contains(line), "{metrics}");
}

/// The current code of an authenticator app (RFC 6238, SHA-1, 30 seconds, six digits).
fn totp(secret: &SecretString) -> SecretString {
    use aws_lc_rs::hmac;
    let mut key = Vec::new();
    let (mut buffer, mut bits) = (0_u32, 0);
    for symbol in secret.expose_secret().bytes().filter(|byte| *byte != b'=') {
        let value = match symbol {
            b'A'..=b'Z' => symbol - b'A',
            b'2'..=b'7' => symbol - b'2' + 26,
            other => panic!("base32 has no {other}"),
        };
        (buffer, bits) = (buffer << 5 | u32::from(value), bits + 5);
        if bits >= 8 {
            bits -= 8;
            key.push((buffer >> bits) as u8);
        }
    }
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
    let tag = hmac::sign(&key, &(now() / 30).to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag[19] & 15);
    let number = u32::from_be_bytes(tag[offset..offset + 4].try_into().expect("four bytes")) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn challenges_are_answered() {
    let server = Ministack::start().await;
    let pool = server.create_pool(PoolOptions::default()).await;
    let accounts = accounts(&server, &pool).await;

    // NEW_PASSWORD_REQUIRED: the user was created by an administrator.
    let temporary = json!({ "Username": "anna", "TemporaryPassword": PASSWORD, "MessageAction": "SUPPRESS" });
    pool.administer("AdminCreateUser", temporary).await;
    let Ok(SignedIn::Challenge(challenge)) = accounts.sign_in("anna", &secret(PASSWORD)).await else {
        panic!("no challenge")
    };
    assert_eq!(challenge.name, ChallengeName::NewPasswordRequired);
    let weak = ChallengeAnswer::NewPassword(secret("weak"), vec![]);
    let rejected = accounts.answer_challenge(&challenge.username, &challenge.session, &weak).await;
    assert_eq!(name(rejected), AccountErrorCode::PasswordRejected);
    let answer = ChallengeAnswer::NewPassword(secret(NEW_PASSWORD), vec![Attribute::new("name", "Anna")]);
    let signed_in = accounts.answer_challenge(&challenge.username, &challenge.session, &answer).await;
    let anna = tokens(signed_in);

    let optional = json!({ "MfaConfiguration": "OPTIONAL", "SoftwareTokenMfaConfiguration": { "Enabled": true } });
    pool.administer("SetUserPoolMfaConfig", optional).await;
    // An authenticator app, which a signed-in user sets up and then prefers.
    let owner = TotpOwner::AccessToken(anna.access_token.clone());
    let app = accounts.associate_totp(&owner).await.expect("a secret");
    accounts.verify_totp(&owner, &totp(&app.secret_code), Some("Anna's phone")).await.expect("the code is right");
    let wanted = Some(MfaSetting { enabled: true, preferred: true });
    let preference = MfaPreference { software_token: wanted, ..MfaPreference::default() };
    accounts.set_mfa_preference(&anna.access_token, preference).await.expect("it is wanted");
    let user = accounts.get_user(&anna.access_token).await.expect("a user");
    assert_eq!(user.preferred_mfa.as_deref(), Some("SOFTWARE_TOKEN_MFA"));

    for srp in [false, true] {
        let signed_in = match srp {
            false => accounts.sign_in("anna", &secret(NEW_PASSWORD)).await,
            true => accounts.sign_in_srp("anna", &secret(NEW_PASSWORD)).await,
        };
        let Ok(SignedIn::Challenge(challenge)) = signed_in else { panic!("no challenge") };
        assert_eq!(challenge.name, ChallengeName::SoftwareTokenMfa);
        let answer = ChallengeAnswer::SoftwareToken(totp(&app.secret_code));
        let signed_in = accounts.answer_challenge(&challenge.username, &challenge.session, &answer).await;
        assert_eq!(tokens(signed_in).verified.username.as_deref(), Some("anna"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attribute_is_verified_with_the_code_that_is_sent_for_it() {
    let server = CognitoLocal::start().await;
    let issuer = server.issuer();
    let configured = Pool::issuer(&issuer).jwks_url(format!("{issuer}/.well-known/jwks.json"));
    let configured = configured.client_ids([&server.client_id]);
    let builder = over(&server.endpoint, configured, &server.pool_id, &server.client_id).await;
    let accounts = builder.build().await.expect("the accounts build");
    let email = [Attribute::new("email", "anna@example.com")];
    accounts.sign_up("anna", &secret(PASSWORD), &email).await.expect("a sign-up");
    accounts.confirm_sign_up("anna", &secret(CODE)).await.expect("the code is right");
    let token = tokens(accounts.sign_in("anna", &secret(PASSWORD)).await).access_token;
    let accepted = accounts.send_attribute_code(&token, "email").await.expect("a code is on its way");
    // The destination is not returned, because it would reveal whether an earlier change of the address succeeded.
    assert_eq!((accepted.delivery.medium, accepted.delivery.destination), (DeliveryMedium::Email, None));
    assert_eq!(accepted.suppressed_error, None);
    let wrong = accounts.verify_attribute(&token, "email", &secret("000000")).await;
    assert_eq!(name(wrong), AccountErrorCode::InvalidCode);
    accounts.verify_attribute(&token, "email", &secret(CODE)).await.expect("the code is right");
    let user = accounts.get_user(&token).await.expect("a user");
    assert!(user.attributes.contains(&Attribute::new("email_verified", "true")), "{user:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn debug_output_and_errors_contain_no_secret_and_no_personal_data() {
    let server = Ministack::start().await;
    let pool = server.create_pool(PoolOptions { has_client_secret: true, ..PoolOptions::default() }).await;
    let builder = account_builder(server.endpoint(), &pool).await;
    let mut shown = format!("{builder:?}");
    let accounts = builder.build().await.expect("the accounts build");
    join(&accounts, "anna-the-person").await;
    let tokens = tokens(accounts.sign_in("anna-the-person", &secret(PASSWORD)).await);
    let user = accounts.get_user(&tokens.access_token).await.expect("a user");
    let app = accounts.associate_totp(&TotpOwner::AccessToken(tokens.access_token.clone())).await.expect("a secret");
    let accepted = accounts.forgot_password("anna-the-person").await.expect("a code");
    let temporary = json!({ "Username": "berta", "TemporaryPassword": PASSWORD, "MessageAction": "SUPPRESS" });
    pool.administer("AdminCreateUser", temporary).await;
    let challenged = accounts.sign_in("berta", &secret(PASSWORD)).await.expect("a challenge");
    let wrong = accounts.sign_in("anna-the-person", &secret("Wrong-Horse-7")).await.expect_err("it is wrong");
    shown += &format!("{accounts:?} {tokens:?} {user:?} {app:?} {accepted:?} {challenged:?} {wrong:?} {wrong}");
    for answer in [
        ChallengeAnswer::NewPassword(secret(NEW_PASSWORD), vec![Attribute::new("name", "Anna Livia")]),
        ChallengeAnswer::SoftwareToken(secret("987654")),
        ChallengeAnswer::Sms(secret("987654")),
        ChallengeAnswer::EmailOtp(secret("987654")),
    ] {
        shown += &format!("{answer:?}");
    }
    let SignedIn::Challenge(challenge) = challenged else { panic!("no challenge") };
    let owner = TotpOwner::Session(challenge.session.clone());
    shown += &format!("{owner:?}");
    let [id_token, refresh_token] = [tokens.id_token, tokens.refresh_token].map(|token| token.expect("a token"));
    let secrets = [&tokens.access_token, &id_token, &refresh_token, &app.secret_code, &challenge.session]
        .map(|it| it.expose_secret());
    let client_secret = pool.client_secret.as_deref().expect("a secret");
    let typed = [PASSWORD, NEW_PASSWORD, "Wrong-Horse-7", "987654", "Anna Livia", "anna-the-person", client_secret];
    for hidden in secrets.into_iter().chain(typed) {
        assert!(!shown.contains(hidden), "{}… is shown", &hidden[..4]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_concurrent_sign_ins_succeed() {
    let server = Ministack::start().await;
    let pool = server.create_pool(PoolOptions::default()).await;
    let accounts = accounts(&server, &pool).await;
    join(&accounts, "anna").await;
    let tasks: Vec<_> = (0..200)
        .map(|_| {
            let accounts = accounts.clone();
            tokio::spawn(async move { accounts.sign_in("anna", &secret(PASSWORD)).await })
        })
        .collect();
    for task in tasks {
        tokens(task.await.expect("no panic"));
    }
    assert_eq!(accounts.calls_in_progress(), 0);
    assert_eq!(accounts.verifier().sandbox_failures(), 0);
}
