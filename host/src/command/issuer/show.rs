//! `poolgate issuer show`: fetches the discovery document and the key set of an issuer, and prints the configuration for its tokens.

use super::options::verify_options;
use crate::command::{
    arguments::ShowArguments,
    cache::compilation_cache,
    output::{self, CommandError, Outcome, Palette},
    shown,
};
use poolgate::{
    Algorithm, BuildError, Discovery, DiscoveryClient, DiscoveryDocument, DiscoveryError, JwsVerifier, KeyReport,
};
use serde_json::{Map, Value, json};

/// Where the document is, below the issuer.
const WELL_KNOWN: &str = "/.well-known/";

/// Something that the operator should look at, although the document breaks no rule.
struct Warning {
    code: &'static str,
    text: String,
}

/// What the key set of the document has.
enum Keys {
    Judged(KeyReport),
    /// The key set could not be fetched, or was rejected as a whole: the name of the error, and a text.
    Unusable(&'static str, String),
}

pub async fn run(arguments: &ShowArguments) -> Result<Outcome, CommandError> {
    let discovery = discovery(arguments)?;
    poolgate::KeyUrl::parse(discovery.url(), arguments.allow_http_loopback).map_err(|error| {
        CommandError::Usage(format!("the discovery document is not fetched from {}: {error}", discovery.url()))
    })?;
    let client = DiscoveryClient::new(arguments.timeout, arguments.allow_http_loopback);
    let document = match client.document(&discovery).await {
        Ok(document) => document,
        Err(error) => return refused(arguments, &discovery, &error),
    };
    let keys = keys(&client, &document).await;
    let warnings = warnings(&document, &keys);
    let pool = pool(&document);
    let mut options = verify_options(&pool);
    if arguments.allow_http_loopback {
        options.push("--allow-http-loopback".to_owned());
    }
    let outcome = match &keys {
        Keys::Judged(report) if !report.key_ids.is_empty() => Outcome::Allowed,
        _ => Outcome::Unavailable,
    };
    let json = || {
        json!({
            "issuer": document.issuer,
            "discovery_url": discovery.url(),
            "jwks_uri": document.jwks_uri(),
            "algorithms": document.algorithms,
            "keys": keys.json(),
            "warnings": warnings.iter().map(Warning::json).collect::<Vec<_>>(),
            "pool": pool,
            "verify_options": options,
        })
    };
    let text = |palette| text(&discovery, &document, &keys, &warnings, &pool, &options, palette);
    output::conclude(outcome, arguments.json, json, text)
}

fn discovery(arguments: &ShowArguments) -> Result<Discovery, CommandError> {
    let usage = |error: poolgate::DiscoveryConfigError| CommandError::Usage(error.to_string());
    if let Some((issuer, _)) = arguments.issuer.split_once(WELL_KNOWN) {
        return Err(CommandError::Usage(format!(
            "this is the URL of a document; give the issuer: {issuer} (and --discovery-url, if the document is not where the issuer says)"
        )));
    }
    let discovery = match &arguments.discovery_url {
        Some(url) => Discovery::at(url, [&arguments.issuer]),
        None => Discovery::of_issuer(&arguments.issuer).map_err(usage)?,
    };
    discovery.key_hosts(&arguments.jwks_hosts).map_err(usage)
}

/// Prints why the document is not used. Both issuers are printed if they differ.
fn refused(arguments: &ShowArguments, discovery: &Discovery, error: &DiscoveryError) -> Result<Outcome, CommandError> {
    let outcome = match error {
        DiscoveryError::Fetch(_) | DiscoveryError::Status(_) => Outcome::Unavailable,
        _ => Outcome::Denied,
    };
    let json = || {
        let mut object = json!({
            "issuer": arguments.issuer,
            "discovery_url": discovery.url(),
            "error": error.name(),
            "text": error.to_string(),
        });
        if let Some(members) = object.as_object_mut() {
            if let Some(hint) = error.hint() {
                members.insert("hint".into(), hint.into());
            }
            if let Some(found) = error.found() {
                members.insert("found".into(), found.into());
            }
        }
        object
    };
    let text = |palette: Palette| {
        let mut text = format!("{}  {}\n  {error}\n", palette.failure("refused"), error.name());
        text += &format!("  document: {}\n", discovery.url());
        match error {
            DiscoveryError::IssuerMismatch { expected, found } => {
                text += &format!("  given issuer:      {}\n", shown::json(&expected.as_str().into(), false));
                text += &format!("  document's issuer: {}\n", shown::json(&found.as_str().into(), false));
            }
            DiscoveryError::Host { found } => {
                text += &format!("  host of jwks_uri: {}\n", shown::json(&found.as_str().into(), false));
            }
            _ => {}
        }
        text + &error.hint().map_or(String::new(), |hint| format!("  hint: {hint}\n"))
    };
    output::conclude(outcome, arguments.json, json, text)
}

/// Fetches the key set, and judges its keys in the sandbox.
async fn keys(client: &DiscoveryClient, document: &DiscoveryDocument) -> Keys {
    let jwks = match client.key_set(document).await {
        Ok(jwks) => jwks,
        Err(error) => return Keys::Unusable(error.name(), "the key set could not be fetched".into()),
    };
    let mut verifier = match JwsVerifier::new(compilation_cache(), jwks, []).await {
        Ok(verifier) => verifier,
        Err(BuildError::KeySet(poolgate::LoadKeySetError::Rejected(error))) => {
            return Keys::Unusable(error.name(), error.message().to_owned());
        }
        Err(error) => return Keys::Unusable("sandbox", error.to_string()),
    };
    match verifier.report().await {
        Ok(report) => Keys::Judged(report),
        Err(denial) => Keys::Unusable("sandbox", denial.to_string()),
    }
}

fn warnings(document: &DiscoveryDocument, keys: &Keys) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn = |code, text| warnings.push(Warning { code, text });
    let host = |url: &str| Some(url::Url::parse(url).ok()?.host_str()?.to_owned());
    let (own, keys_host) = (host(&document.issuer), host(document.jwks_uri()).unwrap_or_default());
    if own.as_ref() != Some(&keys_host) {
        warn("other-host", format!("the keys are on another host than the issuer: {keys_host}"));
    }
    if document.issuer.ends_with('/') {
        warn("slash", "the issuer ends with a slash, which is part of its name: keep it in every configuration".into());
    }
    if document.algorithms.is_empty() {
        warn(
            "no-algorithms",
            "the document names no algorithm for ID tokens: look at the header of a token (`poolgate inspect`)".into(),
        );
    } else if supported(document).is_empty() {
        let has_hmac = document.algorithms.iter().any(|name| name.starts_with("HS"));
        let more = match has_hmac {
            true => {
                ": HMAC would need the secret with which tokens are made. Choose a signing key (RSA or EC) at the issuer"
            }
            false => "",
        };
        let names = document.algorithms.join(", ");
        warn(
            "no-supported-algorithm",
            format!("poolgate supports no algorithm that the document names ({names}){more}"),
        );
    }
    match keys {
        Keys::Unusable(name, text) => warn("keys", format!("no keys from {}: {text} ({name})", document.jwks_uri())),
        Keys::Judged(report) => {
            if report.key_ids.is_empty() {
                warn("keys", "the key set has no usable key".into());
            }
            if !report.skipped.is_empty() {
                warn("skipped-keys", format!("keys of the key set that are not used: {}", report.skipped.len()));
            }
        }
    }
    warnings
}

/// Returns the algorithms of the document that poolgate supports, in its order.
fn supported(document: &DiscoveryDocument) -> Vec<&str> {
    let is_supported = |name: &&str| match *name {
        // RFC 9864: another name for EdDSA with this curve.
        "Ed25519" => true,
        name => Algorithm::ALL.iter().any(|algorithm| algorithm.jose_name() == name),
    };
    document.algorithms.iter().map(String::as_str).filter(is_supported).collect()
}

/// Returns the pool of the configuration of the filter, with the placeholders of a recipe.
fn pool(document: &DiscoveryDocument) -> Map<String, Value> {
    let mut pool = Map::new();
    let mut set = |name: &str, value: Value| drop(pool.insert(name.to_owned(), value));
    set("name", "issuer".into());
    set("issuer", document.issuer.as_str().into());
    set("token_use", "unchecked".into());
    set("resources", json!(["API_IDENTIFIER"]));
    set("client_ids", json!(["CLIENT_ID"]));
    set("client_claim", "client_id".into());
    let algorithms = supported(document);
    if !algorithms.is_empty() {
        set("algorithms", algorithms.into());
    }
    set("keys", json!({"cluster": "issuer", "url": document.jwks_uri()}));
    pool
}

impl Warning {
    fn json(&self) -> Value {
        json!({ "code": self.code, "text": self.text })
    }
}

impl Keys {
    fn json(&self) -> Value {
        let report = match self {
            Keys::Judged(report) => report,
            Keys::Unusable(name, text) => return json!({ "usable": 0, "error": name, "text": text }),
        };
        let skipped = report.skipped.iter().map(|key| {
            json!({
                "index": key.index,
                "kid": key.key_id,
                "error": key.error.name(),
                "member": key.member,
                "text": key.error.description(),
            })
        });
        json!({ "usable": report.key_ids.len(), "kids": report.key_ids, "skipped": skipped.collect::<Vec<_>>() })
    }
}

fn text(
    discovery: &Discovery,
    document: &DiscoveryDocument,
    keys: &Keys,
    warnings: &[Warning],
    pool: &Map<String, Value>,
    options: &[String],
    palette: Palette,
) -> String {
    let mut text = format!("{}\n", palette.bold("discovery"));
    let mut line = |name: &str, value: &str| text += &format!("  {name:<11} {}\n", shown::line(value));
    line("issuer", &document.issuer);
    line("document", discovery.url());
    line("jwks_uri", document.jwks_uri());
    line("algorithms", &document.algorithms.join(" "));
    if let Keys::Judged(report) = keys {
        line("keys", &format!("{} usable", report.key_ids.len()));
        for key_id in &report.key_ids {
            line("", if key_id.is_empty() { "(without kid)" } else { key_id });
        }
        for key in &report.skipped {
            let name = key.key_id.as_deref().map_or(String::new(), |id| format!(" ({id})"));
            let member = key.member.as_deref().map_or(String::new(), |member| format!(" in {member}"));
            let (error, meaning) = (key.error.name(), key.error.description());
            line("skipped", &format!("key {}{name}: {error}{member}: {meaning}", key.index));
        }
    }
    for Warning { text: warning, .. } in warnings {
        text += &format!("{} {}\n", palette.warning("warning:"), shown::line(warning));
    }
    text += "\nReplace CLIENT_ID and API_IDENTIFIER: the document does not say who may use a token. For ID tokens, remove resources and \
             client_claim.\nThe client is in client_id (RFC 9068), azp, cid or appid. `poolgate inspect` shows the claims of a token, and \
             `poolgate issuer list` the recipes\nfor common issuers.\n";
    let pool = shown::json(&Value::Object(pool.clone()), true);
    text += &format!("\n{}\n{pool}\n", palette.bold("pool of the filter, the middleware and the libraries"));
    text += &format!("\n{}\npoolgate verify {} -\n", palette.bold("command"), options.join(" \\\n    "));
    text
}
