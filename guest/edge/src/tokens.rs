//! Finds the token of a request, and removes it.

use crate::{
    head::RequestHead,
    header_mutation::HeaderMutation,
    names::NamePattern,
    token_location::{TokenLocation, after_prefix, all_fields, bare, elements, without_blanks},
};
use std::borrow::Cow;

/// The result of the search for a token.
pub(crate) enum Found<'r> {
    Nothing,
    Token(Cow<'r, str>),
    /// Two tokens, or a header that occurs twice (RFC 6750 section 2: "MUST NOT use more than one method").
    Several,
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

/// Returns the changes that remove the token of every location, or, if `keeps_tokens`, only the cookies that an application may mistake for
/// the token's. A header without the token's prefix, other elements, other cookies and other parameters stay. If a cookie may be the token, several
/// `Cookie` fields become one, because servers join them in different ways, or take only one.
///
/// All cookies are removed in one step, and so are all parameters, and all elements of a header: each step starts from the original request, so a
/// second one would restore what the first one removed.
pub(crate) fn mutations(
    locations: &[TokenLocation],
    request: &impl RequestHead,
    keeps_tokens: bool,
) -> Vec<HeaderMutation> {
    let mut mutations = Vec::new();
    let (mut cookies, mut parameters, mut lists) = (Vec::new(), Vec::new(), Vec::<(&str, Vec<&str>)>::new());
    for location in locations {
        match location {
            TokenLocation::Cookie(names) => cookies.push(names),
            _ if keeps_tokens => (),
            TokenLocation::Header { name, prefix, is_prefix_optional } => {
                let mut has_token = false;
                request.each_header(&mut |own, value| {
                    has_token |= own == name.as_bytes()
                        && (may_hold(value, prefix, name == "authorization")
                            || (*is_prefix_optional && may_be_bare(value)));
                });
                if has_token {
                    mutations.push(HeaderMutation::Remove(name.clone()));
                }
            }
            TokenLocation::Element { name, prefix } => match lists.iter_mut().find(|(own, _)| own == name) {
                Some((_, prefixes)) => prefixes.push(prefix),
                None => lists.push((name, vec![prefix])),
            },
            TokenLocation::Query(names) => parameters.push(names),
        }
    }
    for (name, prefixes) in lists {
        let sent = all_fields(request, name, ", ").unwrap_or_default();
        let is_token = |element: &str| prefixes.iter().any(|prefix| after_prefix(element, prefix).is_some());
        if elements(&sent).any(is_token) {
            let rest = elements(&sent).filter(|element| !element.is_empty() && !is_token(element));
            replace(&mut mutations, name, &rest.collect::<Vec<_>>().join(", "));
        }
    }
    if !cookies.is_empty() {
        let sent = all_fields(request, "cookie", "; ").unwrap_or_default();
        let is_other = |pair: &&str| !is_named(pair, &cookies, keeps_tokens);
        let rest: Vec<&str> = sent.split(';').map(without_blanks).filter(is_other).collect();
        if rest.len() < sent.split(';').count() || request.header("cookie").is_err() {
            replace(&mut mutations, "cookie", &rest.join("; "));
        }
    }
    if !parameters.is_empty()
        && let Some((path, query)) = request.target().split_once('?')
    {
        let separators = ['&', ';'];
        let is_other = |piece: &&str| {
            let pair = without_blanks(piece.trim_end_matches(separators));
            !is_named_so(pair, &parameters, false)
        };
        let rest: String = query.split_inclusive(separators).filter(is_other).collect();
        if rest.len() < query.len() {
            let rest = rest.trim_end_matches(separators);
            let target = if rest.is_empty() { path.to_owned() } else { [path, "?", rest].concat() };
            mutations.push(HeaderMutation::Set(":path".to_owned(), target));
        }
    }
    mutations
}

/// Replaces all fields of a header with one, or with none if the value is empty.
fn replace(mutations: &mut Vec<HeaderMutation>, name: &str, value: &str) {
    mutations.push(HeaderMutation::Remove(name.to_owned()));
    if !value.is_empty() {
        mutations.push(HeaderMutation::Set(name.to_owned(), value.to_owned()));
    }
}

/// Returns whether an application may read a cookie, or what follows a comma in it, as one with such a name. Parsers of RFC 2965, such as Rack 1 and
/// Tomcat's legacy processor, also separate cookies at commas. With `keeps_exact`, a cookie of exactly such a name is not meant.
fn is_named(pair: &str, names: &[&NamePattern], keeps_exact: bool) -> bool {
    let mut parts = elements(pair);
    parts.next().is_some_and(|first| is_named_so(first, names, keeps_exact))
        || parts.any(|part| is_named_so(part, names, false))
}

fn is_named_so(pair: &str, names: &[&NamePattern], keeps_exact: bool) -> bool {
    pair.split_once('=').is_some_and(|(own, _)| {
        names.iter().any(|name| name.may_match(own))
            && !(keeps_exact && names.iter().any(|name| name.matches(own.as_bytes())))
    })
}

/// Returns whether an application may find a token after the prefix. Some accept any white space after the scheme, or none.
fn may_hold(value: &[u8], prefix: &str, is_scheme: bool) -> bool {
    let prefix = if is_scheme { prefix.trim_end() } else { prefix }.as_bytes();
    value.split_at_checked(prefix.len()).is_some_and(|(own, rest)| match is_scheme {
        true => own.eq_ignore_ascii_case(prefix) && !rest.first().is_some_and(u8::is_ascii_alphanumeric),
        false => own == prefix,
    })
}

/// Returns whether an application may find a token without a prefix: the value is one word, or its first word has a dot, as no scheme has.
fn may_be_bare(value: &[u8]) -> bool {
    let mut words = value.split(|byte| !byte.is_ascii_graphic()).filter(|word| !word.is_empty());
    words.next().is_some_and(|first| first.contains(&b'.')) || bare(&String::from_utf8_lossy(value)).is_some()
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
            TokenLocation::Cookie(NamePattern::exact("a")),
            TokenLocation::Query(NamePattern::exact("p")),
            TokenLocation::Cookie(NamePattern::exact("b")),
            TokenLocation::Cookie(NamePattern::exact("absent")),
            TokenLocation::Query(NamePattern::exact("q")),
        ];
        let sent = Sent("/x?c=1&p=token&d=2&q=token", &[("cookie", "a=token; x=1; b=token")]);
        let expected = [header("cookie"), replaced("cookie", "x=1"), replaced(":path", "/x?c=1&d=2")];
        assert_eq!(mutations(&locations, &sent, false), expected);
    }

    #[test]
    fn every_spelling_of_a_token_is_removed_and_nothing_else() {
        let bearer = || TokenLocation::Header {
            name: "authorization".into(),
            prefix: "Bearer ".into(),
            is_prefix_optional: false,
        };
        let plain =
            || TokenLocation::Header { name: "x-token".into(), prefix: String::new(), is_prefix_optional: false };
        let (cookie, query) =
            (|| TokenLocation::Cookie(NamePattern::exact("t")), || TokenLocation::Query(NamePattern::exact("t")));
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
            (cookie(), "/", &[("cookie", "a=1; b=2")], vec![]),
            (
                cookie(),
                "/",
                &[("cookie", "a=1; b=2"), ("cookie", "c=3")],
                vec![header("cookie"), replaced("cookie", "a=1; b=2; c=3")],
            ),
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
        let location = TokenLocation::Cookie(NamePattern::exact("__Host-access"));
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
        let location = TokenLocation::Cookie(NamePattern::exact("t"));
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
        let locations = [TokenLocation::Query(NamePattern::exact("t"))];
        assert!(matches!(find(&locations, &Sent("/x?%74=x", &[])), Found::Token(token) if token == "x"));
        assert!(matches!(find(&locations, &Sent("/x?%74=x&t=y", &[])), Found::Several));
        assert!(matches!(find(&locations, &Sent("/x?%7=x&tt=y", &[])), Found::Nothing));
    }
}
