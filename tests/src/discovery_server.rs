//! An issuer on a loopback port with a discovery document, and documents of it that break a rule.

use crate::{
    faulty_server::{Behaviour, FaultyServer},
    keys::{RSA_2048, jwks},
    minting::KEY_ID,
};
use poolgate_core::Algorithm;
use serde_json::{Value, json};

/// The path of the discovery document of an issuer without a path.
pub const DOCUMENT: &str = "/.well-known/openid-configuration";
/// The path of its key set.
pub const KEYS: &str = "/keys";

/// Starts an issuer with a valid document and a valid key set.
pub async fn issuer() -> FaultyServer {
    let server = FaultyServer::start(Behaviour::Status(404, String::new())).await;
    server.path_does(DOCUMENT, Behaviour::Serve(document(&server).to_string()));
    server.path_does(KEYS, Behaviour::Serve(good_keys()));
    server
}

/// Returns the document of an issuer on the server.
pub fn document(server: &FaultyServer) -> Value {
    json!({
        "issuer": server.url(""),
        "authorization_endpoint": server.url("/authorize"),
        "jwks_uri": server.url(KEYS),
        "response_types_supported": ["code"],
        "id_token_signing_alg_values_supported": ["RS256", "HS256", "none", "ES256"],
    })
}

/// Returns a document with other members.
pub fn document_with(server: &FaultyServer, members: &[(&str, Value)]) -> String {
    let mut document = document(server);
    for (name, value) in members {
        document[*name] = value.clone();
    }
    document.to_string()
}

/// Returns the key set of the issuer.
pub fn good_keys() -> String {
    jwks(&[RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID)])
}

/// A document that breaks a rule, or a response that is not a document: what is served, the exit code, and the error.
pub fn refusals(server: &FaultyServer) -> Vec<(&'static str, Behaviour, i32, &'static str)> {
    let own = |members: &[(&str, Value)]| Behaviour::Serve(document_with(server, members));
    let good = document(server).to_string();
    let elsewhere = server.url("/elsewhere");
    let twice = format!("{{\"jwks_uri\":\"{}\",{}", server.url("/other"), &good[1..]);
    let twice_inside = format!("{{\"mtls_endpoint_aliases\":{{\"a\":1,\"a\":2}},{}", &good[1..]);
    let deep = format!("{{\"x\":{}{},{}", "[".repeat(40), "]".repeat(40), &good[1..]);
    let padded = |length: usize| format!("{good}{}", " ".repeat(length - good.len()));
    let with_user = server.url(KEYS).replace("http://", "http://user:secret@");
    vec![
        ("a slash more", own(&[("issuer", server.url("/").into())]), 1, "issuer-mismatch"),
        ("another issuer", own(&[("issuer", "https://evil.example".into())]), 1, "issuer-mismatch"),
        ("no issuer", own(&[("issuer", Value::Null)]), 1, "member"),
        ("an issuer in an array", own(&[("issuer", json!([server.url("")]))]), 1, "member"),
        ("no jwks_uri", own(&[("jwks_uri", Value::Null)]), 1, "member"),
        ("another host", own(&[("jwks_uri", "https://keys.example/keys".into())]), 1, "jwks-uri-host"),
        ("an internal host", own(&[("jwks_uri", "https://169.254.169.254/keys".into())]), 1, "jwks-uri-host"),
        ("plain http", own(&[("jwks_uri", "http://keys.example/keys".into())]), 1, "jwks-uri"),
        ("a file", own(&[("jwks_uri", "file:///etc/passwd".into())]), 1, "jwks-uri"),
        ("user info", own(&[("jwks_uri", with_user.into())]), 1, "jwks-uri"),
        ("a fragment", own(&[("jwks_uri", format!("{}#x", server.url(KEYS)).into())]), 1, "jwks-uri"),
        ("two jwks_uri", Behaviour::Serve(twice), 1, "duplicate-member"),
        ("duplicates inside", Behaviour::Serve(twice_inside), 1, "duplicate-member"),
        ("nested too deeply", Behaviour::Serve(deep), 1, "malformed"),
        ("something behind it", Behaviour::Serve(format!("{good}{{}}")), 1, "malformed"),
        ("truncated", Behaviour::Serve(good[..40].into()), 1, "malformed"),
        ("an array", Behaviour::Serve(format!("[{good}]")), 1, "malformed"),
        ("HTML", Behaviour::Typed("text/html", "<html>".into()), 1, "malformed"),
        ("a gzip bomb", Behaviour::GzipBomb, 3, "too-large"),
        ("64 KiB and a byte", Behaviour::Serve(padded(64 * 1024 + 1)), 3, "too-large"),
        ("100 MB", Behaviour::Huge(100 << 20), 3, "too-large"),
        ("a redirect", Behaviour::Redirect(elsewhere, good.clone()), 3, "bad-status"),
        ("203", Behaviour::Status(203, good.clone()), 3, "bad-status"),
        ("304", Behaviour::Status(304, String::new()), 3, "bad-status"),
        ("404", Behaviour::Status(404, good.clone()), 3, "bad-status"),
        ("500", Behaviour::Status(500, good.clone()), 3, "bad-status"),
        ("closed in the middle", Behaviour::CloseMidway(good.clone()), 3, "unreachable"),
        ("reset in the middle", Behaviour::ResetMidway(good), 3, "unreachable"),
    ]
}
