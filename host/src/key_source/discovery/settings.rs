//! Where the discovery document of an issuer is, and what it must say.

use super::{
    document::DiscoveryDocument,
    error::{DiscoveryConfigError, DiscoveryError},
};
use crate::{
    key_source::{http::HttpKeySource, url::KeyUrl},
    strict_json::{JsonErrorKind, parse_object},
};
use serde_json::{Map, Value};
use url::{Host, Url};

/// The path of the document below the issuer (OpenID Connect Discovery 1.0 section 4.1).
const PATH: &str = "/.well-known/openid-configuration";
/// The maximum length of a document, in bytes.
const BODY_LIMIT: usize = 64 * 1024;
/// The maximum number of characters of the document's issuer in an error.
const FOUND_LIMIT: usize = 512;
/// What Microsoft writes in place of the tenant ID.
const MICROSOFT_TENANT: &str = "{tenantid}";

/// Where the discovery document of one configured issuer is, and what it must say.
///
/// It is always made from the configuration, never from a token (RFC 8725 section 3.10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovery {
    pub(super) url: String,
    /// What `issuer` of the document may be. The first is the issuer's name in reports.
    issuers: Vec<String>,
    /// The hosts of `jwks_uri` that are allowed.
    hosts: Vec<String>,
}

impl Discovery {
    /// The document of an issuer: the issuer without its terminating `/`, followed by `/.well-known/openid-configuration` (OpenID Connect
    /// Discovery 1.0 section 4.1). `jwks_uri` must be on the host of the issuer.
    ///
    /// # Errors
    ///
    /// Returns [`DiscoveryConfigError::IssuerNotUsable`] if the issuer has a query or a fragment.
    pub fn of_issuer(issuer: &str) -> Result<Self, DiscoveryConfigError> {
        Ok(Self::at(derived_url(issuer)?, [issuer]))
    }

    /// A document at another URL, which must name one of these issuers. `jwks_uri` must be on the host of one of them.
    pub fn at(url: impl Into<String>, issuers: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let issuers: Vec<String> = issuers.into_iter().map(Into::into).collect();
        let host = |issuer: &String| Some(Url::parse(issuer).ok()?.host()?.to_string());
        let hosts = issuers.iter().filter_map(host).collect();
        Self { url: url.into(), issuers, hosts }
    }

    /// A document whose `issuer` is this template: `{tid}` stands for the tenant, for which Microsoft writes `{tenantid}`.
    pub(crate) fn of_template(url: impl Into<String>, template: &str) -> Self {
        Self::at(url, [template.to_owned(), template.replace("{tid}", MICROSOFT_TENANT)])
    }

    /// Also allows these hosts in `jwks_uri`, each a name or an address without a port. The port of `jwks_uri` is not restricted.
    ///
    /// # Errors
    ///
    /// Returns [`DiscoveryConfigError::Host`] for a text that is not a host.
    pub fn key_hosts(mut self, hosts: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, DiscoveryConfigError> {
        for host in hosts {
            let host = host.as_ref();
            let parsed = Host::parse(host).map_err(|_| DiscoveryConfigError::Host(host.to_owned()))?;
            self.hosts.push(parsed.to_string());
        }
        Ok(self)
    }

    /// Returns the URL of the document.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the issuer. If the document may name several, it is the first.
    pub fn issuer(&self) -> &str {
        self.issuers.first().map_or("", String::as_str)
    }

    /// Fetches the document and checks it.
    pub(super) async fn fetch(&self, http: &HttpKeySource, depth: u32) -> Result<DiscoveryDocument, DiscoveryError> {
        let url = http.check(&self.url).map_err(DiscoveryError::KeyUrl)?;
        let response = http.get(&url, None, BODY_LIMIT).await?;
        // Without a condition in the request, there is no reason for 304.
        let body = response.body.ok_or(DiscoveryError::Status(304))?;
        let document = self.read(&body, depth, |url| http.check(url))?;
        Ok(DiscoveryDocument { max_age: response.max_age, ..document })
    }

    /// Parses a document, nested at most `depth` levels deep, and checks it.
    fn read(
        &self,
        document: &[u8],
        depth: u32,
        check_url: impl FnOnce(&str) -> Result<KeyUrl, crate::KeyUrlError>,
    ) -> Result<DiscoveryDocument, DiscoveryError> {
        let members = parse_object(document, depth).map_err(|error| match error.kind {
            JsonErrorKind::Malformed => DiscoveryError::Malformed,
            JsonErrorKind::DuplicateMember => DiscoveryError::DuplicateMember,
        })?;
        self.check(&members, check_url)
    }

    /// Checks the members of a document (OpenID Connect Discovery 1.0 sections 3 and 4.3). Unknown members are ignored.
    fn check(
        &self,
        members: &Map<String, Value>,
        check_url: impl FnOnce(&str) -> Result<KeyUrl, crate::KeyUrlError>,
    ) -> Result<DiscoveryDocument, DiscoveryError> {
        let text = |name| members.get(name).and_then(Value::as_str).ok_or(DiscoveryError::Member(name));
        let issuer = text("issuer")?;
        if !self.issuers.iter().any(|expected| expected == issuer) {
            let (expected, found) = (self.issuer().to_owned(), issuer.chars().take(FOUND_LIMIT).collect());
            return Err(DiscoveryError::IssuerMismatch { expected, found });
        }
        let key_url = check_url(text("jwks_uri")?).map_err(DiscoveryError::KeyUrl)?;
        if key_url.as_url().fragment().is_some() {
            return Err(DiscoveryError::Fragment);
        }
        let host = key_url.as_url().host_str().unwrap_or_default();
        if !self.hosts.iter().any(|allowed| allowed == host) {
            return Err(DiscoveryError::Host { found: host.to_owned() });
        }
        let names = members.get("id_token_signing_alg_values_supported").and_then(Value::as_array);
        let algorithms = names.into_iter().flatten().filter_map(|name| Some(name.as_str()?.to_owned())).collect();
        Ok(DiscoveryDocument { issuer: issuer.to_owned(), key_url, algorithms, max_age: None })
    }
}

/// Returns the URL of the document of an issuer.
pub(crate) fn derived_url(issuer: &str) -> Result<String, DiscoveryConfigError> {
    if issuer.contains(['?', '#']) {
        return Err(DiscoveryConfigError::IssuerNotUsable);
    }
    Ok(format!("{}{PATH}", issuer.strip_suffix('/').unwrap_or(issuer)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeyUrlError;
    use poolgate_tests::discovery_documents::{self, DEPTH, DocumentCase, ISSUER, KEY_HOST};
    use serde_json::json;

    fn check(discovery: &Discovery, document: Value) -> Result<DiscoveryDocument, DiscoveryError> {
        let Value::Object(members) = document else { panic!("an object") };
        discovery.check(&members, |url| KeyUrl::parse(url, false))
    }

    fn error(document: Value) -> Option<DiscoveryError> {
        check(&shop(), document).err()
    }

    fn shop() -> Discovery {
        Discovery::of_issuer(ISSUER).and_then(|it| it.key_hosts([KEY_HOST])).expect("a discovery")
    }

    /// guest/edge/src/discovery/tests/rules.rs has the other side.
    #[test]
    fn each_document_has_the_outcome_that_the_edge_gives_it() {
        for DocumentCase { title, document, expected } in discovery_documents::cases() {
            let read = shop().read(&document, DEPTH, |url| KeyUrl::parse(url, false));
            let outcome = read.as_ref().map(DiscoveryDocument::jwks_uri).map_err(DiscoveryError::name);
            assert_eq!(outcome, expected, "{title}: {read:?}");
        }
    }

    #[test]
    fn the_url_is_that_of_the_specification() {
        for (issuer, url) in [
            ("https://a.example", "https://a.example/.well-known/openid-configuration"),
            ("https://a.example/", "https://a.example/.well-known/openid-configuration"),
            ("https://a.example/x", "https://a.example/x/.well-known/openid-configuration"),
            ("https://a.example/x//", "https://a.example/x//.well-known/openid-configuration"),
        ] {
            assert_eq!(derived_url(issuer).as_deref(), Ok(url));
        }
        for issuer in ["https://a.example/?x", "https://a.example/#x"] {
            assert_eq!(derived_url(issuer), Err(DiscoveryConfigError::IssuerNotUsable));
        }
    }

    #[test]
    fn the_issuer_is_compared_byte_by_byte() {
        let document = |issuer: &str| json!({"issuer": issuer, "jwks_uri": "https://login.example.com/keys"});
        assert_eq!(error(document(ISSUER)), None);
        for found in [
            "https://login.example.com/realms/shop/",
            "https://login.example.com/realms/Shop",
            "https://LOGIN.example.com/realms/shop",
            "https://login.example.com:443/realms/shop",
            "",
        ] {
            let hint = if found.ends_with('/') { "a / at the end" } else { "exactly as its document spells it" };
            let error = error(document(found)).expect("another issuer");
            assert_eq!(error, DiscoveryError::IssuerMismatch { expected: ISSUER.into(), found: found.into() });
            assert!(error.hint().is_some_and(|it| it.contains(hint)), "{found}: {:?}", error.hint());
            assert!(found.is_empty() || !error.to_string().contains(found), "{error}");
        }
        assert_eq!(
            error(json!({"issuer": 1, "jwks_uri": "https://login.example.com/"})),
            Some(DiscoveryError::Member("issuer"))
        );
        assert_eq!(error(json!({"issuer": ISSUER})), Some(DiscoveryError::Member("jwks_uri")));
    }

    #[test]
    fn the_key_url_is_restricted_to_https_and_to_named_hosts() {
        let host = |found: &str| Some(DiscoveryError::Host { found: found.into() });
        for (url, expected) in [
            ("https://login.example.com/keys", None),
            ("https://LOGIN.example.com:8443/keys?x=y", None),
            ("https://keys.example.com/keys", None),
            ("https://evil.example/keys", host("evil.example")),
            ("https://login.example.com.evil.example/keys", host("login.example.com.evil.example")),
            ("https://example.com/keys", host("example.com")),
            ("https://169.254.169.254/latest", host("169.254.169.254")),
            ("https://login.example.com/keys#", Some(DiscoveryError::Fragment)),
            ("https://login.example.com/keys#x", Some(DiscoveryError::Fragment)),
            ("https://user@login.example.com/keys", Some(DiscoveryError::KeyUrl(KeyUrlError::Malformed))),
            ("https://:x@login.example.com/keys", Some(DiscoveryError::KeyUrl(KeyUrlError::Malformed))),
            ("http://login.example.com/keys", Some(DiscoveryError::KeyUrl(KeyUrlError::PlainHttp))),
            ("http://localhost/keys", Some(DiscoveryError::KeyUrl(KeyUrlError::LoopbackNotAllowed))),
            ("file:///etc/passwd", Some(DiscoveryError::KeyUrl(KeyUrlError::Malformed))),
            ("/keys", Some(DiscoveryError::KeyUrl(KeyUrlError::Malformed))),
        ] {
            assert_eq!(error(json!({"issuer": ISSUER, "jwks_uri": url})), expected, "{url}");
        }
        for host in ["https://a.example", "a.example:443", "a.example/x", "", "a b"] {
            let named = Discovery::of_issuer(ISSUER).and_then(|it| it.key_hosts([host]));
            assert_eq!(named, Err(DiscoveryConfigError::Host(host.into())));
        }
    }

    #[test]
    fn a_document_of_many_tenants_names_the_template() {
        let template = "https://login.microsoftonline.com/{tid}/v2.0";
        let discovery = Discovery::of_template("https://login.microsoftonline.com/common/v2.0/x", template);
        for (issuer, is_accepted) in [
            ("https://login.microsoftonline.com/{tenantid}/v2.0", true),
            (template, true),
            ("https://login.microsoftonline.com/11111111-2222-4333-8444-555555555555/v2.0", false),
        ] {
            let document =
                json!({"issuer": issuer, "jwks_uri": "https://login.microsoftonline.com/common/discovery/v2.0/keys"});
            assert_eq!(check(&discovery, document).is_ok(), is_accepted, "{issuer}");
        }
    }
}
