//! The head of the request that Envoy describes.

use super::messages::{CheckRequest, HeaderValue, HttpRequest};
use crate::{RequestHead, gateway::once_a_minute::OnceAMinute};

static FILTERED: OnceAMinute = OnceAMinute::new();

/// Why a gate can't decide about the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// What is wrong with the message.
    Malformed(&'static str),
    /// Envoy does not send all headers.
    Filtered,
}

/// Returns the head for the gate: the method, the path and the host as Envoy has them, and every header field.
pub(super) fn of(request: CheckRequest) -> Result<RequestHead, Refused> {
    let http = request.attributes.and_then(|it| it.request).and_then(|it| it.http);
    let HttpRequest { method, headers, path, host, query, header_map } =
        http.ok_or(Refused::Malformed("there is no HTTP request in the message"))?;
    if !query.is_empty() && path.split_once('?').map(|(_, own)| own) != Some(query.as_str()) {
        return Err(Refused::Malformed("the query is not that of the path"));
    }
    let fields = match header_map {
        Some(map) if headers.is_empty() => map.headers,
        None => headers,
        // They may differ.
        Some(_) => return Err(Refused::Malformed("the headers are there twice")),
    };
    let (mut has_path, mut has_method) = (false, false);
    let mut head = RequestHead::new(&*method, &*path);
    if !host.is_empty() {
        head = head.authority(&*host);
    }
    for HeaderValue { key, value, raw_value } in fields {
        let value = match (value.is_empty(), raw_value.is_empty()) {
            (_, true) => value,
            (true, false) => raw_value,
            (false, false) => return Err(Refused::Malformed("a header has two values")),
        };
        // Pseudo-headers (RFC 9113 section 8.3) are not header fields. In the fields above, Envoy replaces what is not UTF-8, so they may be
        // those of another request.
        let expected = match key.as_str() {
            ":path" => &path,
            ":method" => &method,
            ":authority" => &host,
            key if key.starts_with(':') => continue,
            _ => {
                head = head.header(key, value);
                continue;
            }
        };
        if value != expected.as_bytes() {
            return Err(Refused::Malformed("the request line is not that of the headers"));
        }
        has_path |= key == ":path";
        has_method |= key == ":method";
    }
    // Only `CONNECT` has no path.
    if !has_method || !(has_path || path.is_empty()) {
        warn_of_filter();
        return Err(Refused::Filtered);
    }
    Ok(head)
}

fn warn_of_filter() {
    if FILTERED.is_due() {
        tracing::error!(
            hint = "remove `allowed_headers` and `disallowed_headers` from Envoy's filter `ext_authz`: the gate must see every header, so that \
                    it can remove those that a client has forged",
            "Envoy does not send the headers :path and :method; the request is rejected (500)"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::ext_authz::messages::{AttributeContext, AttributedRequest, HeaderMap};

    fn field(key: &str, value: &str) -> HeaderValue {
        HeaderValue { key: key.into(), value: value.into(), raw_value: Vec::new() }
    }

    fn raw(key: &str, value: &[u8]) -> HeaderValue {
        HeaderValue { key: key.into(), value: Vec::new(), raw_value: value.into() }
    }

    fn http() -> HttpRequest {
        HttpRequest {
            method: "GET".into(),
            path: "/a?b=c".into(),
            host: "app.example.com".into(),
            headers: vec![field(":path", "/a?b=c"), field(":method", "GET"), field("x-a", "1")],
            ..HttpRequest::default()
        }
    }

    fn head(http: HttpRequest) -> Result<String, Refused> {
        let request = Some(AttributedRequest { http: Some(http) });
        of(CheckRequest { attributes: Some(AttributeContext { request }) }).map(|head| format!("{head:?}"))
    }

    fn with_raw(headers: Vec<HeaderValue>) -> HttpRequest {
        HttpRequest { headers: Vec::new(), header_map: Some(HeaderMap { headers }), ..http() }
    }

    #[test]
    fn fields_are_read_from_either_list() {
        let expected = r#"RequestHead { method: "GET", headers: ["x-a"], .. }"#;
        assert_eq!(head(http()).as_deref(), Ok(expected));
        let pseudo = [raw(":path", b"/a?b=c"), raw(":method", b"GET"), raw(":authority", b"app.example.com")];
        let fields = [pseudo.to_vec(), vec![raw("x-a", b"\xff"), raw("x-a", b"2"), raw(":scheme", b"http")]].concat();
        let twice = r#"RequestHead { method: "GET", headers: ["x-a", "x-a"], .. }"#;
        assert_eq!(head(with_raw(fields)).as_deref(), Ok(twice));
        assert_eq!(head(HttpRequest { query: "b=c".into(), ..http() }).as_deref(), Ok(expected));
    }

    #[test]
    fn a_request_that_is_described_twice_differently_is_refused() {
        let replaced = |key: &str, value: &str| {
            let mut http = http();
            http.headers.retain(|field| field.key != key);
            http.headers.push(field(key, value));
            http
        };
        for http in [
            replaced(":path", "/b"),
            replaced(":method", "POST"),
            replaced(":authority", "other.example.com"),
            HttpRequest { query: "b=d".into(), ..http() },
            HttpRequest { query: "b=c".into(), path: "/a".into(), ..http() },
            HttpRequest { header_map: Some(HeaderMap { headers: vec![raw("x-a", b"2")] }), ..http() },
            // Envoy replaces what is not UTF-8 in `path`, but not here.
            HttpRequest { path: "/a!".into(), ..with_raw(vec![raw(":path", b"/a\xff"), raw(":method", b"GET")]) },
            with_raw(vec![HeaderValue { value: b"1".to_vec(), ..raw("x-a", b"2") }]),
        ] {
            assert!(matches!(head(http), Err(Refused::Malformed(_))));
        }
    }

    #[test]
    fn a_request_without_all_headers_is_refused() {
        let empty = CheckRequest { attributes: None };
        assert!(matches!(of(empty), Err(Refused::Malformed(_))));
        for headers in [vec![], vec![field("authorization", "Bearer a")], vec![field(":path", "/a?b=c")]] {
            assert_eq!(head(HttpRequest { headers, ..http() }), Err(Refused::Filtered));
        }
        assert_eq!(head(with_raw(vec![])), Err(Refused::Filtered));
    }
}
