//! Finds the token of a request, and removes it.

use crate::{config, head::RequestHead, header_mutation::HeaderMutation};
use std::borrow::Cow;

/// Where a request may carry its token.
#[derive(Debug)]
pub(crate) enum TokenLocation {
    Header { name: String, prefix: String },
    Cookie(String),
    Query(String),
}

/// The result of the search for a token.
pub(crate) enum Found<'r> {
    Nothing,
    Token(Cow<'r, str>),
    /// Two tokens, or a header that occurs twice (RFC 6750 section 2: "MUST NOT use more than one method").
    Several,
}

impl TokenLocation {
    pub(crate) fn new(location: &config::TokenLocation) -> Self {
        match (&location.header, &location.cookie) {
            (Some(name), _) => Self::Header { name: name.clone(), prefix: location.prefix.clone().unwrap_or_default() },
            (None, Some(name)) => Self::Cookie(name.clone()),
            (None, None) => Self::Query(location.query.clone().unwrap_or_default()),
        }
    }

    fn token_in<'r>(&self, request: &'r impl RequestHead) -> Result<Option<Cow<'r, str>>, ()> {
        match self {
            Self::Header { name, prefix } => {
                let Some(value) = request.header(name)? else { return Ok(None) };
                part(value, |value| Ok(without_prefix(value, prefix, name == "authorization")))
            }
            Self::Cookie(name) => match request.header("cookie").unwrap_or_else(|()| Some(all_cookies(request).into()))
            {
                Some(cookies) => part(cookies, |cookies| {
                    Ok(only(cookies.split(';').map(without_blanks), |own| own == name)?.map(without_quotes))
                }),
                None => Ok(None),
            },
            Self::Query(name) => match request.target().split_once('?') {
                Some((_, query)) => Ok(only(query.split('&'), |own| decoded(own).eq(name.bytes()))?.map(Cow::Borrowed)),
                None => Ok(None),
            },
        }
    }
}

/// Returns a part of a text. Copies it only if the text is owned.
fn part<'r>(
    text: Cow<'r, str>,
    take: impl FnOnce(&str) -> Result<Option<&str>, ()>,
) -> Result<Option<Cow<'r, str>>, ()> {
    match text {
        Cow::Borrowed(text) => Ok(take(text)?.map(Cow::Borrowed)),
        Cow::Owned(text) => Ok(take(&text)?.map(|part| Cow::Owned(part.to_owned()))),
    }
}

/// Joins all `Cookie` fields. In HTTP/2, each cookie may be in its own field (RFC 9113 section 8.2.3). A client may send several in HTTP/1, too.
fn all_cookies(request: &impl RequestHead) -> String {
    let mut all = String::new();
    request.each_header(&mut |name, value| {
        if name == b"cookie" {
            all.push_str(if all.is_empty() { "" } else { "; " });
            all.push_str(&String::from_utf8_lossy(value));
        }
    });
    all
}

/// Returns the changes that remove the token of every location, or, if `keeps_tokens`, only the cookies that an application may mistake for
/// the token's. A header without the token's prefix, other cookies and other parameters stay.
/// All cookies are removed in one step, and so are all parameters: each step starts from the original request, so a second one would
/// restore what the first one removed.
pub(crate) fn mutations(
    locations: &[TokenLocation],
    request: &impl RequestHead,
    keeps_tokens: bool,
) -> Vec<HeaderMutation> {
    let mut mutations = Vec::new();
    let (mut cookies, mut parameters) = (Vec::new(), Vec::new());
    for location in locations {
        match location {
            TokenLocation::Cookie(name) => cookies.push(name.as_str()),
            _ if keeps_tokens => (),
            TokenLocation::Header { name, prefix } => {
                let mut has_token = false;
                request.each_header(&mut |own, value| {
                    has_token |= own == name.as_bytes() && may_hold(value, prefix, name == "authorization");
                });
                if has_token {
                    mutations.push(HeaderMutation::Remove(name.clone()));
                }
            }
            TokenLocation::Query(name) => parameters.push(name.as_str()),
        }
    }
    if !cookies.is_empty() {
        let sent = all_cookies(request);
        let rest = without(&sent, ";", &cookies, keeps_tokens);
        if rest.len() < sent.split(';').count() {
            mutations.push(HeaderMutation::Remove("cookie".to_owned()));
            if !rest.is_empty() {
                mutations.push(HeaderMutation::Set("cookie".to_owned(), rest.join("; ")));
            }
        }
    }
    if !parameters.is_empty()
        && let Some((path, query)) = request.target().split_once('?')
    {
        let rest = without(query, "&", &parameters, false);
        if rest.len() < query.split('&').count() {
            let target = if rest.is_empty() { path.to_owned() } else { format!("{path}?{}", rest.join("&")) };
            mutations.push(HeaderMutation::Set(":path".to_owned(), target));
        }
    }
    mutations
}

/// Removes the pairs whose names an application may read as one of `names`. With `keeps_exact`, pairs of exactly these names stay.
fn without<'p>(pairs: &'p str, separator: &str, names: &[&str], keeps_exact: bool) -> Vec<&'p str> {
    let is_other = |pair: &&str| {
        pair.split_once('=').is_none_or(|(own, _)| {
            !names.iter().any(|name| may_be_read_as(own, name)) || (keeps_exact && names.contains(&own))
        })
    };
    pairs.split(separator).map(without_blanks).filter(is_other).collect()
}

/// Returns whether an application may find a token after the prefix. Some accept any white space after the scheme, or none.
fn may_hold(value: &[u8], prefix: &str, is_scheme: bool) -> bool {
    let prefix = if is_scheme { prefix.trim_end() } else { prefix }.as_bytes();
    value.split_at_checked(prefix.len()).is_some_and(|(own, rest)| match is_scheme {
        true => own.eq_ignore_ascii_case(prefix) && !rest.first().is_some_and(u8::is_ascii_alphanumeric),
        false => own == prefix,
    })
}

/// Returns whether an application may read `own` as this name of a cookie or parameter. Some decode percent-encoding (CVE-2020-8184), some
/// ignore white space around the name, also that of Unicode or Latin-1, and PHP reads dots, spaces and brackets as `_` (CVE-2022-31629).
fn may_be_read_as(own: &str, name: &str) -> bool {
    let plain = |byte: u8| if matches!(byte, b'.' | b' ' | b'[' | b'+') { b'_' } else { byte };
    let own: Vec<u8> = decoded(own).collect();
    let start = own.iter().position(u8::is_ascii_graphic).unwrap_or_default();
    let end = own.iter().rposition(u8::is_ascii_graphic).unwrap_or_default();
    let inner = own.get(start..=end).unwrap_or_default();
    inner.iter().copied().map(plain).eq(name.bytes().map(plain))
}

/// Decodes percent-encoding (RFC 3986 section 2.1).
fn decoded(text: &str) -> impl Iterator<Item = u8> {
    let mut bytes = text.bytes();
    std::iter::from_fn(move || match bytes.next()? {
        b'%' => {
            let after = bytes.clone();
            let mut digit = || bytes.next().and_then(|digit| char::from(digit).to_digit(16));
            match (digit(), digit()) {
                (Some(high), Some(low)) => u8::try_from(high << 4 | low).ok(),
                _ => {
                    bytes = after;
                    Some(b'%')
                }
            }
        }
        byte => Some(byte),
    })
}

/// Removes what browsers remove around a cookie: spaces and tabs. To a browser, other white space belongs to the name, which then has no prefix
/// `__Host-`.
fn without_blanks(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// Removes the quotation marks around a value (RFC 6265 section 4.1.1).
fn without_quotes(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

/// Searches all locations.
pub(crate) fn find<'r>(locations: &[TokenLocation], request: &'r impl RequestHead) -> Found<'r> {
    let mut found = Found::Nothing;
    for location in locations {
        match (location.token_in(request), &found) {
            (Ok(None), _) => (),
            (Ok(Some(token)), Found::Nothing) => found = Found::Token(token),
            (Ok(Some(_)) | Err(()), _) => return Found::Several,
        }
    }
    found
}

/// Returns the token after the prefix. A scheme is case-insensitive and is followed by one or more spaces (RFC 9110 section 11.4).
fn without_prefix<'v>(value: &'v str, prefix: &str, is_scheme: bool) -> Option<&'v str> {
    if !is_scheme {
        return value.strip_prefix(prefix);
    }
    let scheme = prefix.trim_end();
    let (own, token) = value.split_at_checked(scheme.len())?;
    if !own.eq_ignore_ascii_case(scheme) {
        return None;
    }
    match token.strip_prefix(' ') {
        Some(token) => Some(token.trim_start_matches(' ')),
        // "Bearer" alone is an empty token, not an absent one.
        None => (token.is_empty() || scheme.is_empty()).then_some(token),
    }
}

/// Returns the value of the pair with this name. Fails if there are several.
fn only<'p>(pairs: impl Iterator<Item = &'p str>, is_name: impl Fn(&str) -> bool) -> Result<Option<&'p str>, ()> {
    let mut values =
        pairs.filter_map(|pair| pair.split_once('=')).filter(|(own, _)| is_name(own)).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::slice::from_ref;

    struct Sent(&'static str, &'static [(&'static str, &'static str)]);

    impl RequestHead for Sent {
        fn method(&self) -> &str {
            "GET"
        }

        fn target(&self) -> &str {
            self.0
        }

        fn header(&self, name: &str) -> Result<Option<Cow<'_, str>>, ()> {
            let mut values = self.1.iter().filter(|(own, _)| *own == name).map(|(_, value)| Cow::Borrowed(*value));
            match (values.next(), values.next()) {
                (value, None) => Ok(value),
                (_, Some(_)) => Err(()),
            }
        }

        fn each_header(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
            self.1.iter().for_each(|(name, value)| visit(name.as_bytes(), value.as_bytes()));
        }
    }

    fn header(name: &str) -> HeaderMutation {
        HeaderMutation::Remove(name.into())
    }

    fn replaced(name: &str, value: &str) -> HeaderMutation {
        HeaderMutation::Set(name.into(), value.into())
    }

    #[test]
    fn tokens_in_several_cookies_and_parameters_are_all_removed() {
        let locations = [
            TokenLocation::Cookie("a".into()),
            TokenLocation::Query("p".into()),
            TokenLocation::Cookie("b".into()),
            TokenLocation::Cookie("absent".into()),
            TokenLocation::Query("q".into()),
        ];
        let sent = Sent("/x?c=1&p=token&d=2&q=token", &[("cookie", "a=token; x=1; b=token")]);
        let expected = [header("cookie"), replaced("cookie", "x=1"), replaced(":path", "/x?c=1&d=2")];
        assert_eq!(mutations(&locations, &sent, false), expected);
    }

    #[test]
    fn every_spelling_of_a_token_is_removed_and_nothing_else() {
        let bearer = || TokenLocation::Header { name: "authorization".into(), prefix: "Bearer ".into() };
        let plain = || TokenLocation::Header { name: "x-token".into(), prefix: String::new() };
        let (cookie, query) = (|| TokenLocation::Cookie("t".into()), || TokenLocation::Query("t".into()));
        for (location, target, headers, expected) in [
            (bearer(), "/", &[("authorization", "Basic YTpi")][..], vec![]),
            (bearer(), "/", &[("authorization", "Bearers x")], vec![]),
            (bearer(), "/", &[("authorization", "Bearer x")], vec![header("authorization")]),
            (bearer(), "/", &[("authorization", "bearer\tx")], vec![header("authorization")]),
            (
                bearer(),
                "/",
                &[("authorization", "Basic a"), ("authorization", "Bearer x")],
                vec![header("authorization")],
            ),
            (plain(), "/", &[("x-token", "x")], vec![header("x-token")]),
            (plain(), "/", &[("x-other", "x")], vec![]),
            (cookie(), "/", &[("cookie", "a=1; b=2"), ("cookie", "c=3")], vec![]),
            (cookie(), "/", &[("cookie", "a=1"), ("cookie", "t=x")], vec![header("cookie"), replaced("cookie", "a=1")]),
            (
                cookie(),
                "/",
                &[("cookie", "t=x; a=1"), ("cookie", "t=y")],
                vec![header("cookie"), replaced("cookie", "a=1")],
            ),
            (cookie(), "/", &[("cookie", "t =x")], vec![header("cookie")]),
            (query(), "/x?a=1&b", &[], vec![]),
            (query(), "/x?t=x", &[], vec![replaced(":path", "/x")]),
            (query(), "/x?a=1&%74=x&t=y", &[], vec![replaced(":path", "/x?a=1")]),
        ] {
            assert_eq!(mutations(&[location], &Sent(target, headers), false), expected, "{target} {headers:?}");
        }
    }

    fn token<'r>(location: &TokenLocation, request: &'r Sent) -> Result<Option<Cow<'r, str>>, ()> {
        match find(from_ref(location), request) {
            Found::Nothing => Ok(None),
            Found::Token(token) => Ok(Some(token)),
            Found::Several => Err(()),
        }
    }

    #[test]
    fn a_cookie_with_another_spelling_of_the_name_is_never_the_token_and_never_reaches_the_application() {
        let location = TokenLocation::Cookie("__Host-access".into());
        for (alone, before, after) in [
            ("%5F_Host-access=x", "%5F_Host-access=x; __Host-access=a.b.c", "__Host-access=a.b.c; %5F_Host-access=x"),
            ("__%48ost-access=x", "__%48ost-access=x; __Host-access=a.b.c", "__Host-access=a.b.c; __%48ost-access=x"),
            (
                "\u{2003}__Host-access=x",
                "\u{2003}__Host-access=x; __Host-access=a.b.c",
                "__Host-access=a.b.c;\u{2003}__Host-access=x",
            ),
            (
                "%E2%80%83__Host-access=x",
                "%E2%80%83__Host-access=x;__Host-access=a.b.c",
                "__Host-access=a.b.c; %e2%80%83__Host-access=x",
            ),
            (
                "\u{fffd}__Host-access=x",
                "\u{fffd}__Host-access=x; __Host-access=a.b.c",
                "__Host-access=a.b.c; \u{fffd}__Host-access=x",
            ),
            (
                "__Host-access\u{a0}=x",
                "__Host-access\u{a0}=x; __Host-access=a.b.c",
                "__Host-access=a.b.c; __Host-access\u{a0}=x",
            ),
            ("__Host-access =x", "__Host-access =x; __Host-access=a.b.c", "__Host-access=a.b.c; __Host-access%20=x"),
            ("..Host-access=x", "_.Host-access=x; __Host-access=a.b.c", "__Host-access=a.b.c; [_Host-access=x"),
        ] {
            let cookie = |value| Sent("/", Box::leak(Box::new([("cookie", value)])));
            let alone = cookie(alone);
            assert_eq!(token(&location, &alone), Ok(None), "{:?}", alone.1);
            for keeps_tokens in [true, false] {
                assert_eq!(mutations(from_ref(&location), &alone, keeps_tokens), [header("cookie")], "{:?}", alone.1);
            }
            for both in [before, after].map(cookie) {
                assert_eq!(token(&location, &both), Ok(Some("a.b.c".into())), "{:?}", both.1);
                let kept = [header("cookie"), replaced("cookie", "__Host-access=a.b.c")];
                assert_eq!(mutations(from_ref(&location), &both, true), kept, "{:?}", both.1);
                assert_eq!(mutations(from_ref(&location), &both, false), [header("cookie")], "{:?}", both.1);
            }
        }
        let other = Sent("/", &[("cookie", "__host-access=x; Host-access=y; a; __Host-access=a.b.c")]);
        assert_eq!(token(&location, &other), Ok(Some("a.b.c".into())));
        assert_eq!(mutations(from_ref(&location), &other, true), []);
        for two in ["__Host-access=x; __Host-access=y", "__Host-access=x;__Host-access=x"] {
            assert_eq!(token(&location, &Sent("/", Box::leak(Box::new([("cookie", two)])))), Err(()), "{two}");
        }
    }

    #[test]
    fn a_token_cookie_may_be_quoted_and_in_any_of_several_cookie_fields() {
        let location = TokenLocation::Cookie("t".into());
        for (headers, expected) in [
            (&[("cookie", "t=\"a.b.c\"")][..], Ok(Some("a.b.c"))),
            (&[("cookie", "a=\"1\"; t=\"a.b.c\" ; b=2")], Ok(Some("a.b.c"))),
            (&[("cookie", "t=\"\"")], Ok(Some(""))),
            (&[("cookie", "t=\"")], Ok(Some("\""))),
            (&[("cookie", "t=\"a")], Ok(Some("\"a"))),
            (&[("cookie", "t=a\"")], Ok(Some("a\""))),
            (&[("cookie", "a=1"), ("cookie", "t=a.b.c")], Ok(Some("a.b.c"))),
            (&[("cookie", "t=a.b.c; a=1"), ("cookie", "b=2")], Ok(Some("a.b.c"))),
            (&[("cookie", "a=1"), ("cookie", "b=2")], Ok(None)),
            (&[("cookie", "t=a"), ("cookie", "t=a")], Err(())),
            (&[("cookie", "t=a"), ("cookie", "t=\"b\"")], Err(())),
        ] {
            let found = token(&location, &Sent("/", headers)).map(|found| found.map(Cow::into_owned));
            assert_eq!(found, expected.map(|token| token.map(str::to_owned)), "{headers:?}");
        }
    }

    #[test]
    fn a_parameter_with_a_percent_encoded_name_is_found() {
        let locations = [TokenLocation::Query("t".into())];
        assert!(matches!(find(&locations, &Sent("/x?%74=x", &[])), Found::Token(token) if token == "x"));
        assert!(matches!(find(&locations, &Sent("/x?%74=x&t=y", &[])), Found::Several));
        assert!(matches!(find(&locations, &Sent("/x?%7=x&tt=y", &[])), Found::Nothing));
    }

    #[test]
    fn a_scheme_is_case_insensitive_and_is_followed_by_spaces() {
        for (value, token) in [
            ("Bearer a.b.c", Some("a.b.c")),
            ("bearer   a.b.c", Some("a.b.c")),
            ("BEARER a", Some("a")),
            ("Bearer", Some("")),
            ("Bearer ", Some("")),
            ("Basic a", None),
            ("Bearera.b.c", None),
            ("Bear", None),
            ("é", None),
        ] {
            assert_eq!(without_prefix(value, "Bearer ", true), token, "{value}");
        }
        assert_eq!(without_prefix("Token a", "Token ", false), Some("a"));
        assert_eq!(without_prefix("token a", "Token ", false), None);
        assert_eq!(without_prefix("a", "", false), Some("a"));
    }
}
