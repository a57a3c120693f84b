//! Creates valid and malformed tokens, all of them signed. A [`Draft`] accepts any members and any bytes.

use crate::keys::TestKey;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use poolgate_core::Algorithm;

/// The time of every test, in seconds since the Unix epoch. No test reads a clock.
pub const NOW: u64 = 1_700_000_000;
/// The user pool of the tests.
pub const POOL_ID: &str = "eu-west-1_EXAMPLE01";
/// Its issuer.
pub const ISSUER: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE01";
/// Its app client.
pub const CLIENT_ID: &str = "1example23456789exampleapp";
/// Its key, with the characters that a `kid` of Cognito has.
pub const KEY_ID: &str = "kMj/EXAMPLE+signing0key=";
/// The user.
pub const SUBJECT: &str = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";

/// The members of a JSON object as text, in order. A name may occur twice, and a value may be invalid JSON.
#[derive(Clone, Debug, Default)]
pub struct Members(Vec<(String, String)>);

impl Members {
    fn set(&mut self, name: &str, value: &str) {
        match self.0.iter_mut().find(|(member, _)| member == name) {
            Some((_, old)) => *old = value.to_owned(),
            None => self.add(name, value),
        }
    }

    fn add(&mut self, name: &str, value: &str) {
        self.0.push((name.to_owned(), value.to_owned()));
    }

    fn remove(&mut self, name: &str) {
        self.0.retain(|(member, _)| member != name);
    }

    /// Returns the object as text. Names and values are not escaped.
    pub fn text(&self) -> String {
        let members: Vec<String> = self.0.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    }
}

/// A token before it is signed. The signature includes all changes.
#[derive(Clone)]
pub struct Draft {
    header: Members,
    payload: Members,
    raw_header: Option<Vec<u8>>,
    raw_payload: Option<Vec<u8>>,
    key: &'static TestKey,
    algorithm: Algorithm,
}

impl Draft {
    /// Creates an access token like those of Cognito, signed with RS256.
    pub fn access(key: &'static TestKey) -> Self {
        Self::with_claims(
            key,
            &[
                ("client_id", &format!("\"{CLIENT_ID}\"")),
                ("token_use", "\"access\""),
                ("scope", "\"openid orders/read orders/write\""),
                ("username", "\"ada\""),
                ("version", "2"),
            ],
        )
    }

    /// Creates an ID token like those of Cognito, signed with RS256.
    pub fn id(key: &'static TestKey) -> Self {
        Self::with_claims(
            key,
            &[
                ("aud", &format!("\"{CLIENT_ID}\"")),
                ("token_use", "\"id\""),
                ("cognito:username", "\"ada\""),
                ("email", "\"ada@example.com\""),
                ("email_verified", "true"),
            ],
        )
    }

    /// Creates a token of another issuer, signed with RS256, with the registered claims that almost all tokens have.
    pub fn of_issuer(key: &'static TestKey, issuer: &str) -> Self {
        let mut draft = Self::with_claims(key, &[]);
        draft.payload = Members::default();
        draft
            .claim("iss", format!("\"{issuer}\""))
            .claim("sub", format!("\"{SUBJECT}\""))
            .claim("iat", NOW - 60)
            .claim("exp", NOW + 3540)
    }

    /// Creates a token with the claims that all of Cognito's tokens have; see "Understanding user pool JSON web tokens"
    /// in its developer guide.
    fn with_claims(key: &'static TestKey, claims: &[(&str, &str)]) -> Self {
        let mut payload = Members::default();
        for (name, value) in [
            ("sub", format!("\"{SUBJECT}\"")),
            ("iss", format!("\"{ISSUER}\"")),
            ("cognito:groups", "[\"readers\",\"writers\"]".to_owned()),
            ("origin_jti", "\"11111111-2222-4333-8444-555555555555\"".to_owned()),
            ("event_id", "\"22222222-3333-4444-8555-666666666666\"".to_owned()),
            ("auth_time", (NOW - 60).to_string()),
            ("iat", (NOW - 60).to_string()),
            ("exp", (NOW + 3540).to_string()),
            ("jti", "\"33333333-4444-4555-8666-777777777777\"".to_owned()),
        ] {
            payload.add(name, &value);
        }
        claims.iter().for_each(|(name, value)| payload.add(name, value));
        let mut header = Members::default();
        header.add("kid", &format!("\"{KEY_ID}\""));
        header.add("alg", "\"RS256\"");
        Self { header, payload, raw_header: None, raw_payload: None, key, algorithm: Algorithm::Rs256 }
    }

    /// Replaces a claim, or adds it. `value` is JSON text.
    pub fn claim(mut self, name: &str, value: impl ToString) -> Self {
        self.payload.set(name, &value.to_string());
        self
    }

    /// Adds a claim, even if one with this name exists.
    pub fn claim_again(mut self, name: &str, value: impl ToString) -> Self {
        self.payload.add(name, &value.to_string());
        self
    }

    /// Removes a claim.
    pub fn without_claim(mut self, name: &str) -> Self {
        self.payload.remove(name);
        self
    }

    /// Replaces a header member, or adds it. `value` is JSON text.
    pub fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.header.set(name, &value.to_string());
        self
    }

    /// Adds a header member, even if one with this name exists.
    pub fn header_again(mut self, name: &str, value: impl ToString) -> Self {
        self.header.add(name, &value.to_string());
        self
    }

    /// Removes a header member.
    pub fn without_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    /// Uses these bytes as the header.
    pub fn raw_header(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.raw_header = Some(bytes.into());
        self
    }

    /// Uses these bytes as the payload.
    pub fn raw_payload(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.raw_payload = Some(bytes.into());
        self
    }

    /// Signs with this key and algorithm, and sets `alg`.
    pub fn signed_with(self, key: &'static TestKey, algorithm: Algorithm) -> Self {
        let named = self.header("alg", format!("\"{}\"", algorithm.name()));
        Self { key, algorithm, ..named }
    }

    /// Signs with this key, without changing the header.
    pub fn signed_by(self, key: &'static TestKey) -> Self {
        Self { key, ..self }
    }

    /// Changes `jti` until the signature, as a number, is below the modulus of `other`, and returns the token with that
    /// signature: RSASSA-PSS and ECDSA make another one each time. A verifier with the key `other` then rejects the
    /// token because the signature does not match, and not because of its range. Keys are generated, so either modulus
    /// may be the greater.
    pub fn with_signature_below(self, other: &TestKey) -> String {
        let modulus = other.modulus();
        let drafts = (0..).map(|n| self.clone().claim("jti", format!("\"{n}\"")));
        let mut signed = drafts.map(|draft| (draft.signature(), draft)).filter(|(signature, _)| *signature < modulus);
        let (signature, draft) = signed.next().expect("about half of the signatures are");
        draft.compact_with(&signature)
    }

    /// Returns the bytes of the header.
    pub fn header_bytes(&self) -> Vec<u8> {
        self.raw_header.clone().unwrap_or_else(|| self.header.text().into_bytes())
    }

    /// Returns the bytes of the payload.
    pub fn payload_bytes(&self) -> Vec<u8> {
        self.raw_payload.clone().unwrap_or_else(|| self.payload.text().into_bytes())
    }

    /// Returns the JWS Signing Input (RFC 7515 section 5.1).
    pub fn signing_input(&self) -> String {
        format!("{}.{}", base64url(&self.header_bytes()), base64url(&self.payload_bytes()))
    }

    /// Returns the signature.
    pub fn signature(&self) -> Vec<u8> {
        self.key.sign(self.algorithm, self.signing_input().as_bytes())
    }

    /// Returns the token in the compact serialization.
    pub fn compact(&self) -> String {
        self.compact_with(&self.signature())
    }

    /// Returns the token with another signature.
    pub fn compact_with(&self, signature: &[u8]) -> String {
        format!("{}.{}", self.signing_input(), base64url(signature))
    }

    /// Returns the token with these texts as its first two parts, and a signature over them.
    pub fn compact_of(&self, header: &str, payload: &str) -> String {
        let input = format!("{header}.{payload}");
        let signature = self.key.sign(self.algorithm, input.as_bytes());
        format!("{input}.{}", base64url(&signature))
    }
}

impl From<Draft> for String {
    fn from(draft: Draft) -> Self {
        draft.compact()
    }
}

/// base64url without padding (RFC 7515 section 2).
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes a base64url text that was written by a test.
///
/// # Panics
/// Panics if it is invalid.
pub fn unbase64url(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect("base64url")
}

/// Returns another encoding of the same bytes, in which an unused bit of the last character is set. Returns `None` if
/// there is no unused bit.
pub fn with_unused_bit(part: &str) -> Option<String> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    if part.len().is_multiple_of(4) {
        return None;
    }
    let (rest, last) = part.split_at(part.len() - 1);
    let value = ALPHABET.iter().position(|letter| *letter == last.as_bytes()[0])?;
    Some(format!("{rest}{}", char::from(ALPHABET[value | 1])))
}
