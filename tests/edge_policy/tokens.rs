//! Where a request may carry its token, and what the application receives.

use crate::scene::{Sent, TOKEN, authorizer, error, forwarded, verdict};
use poolgate_edge::RequestAuthorizer;
use poolgate_tests::edge_scene::{guarded, pool};
use serde_json::{Value, json};

/// An authorizer with these locations, that does not forward tokens. Below `/open`, no token is required.
fn with_locations(from: &Value, forward: bool) -> RequestAuthorizer {
    let mut configuration = guarded(pool());
    configuration["tokens"] = json!({"from": from, "forward": forward});
    configuration["routes"] = json!([
        {"prefix": "/open", "public": true},
        {"prefix": "/either", "authenticated": true, "optional": true},
        {"prefix": "/", "authenticated": true},
    ]);
    authorizer(&configuration)
}

/// Returns the values of a header that the application receives.
fn received(authorizer: &mut RequestAuthorizer, request: &Sent, name: &str) -> Vec<String> {
    let headers = forwarded(authorizer, request).into_iter();
    headers.filter(|(own, _)| own == name).map(|(_, value)| value).collect()
}

const LIST: &str = "sec-websocket-protocol";

#[test]
fn one_element_of_a_list_is_the_token_and_it_alone_is_removed() {
    let location = json!([{"header": LIST, "element_prefix": "bearer."}]);
    let mut authorizer = with_locations(&location, false);
    let mut forwarding = with_locations(&location, true);
    let token = format!("bearer.{}", *TOKEN);
    for (fields, expected) in [
        (vec![token.clone()], vec![]),
        (vec![format!("graphql-ws, {token}")], vec!["graphql-ws"]),
        (vec![format!("{token},graphql-ws;q=1 , a b")], vec!["graphql-ws;q=1, a b"]),
        (vec![format!(" , a,\t{token} ,, b,")], vec!["a, b"]),
        (vec![format!("a, Bearer.{}", *TOKEN)], vec!["a"]),
        (vec!["a, b".to_owned(), format!("{token}, c")], vec!["a, b, c"]),
        (vec![token.clone(), "a".to_owned()], vec!["a"]),
    ] {
        let request = fields.iter().fold(Sent::get("/"), |request, field| request.with(LIST, field));
        assert_eq!(verdict(&mut authorizer, &request), "verified", "{fields:?}");
        assert_eq!(received(&mut authorizer, &request, LIST), expected, "{fields:?}");
        assert_eq!(received(&mut forwarding, &request, LIST), fields);
    }
    let both = format!("{token}, {token}");
    for (fields, expected) in [
        (&["a, b"][..], "no-token"),
        (&["", ","], "no-token"),
        (&["xbearer.a"], "no-token"),
        (&["bearer"], "no-token"),
        (&["bearer."], "token-empty"),
        (&["a, bearer.x"], "token-not-three-parts"),
        (&[&both], "several-tokens"),
        (&[&token, &token], "several-tokens"),
        (&[&token, "BEARER.x"], "several-tokens"),
        // A quoted string, for readers who know them.
        (&[&format!("\"a, {token}, b\"")], "several-tokens"),
    ] {
        let request = |target| fields.iter().fold(Sent::get(target), |request, field| request.with(LIST, *field));
        assert_eq!(verdict(&mut authorizer, &request("/")), expected, "{fields:?}");
        // On a public route, no token is read, and none is forwarded.
        let open = received(&mut authorizer, &request("/open"), LIST).concat().to_lowercase();
        assert!(!open.split(',').any(|element| element.trim().starts_with("bearer.")), "{fields:?}: {open}");
    }
}

#[test]
fn two_kinds_of_elements_of_one_header_are_removed_together() {
    let location = json!([{"header": LIST, "element_prefix": "bearer."}, {"header": LIST, "element_prefix": "jwt-"}]);
    let mut authorizer = with_locations(&location, false);
    let (one, other) = (format!("a, jwt-{}, b", *TOKEN), format!("a, jwt-{0}, b, bearer.{0}", *TOKEN));
    assert_eq!(verdict(&mut authorizer, &Sent::get("/").with(LIST, &one)), "verified");
    assert_eq!(verdict(&mut authorizer, &Sent::get("/").with(LIST, &other)), "several-tokens");
    assert_eq!(received(&mut authorizer, &Sent::get("/open").with(LIST, &other), LIST), ["a, b"]);
}

#[test]
fn the_prefix_of_a_header_may_be_optional() {
    let location = json!([{"header": "authorization", "prefix": "Bearer ", "prefix_optional": true}]);
    let mut authorizer = with_locations(&location, false);
    let sent = |target: &str, value: &str| Sent::get(target).with("authorization", value);
    let token = TOKEN.as_str();
    for value in [token.to_owned(), format!("Bearer {token}"), format!("bearer   {token}"), format!(" {token}\t")] {
        assert_eq!(verdict(&mut authorizer, &sent("/", &value)), "verified", "{value}");
        assert!(received(&mut authorizer, &sent("/", &value), "authorization").is_empty(), "{value}");
        assert!(received(&mut authorizer, &sent("/open", &value), "authorization").is_empty(), "{value}");
    }
    // Credentials of another scheme are no token, and stay.
    for value in ["Basic YTpi", "Digest username=\"a\", realm=\"b\"", "", "  "] {
        assert_eq!(verdict(&mut authorizer, &sent("/", value)), "no-token", "{value}");
        assert_eq!(verdict(&mut authorizer, &sent("/either", value)), "anonymous", "{value}");
        assert_eq!(received(&mut authorizer, &sent("/either", value), "authorization"), [value]);
    }
    let malformed = "token-not-three-parts";
    for (value, expected) in
        [("abc", malformed), ("Bearer", "token-empty"), ("Bearer x", malformed), ("Basic", malformed)]
    {
        assert_eq!(verdict(&mut authorizer, &sent("/either", value)), expected, "{value}");
    }
    // An application may take the first word.
    let odd = format!("{token} x");
    assert_eq!(verdict(&mut authorizer, &sent("/", &odd)), "no-token");
    assert!(received(&mut authorizer, &sent("/open", &odd), "authorization").is_empty());
    let twice = sent("/", token).with("authorization", format!("Bearer {token}"));
    assert_eq!(verdict(&mut authorizer, &twice), "several-tokens");
    // By default, the prefix is required.
    let mut strict = with_locations(&json!([{"header": "authorization", "prefix": "Bearer "}]), false);
    assert_eq!(verdict(&mut strict, &sent("/", token)), "no-token");
}

/// The cookies that AWS Amplify sets for a user.
fn amplify(user: &str, token: &str) -> String {
    let name = |name: &str| format!("CognitoIdentityServiceProvider.1example23456789.{user}.{name}");
    format!(
        "a=1; {}={token}; {}=id; {}=refresh; CognitoIdentityServiceProvider.1example23456789.LastAuthUser={user}",
        name("accessToken"),
        name("idToken"),
        name("refreshToken")
    )
}

#[test]
fn a_cookie_may_be_named_by_a_pattern() {
    let location = json!([{"cookie_pattern": "CognitoIdentityServiceProvider.1example23456789.*.accessToken"}]);
    let mut authorizer = with_locations(&location, false);
    let sent = |target: &str, cookies: &str| Sent::get(target).with("cookie", cookies);
    for user in ["ada", "ada.lovelace", "a%40b.example", "0a1b2c3d-4e5f-4061-8283-a4b5c6d7e8f9"] {
        let cookies = amplify(user, &TOKEN);
        assert_eq!(verdict(&mut authorizer, &sent("/", &cookies)), "verified", "{user}");
        let left = received(&mut authorizer, &sent("/", &cookies), "cookie").concat();
        assert!(left.starts_with("a=1; ") && left.contains(".idToken=id") && !left.contains("accessToken"), "{left}");
    }
    // Two users' tokens are two tokens, even if one names the last user, and even if they are the same.
    let two = format!("{}; {}", amplify("ada", &TOKEN), amplify("bob", &TOKEN));
    assert_eq!(verdict(&mut authorizer, &sent("/", &two)), "several-tokens");
    assert!(!received(&mut authorizer, &sent("/open", &two), "cookie").concat().contains("accessToken"));
    for (other, expected) in [
        (amplify("", &TOKEN), "no-token"),
        (amplify("ada", &TOKEN).replace("1example", "other"), "no-token"),
        (amplify("ada", &TOKEN).replace(".accessToken", ".accesstoken"), "no-token"),
        (amplify("ada", &TOKEN).replace("Cognito", "%43ognito"), "no-token"),
    ] {
        assert_eq!(verdict(&mut authorizer, &sent("/", &other)), expected, "{other}");
    }
    // A cookie that an application may read as such a one is removed, whatever `forward` is.
    let mut forwarding = with_locations(&location, true);
    let forged = amplify("ada", &TOKEN) + "; %43ognitoIdentityServiceProvider.1example23456789.eve.accessToken=x";
    assert_eq!(verdict(&mut forwarding, &sent("/", &forged)), "verified");
    assert_eq!(received(&mut forwarding, &sent("/", &forged), "cookie"), [amplify("ada", &TOKEN)]);
}

#[test]
fn several_cookie_fields_are_read_as_one_and_forwarded_as_one() {
    let location = json!([{"cookie": "t"}]);
    for forward in [true, false] {
        let mut authorizer = with_locations(&location, forward);
        let sent = Sent::get("/").with("cookie", "a=1").with("cookie", format!("t={}; b=2", *TOKEN));
        assert_eq!(verdict(&mut authorizer, &sent), "verified");
        let expected = if forward { format!("a=1; t={}; b=2", *TOKEN) } else { "a=1; b=2".to_owned() };
        assert_eq!(received(&mut authorizer, &sent, "cookie"), [expected]);
        // A parser of RFC 2965 would read another token after the comma.
        let sent = Sent::get("/").with("cookie", format!("a=1, t=x; t={}; b=2,3", *TOKEN));
        assert_eq!(verdict(&mut authorizer, &sent), "verified");
        let expected = if forward { format!("t={}; b=2,3", *TOKEN) } else { "b=2,3".to_owned() };
        assert_eq!(received(&mut authorizer, &sent, "cookie"), [expected]);
        let two = Sent::get("/").with("cookie", format!("t={}", *TOKEN)).with("cookie", "t=x");
        assert_eq!(verdict(&mut authorizer, &two), "several-tokens");
    }
    // Without a cookie as a location, cookies stay as they came.
    let mut bearer = with_locations(&json!([{"header": "authorization", "prefix": "Bearer "}]), false);
    let sent = Sent::get("/").with("cookie", "a=1, t=x").with("cookie", "b=2").with_token();
    assert_eq!(received(&mut bearer, &sent, "cookie"), ["a=1, t=x", "b=2"]);
}

#[test]
fn an_error_in_a_location_says_what_is_wrong() {
    let one = "set one of header, cookie, cookie_pattern and query";
    let star = "must have exactly one *, and text before it: for one name, use cookie";
    let plain = "must be printable ASCII without spaces, commas and quotes, and not empty";
    for (location, member, expected) in [
        (json!({}), "", one),
        (json!({"cookie": "a", "cookie_pattern": "b*"}), "", one),
        (json!({"header": "a", "cookie_pattern": "b*"}), "", one),
        (json!({"cookie": "a", "element_prefix": "b"}), ".element_prefix", "requires header"),
        (json!({"query": "a", "prefix": "b"}), ".prefix", "requires header"),
        (json!({"cookie": "a", "prefix_optional": true}), ".prefix_optional", "requires header and prefix"),
        (
            json!({"header": "a", "prefix_optional": true}),
            ".prefix_optional",
            "requires prefix: without one, the whole header is the token",
        ),
        (
            json!({"header": "a", "prefix": "", "prefix_optional": true}),
            ".prefix_optional",
            "requires prefix: without one, the whole header is the token",
        ),
        (
            json!({"header": "a", "prefix": "b", "element_prefix": "c"}),
            ".element_prefix",
            "set prefix or element_prefix, not both",
        ),
        (json!({"header": "a", "element_prefix": ""}), ".element_prefix", plain),
        (json!({"header": "a", "element_prefix": "b, "}), ".element_prefix", plain),
        (json!({"header": "A", "element_prefix": "b"}), ".header", "must be in lower case"),
        (json!({"cookie_pattern": "a"}), ".cookie_pattern", star),
        (json!({"cookie_pattern": "a*b*"}), ".cookie_pattern", star),
        (json!({"cookie_pattern": "*.accessToken"}), ".cookie_pattern", star),
        (json!({"cookie_pattern": "a b*"}), "", "the name is empty, or has an invalid character"),
    ] {
        let mut configuration = guarded(pool());
        configuration["tokens"] = json!({"from": [location]});
        assert_eq!(error(&configuration), format!("tokens.from[0]{member}: {expected}"));
    }
    for member in ["element_prefix", "cookie_pattern"] {
        let mut configuration = guarded(pool());
        configuration["tokens"] = json!({"from": [{"header": "a", member: null}]});
        assert_eq!(error(&configuration), format!("tokens.from[0].{member}: invalid type: null, expected a string"));
    }
    let mut configuration = guarded(pool());
    configuration["tokens"] = json!({"from": [{"header": "a"}, {"header": "a", "element_prefix": "b"}]});
    let expected = "tokens.from[1].header: is also a location without element_prefix: a header is a list or a token";
    assert_eq!(error(&configuration), expected);
}

#[test]
fn a_parameter_after_a_semicolon_is_one_too() {
    let mut configuration = guarded(pool());
    configuration["tokens"] = json!({"from": [{"query": "access_token"}], "forward": false});
    let mut authorizer = authorizer(&configuration);
    let token = TOKEN.as_str();
    // Traefik, among others, makes `&` of `;` after the verification.
    let two = Sent::get(&format!("/x?access_token={token}&a=1;access_token=other"));
    assert_eq!(verdict(&mut authorizer, &two), "several-tokens");
    for (query, rest) in [
        (format!("a=1;access_token={token}"), "/x?a=1"),
        (format!("access_token={token};a=1"), "/x?a=1"),
        (format!("q=a;b&access_token={token}&c"), "/x?q=a;b&c"),
        (format!("access_token={token}"), "/x"),
    ] {
        let request = Sent::get(&format!("/x?{query}"));
        assert_eq!(verdict(&mut authorizer, &request), "verified", "{rest}");
        let headers = forwarded(&mut authorizer, &request);
        let target = headers.iter().rfind(|(name, _)| name == ":path").map(|(_, target)| target.as_str());
        assert_eq!(target, Some(rest));
    }
}
