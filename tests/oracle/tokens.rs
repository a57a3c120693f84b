//! Random variations of valid tokens: claims of any type, headers, algorithms, and changes of the compact serialization.

use crate::peer::{ALGORITHMS, signers};
use poolgate_core::Algorithm;
use poolgate_tests::minting::{CLIENT_ID, Draft, ISSUER, NOW};
use proptest::{
    collection::vec,
    option::weighted,
    prelude::*,
    sample::{Index, select},
};

/// A token, and how it was changed.
#[derive(Clone, Debug)]
pub struct Token {
    /// The compact serialization.
    pub compact: String,
    #[allow(dead_code, reason = "shown if the test fails")]
    changes: Changes,
}

#[derive(Clone, Debug)]
struct Changes {
    signer: usize,
    algorithm: Option<Algorithm>,
    claimed: Option<&'static str>,
    headers: Vec<Change>,
    claims: Vec<Change>,
    spelling: Option<Spelling>,
}

/// A change of one member.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Set(&'static str, String),
    Again(&'static str, String),
    Remove(&'static str),
}

/// A change of the compact serialization after signing.
#[derive(Clone, Debug)]
pub(crate) enum Spelling {
    Replace(Index, char),
    Insert(Index, char),
    Delete(Index),
    Append(&'static str),
    Cut(Index),
}

/// Tokens of all kinds. About one in four is valid.
pub fn strategy() -> impl Strategy<Value = Token> {
    (
        0..signers().len(),
        weighted(0.3, select(&ALGORITHMS[..])),
        weighted(0.1, select(&["none", "HS256", "RS256", "ES256", "EdDSA", "rs256", "ES512", ""][..])),
        prop_oneof![4 => vec(header_change(), 0..1), 2 => vec(header_change(), 1..3)],
        prop_oneof![2 => vec(claim_change(), 0..1), 4 => vec(claim_change(), 1..4)],
        weighted(0.25, spelling()),
    )
        .prop_map(|(signer, algorithm, claimed, headers, claims, spelling)| {
            let changes = Changes { signer, algorithm, claimed, headers, claims, spelling };
            Token { compact: changes.token(), changes }
        })
}

impl Changes {
    fn token(&self) -> String {
        let (key_id, key, own) = signers()[self.signer];
        // An RSA key can sign with six algorithms; the other keys have one algorithm each.
        let is_rsa = |algorithm: Algorithm| matches!(algorithm.name().get(..2), Some("RS" | "PS"));
        let algorithm = self.algorithm.filter(|other| is_rsa(*other) && is_rsa(own)).unwrap_or(own);
        let mut draft = Draft::id(key).signed_with(key, algorithm).header("kid", format!("\"{key_id}\""));
        // If the random algorithm does not fit the key, it is only in the header.
        if let Some(algorithm) = self.claimed.or(self.algorithm.filter(|_| !is_rsa(own)).map(Algorithm::name)) {
            draft = draft.header("alg", format!("\"{algorithm}\""));
        }
        let token = changed(draft, &self.headers, &self.claims).compact();
        match &self.spelling {
            None => token,
            Some(spelling) => spelling.of(token),
        }
    }
}

/// Returns a draft with these changes of its header and its claims.
pub(crate) fn changed(mut draft: Draft, headers: &[Change], claims: &[Change]) -> Draft {
    for change in headers {
        draft = match change.clone() {
            Change::Set(name, value) => draft.header(name, value),
            Change::Again(name, value) => draft.header_again(name, value),
            Change::Remove(name) => draft.without_header(name),
        };
    }
    for change in claims {
        draft = match change.clone() {
            Change::Set(name, value) => draft.claim(name, value),
            Change::Again(name, value) => draft.claim_again(name, value),
            Change::Remove(name) => draft.without_claim(name),
        };
    }
    draft
}

impl Spelling {
    pub(crate) fn of(&self, token: String) -> String {
        let at = |index: &Index| index.index(token.len());
        match self {
            Spelling::Replace(index, letter) => {
                let (before, after) = token.split_at(at(index));
                format!("{before}{letter}{}", &after[1..])
            }
            Spelling::Insert(index, letter) => {
                let (before, after) = token.split_at(at(index));
                format!("{before}{letter}{after}")
            }
            Spelling::Delete(index) => {
                let (before, after) = token.split_at(at(index));
                format!("{before}{}", &after[1..])
            }
            Spelling::Append(text) => token + text,
            Spelling::Cut(index) => token[..at(index)].to_owned(),
        }
    }
}

pub(crate) fn spelling() -> impl Strategy<Value = Spelling> {
    let letter = || select(&['A', 'B', 'Q', 'z', '9', '-', '_', '=', '.', '+', '/', ' ', '\n', '\0'][..]);
    prop_oneof![
        4 => (any::<Index>(), letter()).prop_map(|(index, letter)| Spelling::Replace(index, letter)),
        2 => (any::<Index>(), letter()).prop_map(|(index, letter)| Spelling::Insert(index, letter)),
        2 => any::<Index>().prop_map(Spelling::Delete),
        2 => select(&["=", "==", ".", "A", "\n", " "][..]).prop_map(Spelling::Append),
        1 => any::<Index>().prop_map(Spelling::Cut),
    ]
}

pub(crate) fn header_change() -> impl Strategy<Value = Change> {
    let names = || select(&["typ", "kid", "alg", "crit", "b64", "jwk", "jku", "x5u", "x5c", "cty", "x", "x5t"][..]);
    let likely = select(
        &[
            ("typ", "\"JWT\""),
            ("typ", "\"at+jwt\""),
            ("typ", "\"logout+jwt\""),
            ("crit", "[\"zzz\"]"),
            ("crit", "[]"),
            ("b64", "false"),
            ("jku", "\"https://evil.example/\""),
            ("x", "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]"),
            ("cty", "\"JWT\""),
            ("kid", "\"\""),
            ("kid", "\"rsa-2048\""),
            ("kid", "\"p-256\""),
            ("kid", "\"unknown\""),
        ][..],
    );
    prop_oneof![
        4 => likely.prop_map(|(name, value)| Change::Set(name, value.to_owned())),
        2 => (names(), json()).prop_map(|(name, value)| Change::Set(name, value)),
        1 => (names(), json()).prop_map(|(name, value)| Change::Again(name, value)),
        1 => (json(), json()).prop_map(|(one, two)| Change::Set("x", format!("{{\"y\":{one},\"\\u0079\":{two}}}"))),
        1 => names().prop_map(Change::Remove),
    ]
}

pub(crate) fn claim_change() -> impl Strategy<Value = Change> {
    let names = || {
        select(
            &[
                "exp",
                "nbf",
                "iat",
                "iss",
                "aud",
                "sub",
                "token_use",
                "client_id",
                "cognito:groups",
                "cognito:username",
                "scope",
                "jti",
                "cnf",
                "auth_time",
                "email",
                "x",
            ][..],
        )
    };
    let dates = || select(&["exp", "nbf", "iat", "auth_time"][..]);
    prop_oneof![
        3 => (dates(), date()).prop_map(|(name, value)| Change::Set(name, value)),
        2 => likely_claim(),
        2 => (names(), json()).prop_map(|(name, value)| Change::Set(name, value)),
        1 => (names(), json()).prop_map(|(name, value)| Change::Again(name, value)),
        1 => names().prop_map(Change::Remove),
    ]
}

fn likely_claim() -> impl Strategy<Value = Change> {
    let values = [
        ("iss", format!("\"{}\"", ISSUER.replace("cognito-idp", "issuer-cognito-idp"))),
        ("iss", format!("[\"{ISSUER}\"]")),
        ("iss", format!("\"{ISSUER}/\"")),
        ("aud", format!("[\"x\",\"{CLIENT_ID}\"]")),
        ("aud", format!("[\"{CLIENT_ID}\",1]")),
        ("aud", "[]".into()),
        ("token_use", "\"access\"".into()),
        ("cognito:groups", "\"admins\"".into()),
        ("x", "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]".into()),
        ("x", format!("\"{}\"", "x".repeat(20_000))),
        ("x", "{\"y\":1,\"z\":{\"y\":1}}".into()),
    ];
    select(values.to_vec()).prop_map(|(name, value)| Change::Set(name, value))
}

/// Times around the current time, and the limits of numbers.
fn date() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0..200_u64).prop_map(|offset| (NOW + offset - 100).to_string()),
        2 => (0..20_u64, 0..100_u8).prop_map(|(offset, cents)| format!("{}.{cents:02}", NOW + offset - 10)),
        2 => (0..1_000_000_u64).prop_map(|offset| (NOW + offset).to_string()),
        1 => select(&["0", "-0", "-1", "1e9", "1.7000001e9", "1e300", "1e999", "253402300799", "253402300800"][..])
            .prop_map(str::to_owned),
        1 => select(&["18446744073709551615", "18446744073709551616", "9007199254740993", "null", "\"1\""][..])
            .prop_map(str::to_owned),
    ]
}

/// Any JSON value of low depth.
pub(crate) fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        any::<f64>().prop_filter("finite", |value| value.is_finite()).prop_map(|value| format!("{value:e}")),
        "[a-z0-9 é]{0,12}".prop_map(|text| format!("\"{text}\"")),
        Just(format!("\"{CLIENT_ID}\"")),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|values| format!("[{}]", values.join(","))),
            vec(("[a-c]", inner), 0..4).prop_map(|members| {
                let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}
