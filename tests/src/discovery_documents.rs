//! Discovery documents, and what the rules of docs/discovery.md say about each. The host and the edge have these rules each, because the host does
//! not link the edge, and both are tested with these documents.

use serde_json::{Map, Value, json};

/// The configured issuer.
pub const ISSUER: &str = "https://login.example.com/realms/shop";
/// The host that is named for `jwks_uri`, beside that of the issuer.
pub const KEY_HOST: &str = "Keys.Example.com";
/// The maximum nesting of a document.
pub const DEPTH: u32 = 16;

/// A document.
pub struct DocumentCase {
    /// What is special about it.
    pub title: String,
    /// The text.
    pub document: Vec<u8>,
    /// `jwks_uri` as it is used, or the name of the error.
    pub expected: Result<&'static str, &'static str>,
}

/// Returns all documents. Plain HTTP to a loopback address is not allowed.
pub fn cases() -> Vec<DocumentCase> {
    let members = [issuers(), key_urls(), missing_members()].concat();
    let members = members.into_iter().map(|(title, members, expected)| {
        let document = Value::Object(members).to_string().into_bytes();
        DocumentCase { title, document, expected }
    });
    members.chain(texts()).collect()
}

type MembersCase = (String, Map<String, Value>, Result<&'static str, &'static str>);

const KEYS: &str = "https://login.example.com/keys";

fn members(issuer: Value, jwks_uri: Value) -> Map<String, Value> {
    let document = json!({
        "issuer": issuer,
        "authorization_endpoint": "https://other.example/authorize",
        "jwks_uri": jwks_uri,
        "mtls_endpoint_aliases": {"issuer": "https://evil.example", "jwks_uri": "https://evil.example/keys"},
    });
    match document {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn issuers() -> Vec<MembersCase> {
    let mismatch = Err("issuer-mismatch");
    [
        (ISSUER, Ok(KEYS)),
        ("https://login.example.com/realms/shop/", mismatch),
        ("https://login.example.com/realms/Shop", mismatch),
        ("https://LOGIN.example.com/realms/shop", mismatch),
        ("https://login.example.com:443/realms/shop", mismatch),
        ("https://login.example.com/realms/sh%6fp", mismatch),
        (" https://login.example.com/realms/shop", mismatch),
        ("https://login.example.com", mismatch),
        ("https://evil.example", mismatch),
        ("", mismatch),
    ]
    .map(|(issuer, expected)| (format!("issuer {issuer}"), members(issuer.into(), KEYS.into()), expected))
    .into()
}

fn key_urls() -> Vec<MembersCase> {
    let (refused, other_host) = (Err("jwks-uri"), Err("jwks-uri-host"));
    [
        ("https://login.example.com/keys", Ok(KEYS)),
        ("https://LOGIN.example.com/keys", Ok(KEYS)),
        ("HTTPS://login.example.com/keys", Ok(KEYS)),
        ("https://login.example.com:8443/keys?x=y", Ok("https://login.example.com:8443/keys?x=y")),
        ("https://keys.example.com/a@b", Ok("https://keys.example.com/a@b")),
        ("https://keys.example.com", Ok("https://keys.example.com/")),
        ("https://keys.example.com?x=y", Ok("https://keys.example.com/?x=y")),
        ("https://evil.example/keys", other_host),
        ("https://evil.example/login.example.com/keys", other_host),
        ("https://evil.example?login.example.com/keys", other_host),
        ("https://login.example.com.evil.example/keys", other_host),
        ("https://login.example.com./keys", other_host),
        ("https://example.com/keys", other_host),
        ("https://a.login.example.com/keys", other_host),
        ("https://other.keys.example.com/keys", other_host),
        ("https://localhost/keys", other_host),
        ("https://169.254.169.254/latest", other_host),
        ("https://[::1]/keys", other_host),
        ("https://login.example.com/keys#", refused),
        ("https://login.example.com/keys#x", refused),
        ("https://evil.example#login.example.com/", refused),
        ("https://user@login.example.com/keys", refused),
        ("https://user:secret@login.example.com/keys", refused),
        ("https://:x@login.example.com/keys", refused),
        ("https://login.example.com@evil.example/keys", refused),
        ("https://login.example.com:99999/keys", refused),
        ("https://login.example.com:https/keys", refused),
        ("https://log in.example.com/keys", refused),
        ("https://[::1/keys", refused),
        ("https://", refused),
        ("http://login.example.com/keys", refused),
        ("http://localhost/keys", refused),
        ("http://127.0.0.1:8080/keys", refused),
        ("ftp://login.example.com/keys", refused),
        ("file:///etc/passwd", refused),
        ("data:application/json,{}", refused),
        ("//login.example.com/keys", refused),
        ("/keys", refused),
        ("keys", refused),
        ("", refused),
    ]
    .map(|(url, expected)| (format!("jwks_uri {url}"), members(ISSUER.into(), url.into()), expected))
    .into()
}

fn missing_members() -> Vec<MembersCase> {
    let mut cases = Vec::new();
    for member in ["issuer", "jwks_uri"] {
        let complete = members(ISSUER.into(), KEYS.into());
        for value in [Value::Null, 1.into(), true.into(), json!([complete[member]]), json!({"": complete[member]})] {
            let mut document = complete.clone();
            document.insert(member.to_owned(), value.clone());
            cases.push((format!("{member} {value}"), document, Err("member")));
        }
        let mut document = complete.clone();
        document.remove(member);
        cases.push((format!("no {member}"), document, Err("member")));
    }
    cases.push(("nothing".to_owned(), Map::new(), Err("member")));
    cases
}

fn texts() -> Vec<DocumentCase> {
    let good = Value::Object(members(ISSUER.into(), KEYS.into())).to_string();
    let rest = &good[1..];
    let nested = |levels: usize| format!("{{\"x\":{}1{},{rest}", "[".repeat(levels - 1), "]".repeat(levels - 1));
    let (malformed, duplicate) = (Err("malformed"), Err("duplicate-member"));
    let mut texts: Vec<(&str, Vec<u8>, _)> = [
        ("white space around it", format!(" \r\n\t{good}\n"), Ok(KEYS)),
        ("an escaped name", good.replace("jwks_uri\":\"https://l", "jwks_\\u0075ri\":\"https:\\/\\/l"), Ok(KEYS)),
        ("nested as deeply as a token may be", nested(16), Ok(KEYS)),
        ("nested one level deeper", nested(17), malformed),
        ("nested very deeply", nested(10_000), malformed),
        ("two jwks_uri", format!("{{\"jwks_uri\":\"https://evil.example/keys\",{rest}"), duplicate),
        ("the same jwks_uri twice", format!("{{\"jwks_uri\":\"{KEYS}\",{rest}"), duplicate),
        ("two issuers, one with an escaped name", format!("{{\"\\u0069ssuer\":\"{ISSUER}\",{rest}"), duplicate),
        ("duplicates inside", format!("{{\"x\":[{{\"a\":1,\"a\":2}}],{rest}"), duplicate),
        ("something behind it", format!("{good}{{}}"), malformed),
        ("a zero byte behind it", format!("{good}\0"), malformed),
        ("a byte order mark", format!("\u{feff}{good}"), malformed),
        ("truncated", good[..good.len() - 1].to_owned(), malformed),
        ("an array", format!("[{good}]"), malformed),
        ("a text", "\"https://login.example.com/keys\"".to_owned(), malformed),
        ("HTML", "<html>".to_owned(), malformed),
        ("empty", String::new(), malformed),
        ("a trailing comma", format!("{},}}", &good[..good.len() - 1]), malformed),
        ("a comment", format!("/**/{good}"), malformed),
        ("a number that is too large", format!("{{\"x\":1e999,{rest}"), malformed),
        ("half of a surrogate pair", format!("{{\"x\":\"\\ud800\",{rest}"), malformed),
        ("a line break in a text", format!("{{\"x\":\"\n\",{rest}"), malformed),
    ]
    .map(|(title, text, expected)| (title, text.into_bytes(), expected))
    .into();
    texts.push(("not UTF-8", [b"{\"x\":\"\xff\",", rest.as_bytes()].concat(), malformed));
    texts.push(("UTF-16", good.encode_utf16().flat_map(u16::to_le_bytes).collect(), malformed));
    let texts = texts.into_iter();
    texts.map(|(title, document, expected)| DocumentCase { title: title.to_owned(), document, expected }).collect()
}
