//! Every account flow through the component, with real Cognito-compatible servers.

use poolgate::{
    Pool, TokenUseRule, Verifier,
    accounts::{
        Accounts, AccountsBuilder, Attribute, ChallengeAnswer, ChallengeName, DeliveryMedium, Floor, MfaPreference,
        MfaSetting, Problem, ProblemName, RefreshFlow, SignedIn, Tokens, TotpOwner,
    },
};
use poolgate_tests::{
    ministack::Ministack,
    test_pool::{PoolOptions, TestPool},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::path::{Path, PathBuf};

const PASSWORD: &str = "Correct-Horse-7";
const NEW_PASSWORD: &str = "Better-Horse-8";
/// What ministack sends for a sign-up, and for a new password.
const SIGN_UP_CODE: &str = "123456";
const RESET_CODE: &str = "654321";

/// Made once for all runs, in the target folder.
fn python_directory() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("python").join("ministack")
}

fn secret(text: &str) -> SecretString {
    text.into()
}

async fn builder(server: &Ministack, pool: &TestPool) -> AccountsBuilder {
    let stated = Pool::user_pool(&pool.pool_id).jwks_url(&pool.jwks_url).client_ids([&pool.client_id]);
    let verifier = Verifier::builder()
        .pool(stated.token_use(TokenUseRule::AccessOrId))
        .allow_http_loopback(true)
        .compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"))
        .build()
        .await
        .expect("the verifier builds");
    let builder = Accounts::builder(verifier, &pool.pool_id, &pool.client_id)
        .endpoint(server.endpoint())
        .allow_http_loopback(true)
        .floor(Floor::OFF)
        .compilation_cache(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"));
    match &pool.client_secret {
        Some(client_secret) => builder.client_secret(secret(client_secret)),
        None => builder,
    }
}

async fn accounts(server: &Ministack, pool: &TestPool) -> Accounts {
    builder(server, pool).await.build().await.expect("the accounts build")
}

fn tokens(signed_in: Result<SignedIn, Problem>) -> Tokens {
    match signed_in {
        Ok(SignedIn::Tokens(tokens)) => *tokens,
        Ok(SignedIn::Challenge(challenge)) => panic!("a challenge: {challenge:?}"),
        Err(problem) => panic!("{problem}: {:?}", problem.private),
    }
}

fn name<T>(answer: Result<T, Problem>) -> ProblemName {
    answer.err().expect("a problem").name
}

/// A user who is confirmed.
async fn join(accounts: &Accounts, username: &str) {
    let email = [Attribute::new("email", format!("{username}@example.com"))];
    let accepted = accounts.sign_up(username, &secret(PASSWORD), &email).await.expect("a sign-up");
    assert_eq!(accepted.hidden, None);
    accounts.confirm_sign_up(username, &secret(SIGN_UP_CODE)).await.expect("the code is right");
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_up_sign_in_and_everything_after_with_and_without_a_client_secret() {
    let server = Ministack::start(python_directory()).await;
    for has_client_secret in [false, true] {
        let pool = server.create_pool(PoolOptions { has_client_secret, ..PoolOptions::default() }).await;
        let accounts = accounts(&server, &pool).await;
        let email = [Attribute::new("email", "anna@example.com")];
        let accepted = accounts.sign_up("anna", &secret(PASSWORD), &email).await.expect("a sign-up");
        assert_eq!(accepted.delivery.destination.as_deref(), Some("a***@e***"));
        assert_eq!((accepted.delivery.medium, accepted.hidden), (DeliveryMedium::Email, None));
        assert_eq!(name(accounts.sign_in("anna", &secret(PASSWORD)).await), ProblemName::InvalidCredentials);
        assert_eq!(accounts.resend_code("anna").await.expect("a code").hidden, None);
        assert_eq!(name(accounts.confirm_sign_up("anna", &secret("000000")).await), ProblemName::InvalidCode);
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
            assert_eq!(name(wrong), ProblemName::InvalidCredentials);
        }

        let tokens = tokens(accounts.sign_in("anna", &secret(PASSWORD)).await);
        let user = accounts.get_user(&tokens.access_token).await.expect("a user");
        assert_eq!(user.username, "anna");
        assert!(user.attributes.contains(&Attribute::new("email", "anna@example.com")));
        let changed = [Attribute::new("name", "Anna Livia")];
        accounts.update_attributes(&tokens.access_token, &changed).await.expect("a new name");
        let user = accounts.get_user(&tokens.access_token).await.expect("a user");
        assert!(user.attributes.contains(&changed[0]));
        let refused = accounts.change_password(&tokens.access_token, &secret("Wrong-1-x"), &secret(NEW_PASSWORD)).await;
        assert_eq!(name(refused), ProblemName::InvalidCredentials);
        let changed = accounts.change_password(&tokens.access_token, &secret(PASSWORD), &secret(NEW_PASSWORD)).await;
        changed.expect("a new password");
        assert_eq!(name(accounts.sign_in("anna", &secret(PASSWORD)).await), ProblemName::InvalidCredentials);

        // An ID token is no access token, and a forged one is none.
        let id_token = tokens.id_token.expect("an ID token");
        assert_eq!(name(accounts.get_user(&id_token).await), ProblemName::TokenInvalid);
        assert_eq!(name(accounts.get_user(&secret("a.b.c")).await), ProblemName::TokenInvalid);

        accounts.sign_out(&tokens.access_token).await.expect("a sign-out");
        accounts.delete_user(&tokens.access_token).await.map_err(|problem| problem.private).err();
        let tokens = self::tokens(accounts.sign_in("anna", &secret(NEW_PASSWORD)).await);
        accounts.delete_user(&tokens.access_token).await.expect("the end");
        assert_eq!(name(accounts.sign_in("anna", &secret(NEW_PASSWORD)).await), ProblemName::InvalidCredentials);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_refreshed_both_ways_and_revoked() {
    let server = Ministack::start(python_directory()).await;
    for has_client_secret in [false, true] {
        let pool = server.create_pool(PoolOptions { has_client_secret, ..PoolOptions::default() }).await;
        for flow in [RefreshFlow::Rotation, RefreshFlow::RefreshTokenAuth] {
            let accounts = builder(&server, &pool).await.refresh_flow(flow).build().await.expect("the accounts build");
            let user = format!("anna{flow:?}");
            join(&accounts, &user).await;
            let first = tokens(accounts.sign_in(&user, &secret(PASSWORD)).await);
            let refresh_token = first.refresh_token.expect("a refresh token");
            let refreshed = accounts.refresh(&refresh_token, Some(&user)).await.expect("new tokens");
            assert_eq!(refreshed.verified.username.as_deref(), Some(user.as_str()));
            let latest = refreshed.refresh_token.unwrap_or(refresh_token);
            accounts.revoke_token(&latest).await.expect("it is revoked");
            assert_eq!(name(accounts.refresh(&latest, Some(&user)).await), ProblemName::TokenInvalid);
            assert_eq!(name(accounts.refresh(&secret("bogus"), Some(&user)).await), ProblemName::TokenInvalid);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_set_anew_with_the_code() {
    let server = Ministack::start(python_directory()).await;
    let pool = server.create_pool(PoolOptions::default()).await;
    let accounts = accounts(&server, &pool).await;
    join(&accounts, "anna").await;
    let accepted = accounts.forgot_password("anna").await.expect("a code");
    assert_eq!((accepted.delivery.medium, accepted.delivery.destination), (DeliveryMedium::OnFile, None));
    let wrong = accounts.confirm_forgot_password("anna", &secret("000000"), &secret(NEW_PASSWORD)).await;
    assert_eq!(name(wrong), ProblemName::InvalidCode);
    let weak = accounts.confirm_forgot_password("anna", &secret(RESET_CODE), &secret("weak")).await;
    assert_eq!(name(weak), ProblemName::PasswordRejected);
    let set = accounts.confirm_forgot_password("anna", &secret(RESET_CODE), &secret(NEW_PASSWORD)).await;
    set.expect("a new password");
    let again = accounts.confirm_forgot_password("anna", &secret(RESET_CODE), &secret(PASSWORD)).await;
    assert_eq!(name(again), ProblemName::InvalidCode, "a code serves once");
    tokens(accounts.sign_in("anna", &secret(NEW_PASSWORD)).await);
    let metrics = accounts.verifier().metrics().await.expect("the metrics");
    let line = "poolgate_account_flows_total{flow=\"sign-in\",answer=\"done\",private=\"\"} 1";
    assert!(metrics.contains(line), "{metrics}");
}

/// The code of an authenticator app now (RFC 6238, SHA-1, 30 seconds, six digits).
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
    let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
    let tag = hmac::sign(&key, &(seconds / 30).to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag[19] & 15);
    let number = u32::from_be_bytes(tag[offset..offset + 4].try_into().expect("four bytes")) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn challenges_are_answered() {
    let server = Ministack::start(python_directory()).await;
    let pool = server.create_pool(PoolOptions::default()).await;
    let accounts = accounts(&server, &pool).await;

    // NEW_PASSWORD_REQUIRED: a user whom an administrator made.
    let temporary = json!({ "Username": "anna", "TemporaryPassword": PASSWORD, "MessageAction": "SUPPRESS" });
    pool.administer("AdminCreateUser", temporary).await;
    let Ok(SignedIn::Challenge(challenge)) = accounts.sign_in("anna", &secret(PASSWORD)).await else {
        panic!("no challenge")
    };
    assert_eq!(challenge.name, ChallengeName::NewPasswordRequired);
    let weak = ChallengeAnswer::NewPassword(secret("weak"), vec![]);
    let refused = accounts.answer_challenge(&challenge.username, &challenge.session, &weak).await;
    assert_eq!(name(refused), ProblemName::PasswordRejected);
    let answer = ChallengeAnswer::NewPassword(secret(NEW_PASSWORD), vec![Attribute::new("name", "Anna")]);
    let signed_in = accounts.answer_challenge(&challenge.username, &challenge.session, &answer).await;
    let anna = tokens(signed_in);

    let optional = json!({ "MfaConfiguration": "OPTIONAL", "SoftwareTokenMfaConfiguration": { "Enabled": true } });
    pool.administer("SetUserPoolMfaConfig", optional).await;
    // An authenticator app, set up by a signed-in user, who then says that it is asked for.
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
async fn two_hundred_sign_ins_at_once_and_none_is_lost() {
    let server = Ministack::start(python_directory()).await;
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
    assert_eq!(accounts.calls_under_way(), 0);
    assert_eq!(accounts.verifier().sandbox_failures(), 0);
}
