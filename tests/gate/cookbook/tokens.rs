//! The tokens that the words of the page describe:
//!
//! | word | the token |
//! |---|---|
//! | `none` | there is none |
//! | `user` | a valid access token of a user, of the first pool and of its first client, or an ID token if the pool accepts only those |
//! | `machine` | a valid access token of the client credentials grant: its subject is the client |
//! | `id-token` | a valid ID token |
//! | `group:NAME`, `scope:NAME` | with this group or scope, beside others of these words |
//! | `claim:NAME=VALUE` | with this claim, which is a text |
//! | `pool:NAME`, `client:ID` | of this pool, of this client |
//! | `expired` | its `exp` has passed |
//! | `forged` | signed with another key |

use poolgate_tests::{
    keys::{OTHER_RSA_2048, RSA_2048, jwks},
    minting::{Draft, KEY_ID, NOW},
};
use serde_json::{Value, json};

/// Puts a key set of these tests in place of the `keys` of every pool.
pub fn with_test_keys(configuration: &Value) -> Value {
    let keys: Value = serde_json::from_str(&jwks(&[RSA_2048.jwk(KEY_ID)])).expect("JSON");
    let mut configuration = configuration.clone();
    for pool in configuration["pools"].as_array_mut().expect("pools") {
        pool["keys"] = json!({"jwks": keys});
    }
    configuration
}

/// Creates the token that the words describe, for the pools of this configuration.
///
/// # Panics
/// Panics if a word is unknown, or does not fit the configuration.
pub fn token(words: &[String], configuration: &Value) -> Option<String> {
    let values = |name: &str| words.iter().filter_map(move |word| word.strip_prefix(name)).collect::<Vec<_>>();
    let has = |word: &str| words.iter().any(|it| it == word);
    for word in words {
        let name = word.split_once(':').map_or(word.as_str(), |(name, _)| name);
        let known =
            ["none", "user", "machine", "id-token", "group", "scope", "claim", "pool", "client", "expired", "forged"];
        assert!(known.contains(&name), "{word}: unknown word");
    }
    assert!(!words.is_empty(), "no word");
    if has("none") {
        assert_eq!(words.len(), 1, "{words:?}");
        return None;
    }
    let pools = configuration["pools"].as_array().expect("pools");
    let pool = match values("pool:").first() {
        Some(name) => pools.iter().find(|pool| pool["name"] == **name).expect("a pool of this name"),
        None => &pools[0],
    };
    let client = values("client:").first().map(|client| (*client).to_owned());
    let client = client.unwrap_or_else(|| pool["client_ids"][0].as_str().expect("a client").to_owned());
    let mut draft = draft(pool, &client, has("id-token"), has("machine"));
    if let groups @ [_, ..] = values("group:").as_slice() {
        draft = draft.claim("cognito:groups", json!(groups));
    }
    if let scopes @ [_, ..] = values("scope:").as_slice() {
        draft = draft.claim("scope", json!(scopes.join(" ")));
    }
    for claim in values("claim:") {
        let (name, value) = claim.split_once('=').expect("claim:NAME=VALUE");
        draft = draft.claim(name, json!(value));
    }
    if has("expired") {
        draft = draft.claim("exp", NOW - 1);
    }
    Some(match has("forged") {
        true => draft.signed_by(&OTHER_RSA_2048).with_signature_below(&RSA_2048),
        false => draft.compact(),
    })
}

/// A token of this pool and client, without groups.
fn draft(pool: &Value, client: &str, is_id: bool, is_machine: bool) -> Draft {
    let quoted = json!(client);
    let Some(id) = pool["user_pool_id"].as_str() else {
        let issuer = pool["issuer"].as_str().expect("a user pool or an issuer");
        let claim = pool["client_claim"].as_str().unwrap_or("aud");
        return Draft::of_issuer(&RSA_2048, issuer).header("kid", json!(KEY_ID)).claim(claim, quoted);
    };
    let (region, _) = id.split_once('_').expect("a user pool ID");
    let draft = match is_id || pool["token_use"] == "id" {
        true => Draft::id(&RSA_2048).claim("aud", quoted),
        false => Draft::access(&RSA_2048).claim("client_id", &quoted).claim("scope", "\"openid\""),
    };
    let draft = draft.without_claim("cognito:groups");
    let draft = draft.claim("iss", json!(format!("https://cognito-idp.{region}.amazonaws.com/{id}")));
    match is_machine {
        true => draft.claim("sub", json!(client)).without_claim("username").without_claim("scope"),
        false => draft,
    }
}
