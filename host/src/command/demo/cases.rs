//! The tokens of the demo: those that an application sees every day, and those of an attacker.

use super::{
    issuer::Signer,
    pools::{API_POOL, CLIENT, GROUP, WEB_POOL},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// A token and its expected verdict.
pub struct Case {
    pub name: &'static str,
    pub token: String,
    pub expected: Expected,
}

#[derive(Clone, Copy)]
pub enum Expected {
    Allow,
    Deny(&'static str),
}

pub fn all(api: &Signer, web: &Signer, forger: &Signer, now: u64) -> Vec<Case> {
    use Expected::{Allow, Deny};
    let access = || access_claims(now);
    let header = header(api);
    let sign = |claims: Value| api.sign(&header, &claims.to_string());
    let valid = sign(access());
    let (input, signature) = valid.rsplit_once('.').unwrap_or_default();
    let case = |name, token: String, expected| Case { name, token, expected };
    vec![
        case("an access token", valid.clone(), Allow),
        case("the same token again", valid.clone(), Allow),
        case("an ID token, at the web pool", web.sign(&self::header(web), &id_claims(now).to_string()), Allow),
        case("an access token that expired a second ago", sign(with(access(), "exp", json!(now - 1))), Deny("expired")),
        case(
            "an access token that is valid from tomorrow",
            sign(with(access(), "nbf", json!(now + 86_400))),
            Deny("not-yet-valid"),
        ),
        case("an access token without an expiry", sign(without(access(), "exp")), Deny("expiry-missing")),
        case(
            "an ID token instead of an access token",
            sign(with(id_claims(now), "iss", json!(issuer(API_POOL)))),
            Deny("token-use-mismatch"),
        ),
        case(
            "an access token of another app client",
            sign(with(access(), "client_id", json!("another"))),
            Deny("client-mismatch"),
        ),
        case(
            "an access token of a user without the group",
            sign(without(access(), "cognito:groups")),
            Deny("group-missing"),
        ),
        case(
            "an access token of an unknown pool",
            sign(with(access(), "iss", json!(issuer("eu-west-1_Other0001")))),
            Deny("issuer-unknown"),
        ),
        case(
            "forged: the real key ID, another key",
            forger.sign(&header, &access().to_string()),
            Deny("signature-invalid"),
        ),
        case(
            "forged: signed by the web pool's key",
            web.sign(&self::header(web), &access().to_string()),
            Deny("key-unknown"),
        ),
        case("forged: groups changed after signing", tampered(&valid, &access()), Deny("signature-invalid")),
        case("forged: alg none, no signature", unsigned(&access()), Deny("algorithm-none")),
        case("forged: HS256 with the public key as the secret", hmac(api, &access()), Deny("algorithm-symmetric")),
        case(
            "forged: contains its own key",
            forger.sign(&embedded(forger), &access().to_string()),
            Deny("embedded-key"),
        ),
        case("an unknown critical header", api.sign(&critical(api), &access().to_string()), Deny("critical-header")),
        case("two claims with the same name", api.sign(&header, &doubled(&access())), Deny("payload-duplicate-member")),
        case("padded with ==", format!("{valid}=="), Deny("encoding-padded")),
        case(
            "one unused bit of the signature flipped",
            format!("{input}.{}", respelled(signature)),
            Deny("encoding-not-canonical"),
        ),
        case("an encrypted token (five parts)", format!("{valid}.x.y"), Deny("token-encrypted")),
        case("not a token", "hello".into(), Deny("token-not-three-parts")),
    ]
}

fn issuer(pool: &str) -> String {
    format!("https://cognito-idp.eu-west-1.amazonaws.com/{pool}")
}

fn header(signer: &Signer) -> String {
    json!({ "kid": signer.key_id(), "alg": "RS256" }).to_string()
}

/// The claims of an access token (Amazon Cognito developer guide, "Understanding the access token").
fn access_claims(now: u64) -> Value {
    json!({
        "sub": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee",
        "cognito:groups": [GROUP],
        "iss": issuer(API_POOL),
        "client_id": CLIENT,
        "origin_jti": "11111111-2222-4333-8444-555555555555",
        "token_use": "access",
        "scope": "aws.cognito.signin.user.admin",
        "auth_time": now,
        "exp": now + 3600,
        "iat": now,
        "jti": "66666666-7777-4888-8999-000000000000",
        "username": "ada",
    })
}

/// The claims of an ID token (Amazon Cognito developer guide, "Understanding the ID token").
fn id_claims(now: u64) -> Value {
    json!({
        "sub": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee",
        "cognito:groups": [GROUP],
        "email_verified": true,
        "iss": issuer(WEB_POOL),
        "cognito:username": "ada",
        "aud": CLIENT,
        "token_use": "id",
        "auth_time": now,
        "exp": now + 3600,
        "iat": now,
        "email": "ada@example.com",
    })
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

fn without(mut claims: Value, name: &str) -> Value {
    if let Some(members) = claims.as_object_mut() {
        members.shift_remove(name);
    }
    claims
}

/// A token with another payload and the original signature.
fn tampered(token: &str, claims: &Value) -> String {
    let payload = URL_SAFE_NO_PAD.encode(with(claims.clone(), "cognito:groups", json!(["admins"])).to_string());
    let mut parts = token.split('.');
    let (header, signature) = (parts.next().unwrap_or_default(), parts.nth(1).unwrap_or_default());
    format!("{header}.{payload}.{signature}")
}

fn unsigned(claims: &Value) -> String {
    let header = json!({ "alg": "none" }).to_string();
    format!("{}.{}.", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// Algorithm confusion: a verifier that trusts `alg` would use the public key as a shared secret (RFC 8725 section 2.1).
fn hmac(signer: &Signer, claims: &Value) -> String {
    let header = json!({ "kid": signer.key_id(), "alg": "HS256" }).to_string();
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims.to_string()));
    let secret = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, signer.jwk().to_string().as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(aws_lc_rs::hmac::sign(&secret, input.as_bytes())))
}

fn embedded(signer: &Signer) -> String {
    json!({ "kid": signer.key_id(), "alg": "RS256", "jwk": signer.jwk() }).to_string()
}

fn critical(signer: &Signer) -> String {
    json!({ "kid": signer.key_id(), "alg": "RS256", "crit": ["exp"] }).to_string()
}

/// A payload with two `client_id` members. Some parsers use the first one, others the last one.
fn doubled(claims: &Value) -> String {
    let text = claims.to_string();
    format!("{},\"client_id\":\"{CLIENT}\"}}", text.strip_suffix('}').unwrap_or(&text))
}

/// Another encoding of the same bytes: the unused bits of the last character are set.
fn respelled(part: &str) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = part.to_owned();
    let last = text.pop().and_then(|last| ALPHABET.find(last)).unwrap_or_default();
    text.extend(ALPHABET.chars().nth(last + 1));
    text
}
