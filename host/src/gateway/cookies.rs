//! The cookie with the refresh token, which scripts cannot read.

use crate::problem_response::ProblemResponse;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use cookie::{Cookie, CookieBuilder, time};
use secrecy::{ExposeSecret, SecretString};
use std::{fmt, time::Duration};

/// The name with `Path=/` and no domain. Only this host can set or replace the cookie, but no sibling or parent domain
/// (draft-ietf-httpbis-rfc6265bis section 4.1.3.2).
const HOST_NAME: &str = "__Host-poolgate-refresh";
/// The name with a domain or another path, for which browsers reject the prefix `__Host-`. A sibling domain can set a cookie of this
/// name.
const SECURE_NAME: &str = "__Secure-poolgate-refresh";
/// Cognito's limits of `RefreshTokenValidity` (API reference, `CreateUserPoolClient`).
const MIN_AGE: Duration = Duration::from_secs(60 * 60);
const MAX_AGE: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// The `SameSite` attribute: the requests with which a browser sends the cookie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SameSite {
    /// Requests from the same site.
    #[default]
    Strict,
    /// Requests from the same site, and navigation from other sites.
    Lax,
    /// All requests. For applications on another site, whose origin is in [`Gateway::cors_origins`](super::Gateway::cors_origins).
    None,
}

impl From<SameSite> for cookie::SameSite {
    fn from(same_site: SameSite) -> Self {
        match same_site {
            SameSite::Strict => Self::Strict,
            SameSite::Lax => Self::Lax,
            SameSite::None => Self::None,
        }
    }
}

/// Why the settings of a cookie are invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookieError {
    /// The path does not begin with `/`, or contains `;` or a character outside printable ASCII.
    Path,
    /// The domain contains an empty label, or a character other than letters, digits, hyphens and dots.
    Domain,
    /// The maximum age is under 1 hour or over 3,650 days, the limits of Cognito's refresh tokens.
    MaxAge,
}

impl fmt::Display for CookieError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Path => "the cookie's path must begin with / and have no semicolon, space or control character",
            Self::Domain => "the cookie's domain must be a name such as example.com",
            Self::MaxAge => {
                "the cookie's maximum age must be from 3600 to 315360000 seconds, the limits of RefreshTokenValidity"
            }
        })
    }
}

impl std::error::Error for CookieError {}

/// The cookie with the refresh token. It is always `HttpOnly` and `Secure`.
///
/// Its name is `__Host-poolgate-refresh` with `Path=/` and no domain, and `__Secure-poolgate-refresh` otherwise.
///
/// # Defaults
///
/// * [`path`](Self::path): `/`.
/// * [`domain`](Self::domain): none.
/// * [`same_site`](Self::same_site): [`SameSite::Strict`].
/// * [`max_age`](Self::max_age): 30 days, Cognito's default for refresh tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct RefreshCookie {
    path: String,
    domain: Option<String>,
    same_site: SameSite,
    max_age: Duration,
}

impl Default for RefreshCookie {
    fn default() -> Self {
        Self {
            path: "/".into(),
            domain: None,
            same_site: SameSite::Strict,
            max_age: Duration::from_secs(30 * 24 * 60 * 60),
        }
    }
}

impl RefreshCookie {
    /// Sets the path. The browser sends the cookie only with requests to this path and below it. It must be a prefix of the gateway's
    /// paths as the browser sees them, including a prefix that a proxy strips. The default is `/`; with any other path, a sibling domain
    /// can set the cookie.
    ///
    /// # Errors
    ///
    /// Returns [`CookieError::Path`] if the path is invalid.
    pub fn path(mut self, path: impl Into<String>) -> Result<Self, CookieError> {
        self.path = path.into();
        let is_path =
            self.path.starts_with('/') && self.path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b';');
        if is_path { Ok(self) } else { Err(CookieError::Path) }
    }

    /// Sets the domain. The browser sends the cookie to this domain and all of its subdomains, and each of them can set it. By default,
    /// the browser sends the cookie to this host only.
    ///
    /// # Errors
    ///
    /// Returns [`CookieError::Domain`] if the domain is invalid.
    pub fn domain(mut self, domain: impl Into<String>) -> Result<Self, CookieError> {
        let domain = domain.into();
        let labels = || domain.split('.');
        let is_label =
            |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !labels().all(is_label) {
            return Err(CookieError::Domain);
        }
        self.domain = Some(domain);
        Ok(self)
    }

    /// Sets `SameSite`. The default is [`SameSite::Strict`].
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = same_site;
        self
    }

    /// Sets `Max-Age`. Set it to the `RefreshTokenValidity` of the app client. The default is 30 days.
    ///
    /// # Errors
    ///
    /// Returns [`CookieError::MaxAge`] if it is under 1 hour or over 3,650 days.
    pub fn max_age(mut self, max_age: Duration) -> Result<Self, CookieError> {
        self.max_age = max_age;
        if (MIN_AGE..=MAX_AGE).contains(&max_age) { Ok(self) } else { Err(CookieError::MaxAge) }
    }

    fn name(&self) -> &'static str {
        if self.path == "/" && self.domain.is_none() { HOST_NAME } else { SECURE_NAME }
    }

    fn build<'c>(&'c self, value: &'c str) -> CookieBuilder<'c> {
        let cookie = Cookie::build((self.name(), value)).path(&self.path).http_only(true).secure(true);
        let cookie = cookie.same_site(self.same_site.into());
        match &self.domain {
            Some(domain) => cookie.domain(domain),
            None => cookie,
        }
    }

    /// The `Set-Cookie` value for a refresh token. `None` if the token has characters that a cookie cannot contain.
    pub(crate) fn set(&self, token: &SecretString) -> Option<HeaderValue> {
        let max_age = time::Duration::seconds(i64::try_from(self.max_age.as_secs()).ok()?);
        let mut value = HeaderValue::from_str(&self.build(token.expose_secret()).max_age(max_age).to_string()).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// The `Set-Cookie` value that removes the cookie.
    pub(crate) fn clear(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.build("").max_age(time::Duration::ZERO).to_string()).ok()
    }

    /// The refresh token of a request. Two cookies are rejected, because a sibling domain may have set one of them,
    /// and the gateway cannot distinguish them.
    pub(crate) fn get(&self, headers: &HeaderMap) -> Result<SecretString, ProblemResponse> {
        let mut found = None;
        for value in headers.get_all(header::COOKIE).iter().flat_map(|value| values(value.as_bytes(), self.name())) {
            // A token with bytes outside UTF-8 stays invalid.
            let token = SecretString::from(String::from_utf8_lossy(value).into_owned());
            if found.replace(token).is_some() {
                let detail = "there are two cookies with a refresh token; delete them and sign in again";
                return Err(ProblemResponse::request(StatusCode::BAD_REQUEST, detail));
            }
        }
        let missing = || ProblemResponse::request(StatusCode::BAD_REQUEST, "there is no cookie with a refresh token");
        found.filter(|token| !token.expose_secret().is_empty()).ok_or_else(missing)
    }
}

/// The values of all cookies of this name, compared byte by byte. Browsers remove only spaces and tabs around a name
/// (draft-ietf-httpbis-rfc6265bis section 5.6). To a browser, a name that begins with other white space has no prefix `__Host-`, so a
/// sibling domain can set that cookie.
fn values<'h>(header: &'h [u8], name: &str) -> impl Iterator<Item = &'h [u8]> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    header.split(|byte| *byte == b';').filter_map(move |pair| {
        let start = pair.iter().position(|byte| !is_blank(byte))?;
        let end = pair.iter().rposition(|byte| !is_blank(byte))?;
        pair.get(start..=end)?.strip_prefix(name.as_bytes())?.strip_prefix(b"=")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: Option<HeaderValue>) -> String {
        value.and_then(|value| value.to_str().map(str::to_owned).ok()).expect("a header")
    }

    /// `values` are encoded in Latin-1, so that some are not valid UTF-8.
    fn got(cookie: &RefreshCookie, values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            let bytes: Vec<u8> = value.chars().filter_map(|it| u8::try_from(u32::from(it)).ok()).collect();
            headers.append(header::COOKIE, HeaderValue::from_bytes(&bytes).expect("a value"));
        }
        cookie.get(&headers).ok().map(|token| token.expose_secret().to_owned())
    }

    #[test]
    fn no_other_host_can_set_the_cookie_unless_a_path_or_a_domain_is_configured() {
        let plain = RefreshCookie::default();
        let value = plain.set(&"a.b-c".into());
        assert!(!format!("{value:?}").contains("a.b-c"), "Debug must not show the token");
        let expected = "__Host-poolgate-refresh=a.b-c; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=2592000";
        assert_eq!(text(value), expected);
        assert!(text(plain.clear()).ends_with("; Path=/; Max-Age=0"));

        let hour = Duration::from_secs(3_600);
        let configured = plain.clone().path("/auth/v1").expect("a path").domain("example.com").expect("a domain");
        let configured = configured.same_site(SameSite::None).max_age(hour).expect("an hour");
        assert_eq!(
            text(configured.set(&"a".into())),
            "__Secure-poolgate-refresh=a; HttpOnly; SameSite=None; Secure; Path=/auth/v1; Domain=example.com; Max-Age=3600"
        );
        let cleared = text(configured.clear());
        assert!(
            cleared.contains("Path=/auth/v1; Domain=example.com; Max-Age=0"),
            "a cookie of another path or domain would not be removed: {cleared}"
        );
    }

    #[test]
    fn one_cookie_is_accepted_and_two_are_rejected() {
        let cookie = RefreshCookie::default();
        assert_eq!(got(&cookie, &["a=b; __Host-poolgate-refresh=a.b-c"]).as_deref(), Some("a.b-c"));
        assert_eq!(got(&cookie, &["name=caf\u{e9}", "__Host-poolgate-refresh=a.b-c"]).as_deref(), Some("a.b-c"));
        assert_eq!(got(&cookie, &["name=caf\u{e9}; __Host-poolgate-refresh=a.b-c"]).as_deref(), Some("a.b-c"));
        for rejected in [
            &[][..],
            &["a=b"],
            &["__Host-poolgate-refresh="],
            &["__Secure-poolgate-refresh=a"],
            &["__Host-poolgate-refresh=a; __Host-poolgate-refresh=b"],
            &["__Host-poolgate-refresh=a", "__Host-poolgate-refresh=a"],
        ] {
            assert_eq!(got(&cookie, rejected), None, "{rejected:?}");
        }
    }

    #[test]
    fn a_name_that_is_another_one_to_a_browser_is_another_cookie() {
        let (cookie, name) = (RefreshCookie::default(), "__Host-poolgate-refresh");
        let mut others = vec![
            "__host-poolgate-refresh=x".to_owned(),
            "%5F_Host-poolgate-refresh=x".to_owned(),
            "\"__Host-poolgate-refresh\"=x".to_owned(),
            "__Host-poolgate-refresh".to_owned(),
            "__Host-poolgate-refresh =x".to_owned(),
        ];
        for space in ['\u{2003}', '\u{2000}', '\u{3000}', '\u{a0}', '\u{85}', '\u{feff}'] {
            others.extend([format!("{space}{name}=x"), format!("{name}{space}=x"), format!(" {space} {name}=x")]);
        }
        let get = |sent: &[u8]| {
            let headers = HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_bytes(sent).expect("a value"))]);
            cookie.get(&headers).ok().map(|token| token.expose_secret().to_owned())
        };
        let latin_1 = [format!("\u{a0}{name}=x"), format!("\u{85}{name}=x")];
        let latin_1 =
            latin_1.iter().map(|text| text.chars().filter_map(|it| u8::try_from(u32::from(it)).ok()).collect());
        for other in others.iter().map(|other| other.clone().into_bytes()).chain(latin_1) {
            let shown = String::from_utf8_lossy(&other);
            assert_eq!(get(&other), None, "{shown:?}");
            let real = format!("{name}=a.b-c").into_bytes();
            for both in [[&other[..], &real].join(&b"; "[..]), [&real[..], &other].join(&b"; "[..])] {
                assert_eq!(get(&both).as_deref(), Some("a.b-c"), "{shown:?} beside the cookie");
            }
        }
        for spaced in ["a=b;__Host-poolgate-refresh=x", "a=b; \t__Host-poolgate-refresh=x \t;c=d"] {
            assert_eq!(get(spaced.as_bytes()).as_deref(), Some("x"), "{spaced:?}");
        }
    }

    #[test]
    fn settings_that_a_browser_would_reject_are_rejected() {
        let plain = RefreshCookie::default;
        for path in ["", "v1", "/a;Domain=example.com", "/a b", "/a\r\nx: y", "/caf\u{e9}"] {
            assert_eq!(plain().path(path), Err(CookieError::Path), "{path}");
        }
        for domain in ["", ".example.com", "example..com", "a;b", "*.example.com"] {
            assert_eq!(plain().domain(domain), Err(CookieError::Domain), "{domain}");
        }
        for seconds in [0, 3_599, 315_360_001] {
            assert_eq!(plain().max_age(Duration::from_secs(seconds)), Err(CookieError::MaxAge), "{seconds}");
        }
    }
}
