//! Some 300 requests: paths, methods, hosts, tokens, cookies, preflights, and headers with which a client could forge something.

use poolgate::RequestHead;
use poolgate_edge::RequestHead as EdgeHead;
use poolgate_tests::{
    keys::OTHER_RSA_2048,
    minting::{Draft, KEY_ID},
};
use std::{borrow::Cow, fmt};

/// A request.
#[derive(Clone)]
pub struct Request {
    /// What is special about it.
    pub name: String,
    pub method: &'static str,
    pub target: String,
    pub host: &'static str,
    /// The names in lower case.
    pub headers: Vec<(&'static str, String)>,
}

impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} of {} ({})", self.method, self.target, self.host, self.name)
    }
}

impl Request {
    pub fn head(&self) -> RequestHead {
        let head = RequestHead::new(self.method, &self.target).authority(self.host);
        self.headers.iter().fold(head, |head, (name, value)| head.header(*name, value.as_str()))
    }
}

impl EdgeHead for Request {
    fn method(&self) -> &str {
        self.method
    }

    fn target(&self) -> &str {
        &self.target
    }

    fn header(&self, name: &str) -> Result<Option<Cow<'_, str>>, ()> {
        let mut values = self.headers.iter().filter(|(own, _)| *own == name).map(|(_, value)| value.as_str().into());
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(()),
        }
    }

    fn authority(&self) -> Result<Option<Cow<'_, str>>, ()> {
        Ok(Some(self.host.into()))
    }

    fn each_header(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        self.headers.iter().for_each(|(name, value)| visit(name.as_bytes(), value.as_bytes()));
    }
}

const APP: &str = "app.example.com";

/// Paths of every rule, and spellings that some servers read as another path.
const TARGETS: [&str; 24] = [
    "/public",
    "/public/a?b=c",
    "/PUBLIC/a",
    "/%70ublic/a",
    "/public/../admin",
    "/public/%2e%2e/admin",
    "/admin",
    "/admin/users",
    "/ADMIN/users",
    "/admin%2Fusers",
    "/admin;/x",
    "/x/..;/admin/users",
    "//admin",
    "/optional/x",
    "/reported/x",
    "/orders",
    "/orders/",
    "/users/7/orders",
    "/users/7/orders/8",
    "/users//orders",
    "/any/caf%C3%A9.pdf",
    "/any/group%2Fproject",
    "/nothing",
    "/",
];

/// All requests. `access` is an access token that is valid now.
pub fn all(access: impl Fn() -> Draft, now: u64) -> Vec<Request> {
    let bearer = |token: &str| vec![("authorization", format!("Bearer {token}"))];
    let admin = access().claim("cognito:groups", "[\"admins\"]").compact();
    let (reader, nobody) =
        (access().compact(), access().without_claim("cognito:groups").claim("scope", "\"openid\"").compact());
    let expired = access().claim("exp", now - 1).compact();
    let forged = format!("{}x", &reader[..reader.len() - 1]);
    let other_key = access().signed_by(&OTHER_RSA_2048).header("kid", format!("\"{KEY_ID}\"")).compact();
    let request = |name: &str, method, target: &str, host, headers| Request {
        name: name.to_owned(),
        method,
        target: target.to_owned(),
        host,
        headers,
    };
    let mut all = Vec::new();
    for target in TARGETS {
        for (name, headers) in [
            ("no token", vec![]),
            ("reader", bearer(&reader)),
            ("administrator", bearer(&admin)),
            ("nobody", bearer(&nobody)),
            ("expired", bearer(&expired)),
            ("wrong signature", bearer(&forged)),
            ("signed by another key", bearer(&other_key)),
            ("cookie", vec![("cookie", format!("a=b; session={reader}"))]),
        ] {
            all.push(request(name, "GET", target, APP, headers));
        }
    }
    for method in ["POST", "PUT", "DELETE", "HEAD", "OPTIONS"] {
        for target in ["/orders", "/public", "/admin"] {
            all.push(request("reader", method, target, APP, bearer(&reader)));
        }
    }
    for host in
        ["admin.example.com", "ADMIN.example.com:8443", "x.admin.example.com", "admin.example.com.", "example.com"]
    {
        for (name, headers) in [("no token", vec![]), ("reader", bearer(&reader)), ("administrator", bearer(&admin))] {
            all.push(request(name, "GET", "/public", host, headers));
        }
    }
    let preflight = |method: &str| {
        vec![("origin", "https://app.example.com".to_owned()), ("access-control-request-method", method.to_owned())]
    };
    for (name, method, target, headers) in [
        ("preflight", "OPTIONS", "/orders", preflight("POST")),
        ("preflight of a method without a rule", "OPTIONS", "/orders", preflight("DELETE")),
        ("preflight of an unknown path", "OPTIONS", "/nothing", preflight("GET")),
        ("preflight with a token", "OPTIONS", "/admin", [preflight("GET"), bearer(&reader)].concat()),
        ("not a preflight", "GET", "/admin", preflight("GET")),
    ] {
        all.push(request(name, method, target, APP, headers));
    }
    let both = [bearer(&reader), vec![("cookie", format!("session={reader}"))]].concat();
    let twice = [bearer(&reader), bearer(&reader)].concat();
    let cookies = vec![("cookie", "a=b".to_owned()), ("cookie", format!("session={admin}"))];
    for (name, headers) in [
        ("token in two places", both),
        ("two authorization headers", twice),
        ("two cookie headers", cookies),
        ("basic", vec![("authorization", "Basic YTpi".to_owned())]),
        ("bearer in lower case", vec![("authorization", format!("bearer {reader}"))]),
        ("empty bearer", vec![("authorization", "Bearer ".to_owned())]),
        ("not a token", bearer("a.b.c")),
        ("unsigned", bearer("eyJhbGciOiJub25lIn0.e30.")),
    ] {
        for target in ["/public", "/admin", "/any"] {
            all.push(request(name, "GET", target, APP, headers.clone()));
        }
    }
    for (name, header, value) in [
        ("forged claim", "x-user", "root"),
        ("forged claim, alike", "x_user", "root"),
        ("forged path", "x-original-url", "/admin"),
        ("forged path of CGI", "script_name", "/admin"),
        ("forged removal", "connection", "x-user"),
        ("forged removal, alike", "connection", "close, X_Groups"),
    ] {
        for target in ["/public", "/any", "/admin"] {
            let headers = [bearer(&reader), vec![(header, value.to_owned())]].concat();
            all.push(request(name, "GET", target, APP, headers));
        }
    }
    all
}
