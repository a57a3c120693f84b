//! The freshness lifetime of an HTTP response (RFC 9111 sections 4.2 and 5.2.2).

use headers::{CacheControl, HeaderMapExt};
use reqwest::header::{AGE, HeaderMap};

/// Returns for how many more seconds the response is fresh: `max-age` minus `Age`, or 0 for `no-store` and `no-cache`. Returns `None` if
/// `Cache-Control` is absent, cannot be parsed, or has none of these directives.
pub(crate) fn max_age(headers: &HeaderMap) -> Option<u64> {
    let control: CacheControl = headers.typed_get()?;
    if control.no_store() || control.no_cache() {
        return Some(0);
    }
    let age = headers.get(AGE).and_then(|age| age.to_str().ok()?.trim().parse().ok()).unwrap_or(0);
    control.max_age().map(|max_age| max_age.as_secs().saturating_sub(age))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{CACHE_CONTROL, HeaderValue};

    #[test]
    fn the_freshness_lifetime_is_max_age_minus_age() {
        for (control, age, expected) in [
            (None, None, None),
            (Some("public, max-age=86400"), None, Some(86_400)),
            (Some("max-age=600"), Some("100"), Some(500)),
            (Some("max-age=600"), Some("601"), Some(0)),
            (Some("max-age=600"), Some("soon"), Some(600)),
            (Some("no-store"), None, Some(0)),
            (Some("no-cache, max-age=600"), None, Some(0)),
            (Some("public"), None, None),
            (Some("max-age=99999999999999999999999"), None, None),
            (Some("max-age=-1"), None, None),
        ] {
            let mut headers = HeaderMap::new();
            let mut set = |name, value: Option<&'static str>| {
                value.map(|value| headers.insert(name, HeaderValue::from_static(value)));
            };
            set(CACHE_CONTROL, control);
            set(AGE, age);
            assert_eq!(max_age(&headers), expected, "{control:?} {age:?}");
        }
    }
}
