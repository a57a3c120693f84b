//! The freshness of a key set response.

/// Returns the number of seconds for which a response stays fresh: `max-age` of `Cache-Control` (RFC 9111 section 5.2.2.1) less `Age`
/// (section 5.1). `no-cache` and `no-store` count as 0. Returns `None` if there is no `max-age`.
pub fn freshness(cache_control: Option<&str>, age: Option<&str>) -> Option<u64> {
    let max_age = max_age(cache_control?)?;
    let age = age.and_then(|age| age.trim().parse().ok()).unwrap_or(0);
    Some(max_age.saturating_sub(age))
}

fn max_age(header: &str) -> Option<u64> {
    let mut directives = header.split(',').map(str::trim);
    if directives.clone().any(|it| it.eq_ignore_ascii_case("no-cache") || it.eq_ignore_ascii_case("no-store")) {
        return Some(0);
    }
    directives.find_map(|directive| {
        let (name, seconds) = directive.split_once('=')?;
        if name.eq_ignore_ascii_case("max-age") { seconds.trim_matches('"').parse().ok() } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::freshness;

    #[test]
    fn freshness_follows_cache_control_and_age() {
        for (cache_control, age, expected) in [
            (None, None, None),
            (Some("public"), None, None),
            (Some("public, max-age=86400"), None, Some(86_400)),
            (Some("Max-Age=\"60\""), Some(" 20 "), Some(40)),
            (Some("max-age=60"), Some("90"), Some(0)),
            (Some("max-age=60"), Some("x"), Some(60)),
            (Some("max-age=-1"), None, None),
            (Some("max-age=60, No-Store"), None, Some(0)),
            (None, Some("5"), None),
        ] {
            assert_eq!(freshness(cache_control, age), expected, "{cache_control:?} {age:?}");
        }
    }
}
