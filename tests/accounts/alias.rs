//! A sign-in with an alias (an email address, a phone number, a preferred username), and then a second factor.

use crate::{
    account_setup::{PASSWORD, account_builder, secret},
    scripted_cognito::{Reply, ScriptedCognito},
};
use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use poolgate::accounts::{AccountErrorCode, ChallengeAnswer, ChallengeName, SignedIn};
use poolgate_tests::{ministack::Ministack, test_pool::PoolOptions};
use serde_json::{Value, json};

const ALIAS: &str = "anna@example.com";
/// The username that Cognito uses for the user.
const USER_ID: &str = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";

/// Returns the username in the first challenge only, and then accepts no other username.
fn script(operation: &str, request: &Value) -> Reply {
    let challenge = request["ChallengeName"].as_str().unwrap_or_default();
    match (operation, challenge) {
        ("InitiateAuth", _) if request["AuthFlow"] == "USER_SRP_AUTH" => {
            // Valid SRP parameters. The proof is not checked.
            let parameters = json!({ "USERNAME": USER_ID, "USER_ID_FOR_SRP": USER_ID, "SALT": "c0ffee", "SRP_B": "2f".repeat(384),
                                     "SECRET_BLOCK": STANDARD.encode("a secret block") });
            Reply::Body(json!({ "ChallengeName": "PASSWORD_VERIFIER", "ChallengeParameters": parameters }))
        }
        ("InitiateAuth", _) => {
            let parameters = json!({ "USER_ID_FOR_SRP": USER_ID });
            Reply::Body(json!({ "ChallengeName": "SOFTWARE_TOKEN_MFA", "Session": "a-session-of-the-first-step",
                                "ChallengeParameters": parameters }))
        }
        (_, _) if request["ChallengeResponses"]["USERNAME"] != USER_ID => Reply::Exception("NotAuthorizedException"),
        (_, "PASSWORD_VERIFIER") => {
            Reply::Body(json!({ "ChallengeName": "SOFTWARE_TOKEN_MFA", "Session": "a-session-of-the-second-step",
                                "ChallengeParameters": {} }))
        }
        (_, "SOFTWARE_TOKEN_MFA") => Reply::Exception("CodeMismatchException"),
        _ => Reply::Pass,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_sign_in_with_an_alias_the_second_factor_is_sent_with_cognitos_username() {
    let server = Ministack::start().await;
    let pool = server.create_pool(PoolOptions { has_client_secret: true, ..PoolOptions::default() }).await;
    let proxy = ScriptedCognito::start(server.endpoint(), script).await;
    let accounts = account_builder(&proxy.endpoint, &pool).await.build().await.expect("the accounts build");
    let client_secret = pool.client_secret.as_deref().expect("a secret");
    // "Computing secret hash values", Amazon Cognito developer guide.
    let secret_hash = |username: &str| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, client_secret.as_bytes());
        STANDARD.encode(hmac::sign(&key, format!("{username}{}", pool.client_id).as_bytes()))
    };
    for signed_in in
        [accounts.sign_in_srp(ALIAS, &secret(PASSWORD)).await, accounts.sign_in(ALIAS, &secret(PASSWORD)).await]
    {
        let challenge = match signed_in {
            Ok(SignedIn::Challenge(challenge)) => challenge,
            Ok(SignedIn::Tokens(_)) => panic!("tokens without a second factor"),
            Err(problem) => panic!("{problem}: {:?}", problem.internal),
        };
        assert_eq!((challenge.name, challenge.username.as_str()), (ChallengeName::SoftwareTokenMfa, USER_ID));
        let code = ChallengeAnswer::SoftwareToken(secret("123456"));
        let answered = accounts.answer_challenge(&challenge.username, &challenge.session, &code).await;
        // The code is checked, so the username was correct.
        assert_eq!(answered.expect_err("the code is wrong").code, AccountErrorCode::InvalidCode);
    }
    let begun = proxy.asked("InitiateAuth");
    assert_eq!(begun.len(), 2);
    for request in begun {
        assert_eq!(request["AuthParameters"]["USERNAME"], ALIAS);
        assert_eq!(request["AuthParameters"]["SECRET_HASH"], secret_hash(ALIAS));
    }
    let answered = proxy.asked("RespondToAuthChallenge");
    assert_eq!(answered.len(), 3);
    for request in answered {
        assert_eq!(request["ChallengeResponses"]["SECRET_HASH"], secret_hash(USER_ID), "{}", request["ChallengeName"]);
    }
}
