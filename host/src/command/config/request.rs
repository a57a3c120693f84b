//! The request that `poolgate config explain` explains.

use crate::command::{arguments::ExplainArguments, input, output::CommandError};
use poolgate::RequestHead;
use serde_json::Value;

/// The request, and its token if there is one.
pub struct Request {
    pub head: RequestHead,
    pub method: String,
    pub target: String,
    pub host: Option<String>,
    pub token: Option<String>,
}

impl Request {
    pub fn new(arguments: &ExplainArguments, configuration: &Value) -> Result<Self, CommandError> {
        let (host, mut target) = split(&arguments.url)?;
        let token = arguments.token.as_deref().map(|token| input::token(Some(token))).transpose()?;
        let mut headers = arguments.headers.clone();
        if let Some(token) = &token {
            place(configuration, token, &mut headers, &mut target)?;
        }
        let (method, host) = (arguments.method.clone(), host.or_else(|| host_in(&headers)));
        let mut head = RequestHead::new(&method, &target);
        if let Some(host) = &host {
            head = head.authority(host);
        }
        for (name, value) in &headers {
            head = head.header(name, value.as_str());
        }
        Ok(Self { head, method, target: arguments.url.clone(), host, token })
    }
}

/// Splits a URL into its host and its target, without changing a character.
fn split(url: &str) -> Result<(Option<String>, String), CommandError> {
    let rest = ["https://", "http://"].iter().find_map(|scheme| url.strip_prefix(scheme));
    let Some(rest) = rest else {
        return match url.starts_with('/') || url == "*" {
            true => Ok((None, url.to_owned())),
            false => Err(CommandError::Usage("the URL must begin with / or https://".to_owned())),
        };
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, target) = rest.split_at(end);
    // A client sends no fragment, and a path of its own if the URL has none (RFC 9110 section 7.1).
    let target = target.split('#').next().unwrap_or_default();
    Ok((Some(host.to_owned()), if target.starts_with('/') { target.to_owned() } else { format!("/{target}") }))
}

fn host_in(headers: &[(String, String)]) -> Option<String> {
    let mut hosts = headers.iter().filter(|(name, _)| name == "host").map(|(_, value)| value.clone());
    hosts.next().filter(|_| hosts.next().is_none())
}

/// Puts the token where the configuration looks first.
fn place(
    configuration: &Value,
    token: &str,
    headers: &mut Vec<(String, String)>,
    target: &mut String,
) -> Result<(), CommandError> {
    let location = &configuration["tokens"]["from"][0];
    let text = |name: &str| location[name].as_str();
    match (text("header"), text("cookie"), text("query")) {
        (Some(header), _, _) if text("element_prefix").is_none() => {
            headers.push((header.to_owned(), format!("{}{token}", text("prefix").unwrap_or_default())));
        }
        (Some(header), _, _) => {
            headers.push((header.to_owned(), format!("{}{token}", text("element_prefix").unwrap_or_default())));
        }
        (None, Some(cookie), _) => headers.push(("cookie".to_owned(), format!("{cookie}={token}"))),
        (None, None, Some(query)) => {
            *target += &format!("{}{query}={token}", if target.contains('?') { '&' } else { '?' });
        }
        (None, None, None) if location.is_null() => {
            headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
        (None, None, None) => {
            return Err(CommandError::Usage(
                "the first location of tokens.from is a pattern: write the cookie with --header instead of --token"
                    .to_owned(),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_url_is_split_and_nothing_in_it_changes() {
        for (url, host, target) in [
            ("/a/../b?c=%2F", None, "/a/../b?c=%2F"),
            ("https://Shop.example.com:8443/a%20b", Some("Shop.example.com:8443"), "/a%20b"),
            ("http://[::1]?a", Some("[::1]"), "/?a"),
            ("https://shop.example.com", Some("shop.example.com"), "/"),
            ("https://shop.example.com/a#b", Some("shop.example.com"), "/a"),
        ] {
            let (found, rest) = split(url).expect("a URL");
            assert_eq!((found.as_deref(), rest.as_str()), (host, target), "{url}");
        }
        assert!(split("shop.example.com/a").is_err());
    }

    #[test]
    fn a_token_is_where_the_configuration_looks_first() {
        let placed = |from: Value| {
            let (mut headers, mut target) = (vec![], "/a?b".to_owned());
            place(&json!({"tokens": {"from": from}}), "T", &mut headers, &mut target).map(|()| (headers, target))
        };
        let header = |name: &str, value: &str| (vec![(name.to_owned(), value.to_owned())], "/a?b".to_owned());
        assert_eq!(placed(Value::Null).ok(), Some(header("authorization", "Bearer T")));
        assert_eq!(placed(json!([{"header": "x-token"}])).ok(), Some(header("x-token", "T")));
        assert_eq!(placed(json!([{"cookie": "t"}, {"query": "q"}])).ok(), Some(header("cookie", "t=T")));
        assert_eq!(placed(json!([{"query": "q"}])).ok(), Some((vec![], "/a?b&q=T".to_owned())));
        assert!(placed(json!([{"cookie_pattern": "x.*"}])).is_err());
    }
}
