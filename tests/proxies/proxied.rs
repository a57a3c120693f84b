//! How each proxy, as its example configures it, passes a request to the gateway and to the application.

use crate::requests::Request;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Nginx,
    Caddy,
    Traefik,
    Envoy,
}

/// Headers that some applications take for the path, the method or the host. Every example removes them.
const REMOVED: [&str; 14] = [
    "x-original-uri",
    "x-original-url",
    "x-original-method",
    "x-original-host",
    "x-rewrite-url",
    "x-forwarded-uri",
    "x-forwarded-method",
    "x-forwarded-host",
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "x-host",
    "x-http-host-override",
    "forwarded",
];

/// Headers that are not part of the file, which the examples remove because the gateway sends them without a file.
const OTHER_CLAIMS: [&str; 2] = ["x-poolgate-token-use", "x-poolgate-issuer"];

/// Headers with which a client could forge a claim, or the path, the method or the host of its request.
pub fn forgeries() -> Vec<(&'static str, &'static str)> {
    let removed = REMOVED.iter().map(|name| match *name {
        "forwarded" => (*name, "for=192.0.2.1;host=admin.example.com"),
        name if name.contains("host") => (name, "admin.example.com"),
        name if name.contains("method") => (name, "DELETE"),
        name => (name, "/public/forged"),
    });
    let claims = OTHER_CLAIMS.iter().map(|name| (*name, "forged"));
    let others = [
        ("x-poolgate-subject", "forged"),
        ("x-poolgate-username", "forged"),
        ("x-poolgate-client-id", "forged"),
        ("x-poolgate-groups", "admins"),
        ("x-poolgate-scopes", "forged"),
        ("x-poolgate-expires-at", "9999999999"),
        ("x_poolgate_groups", "admins"),
        ("x-poolgate_groups", "admins"),
        ("x.poolgate.groups", "admins"),
        ("x_original_uri", "/public/forged"),
        ("x.original.url", "/public/forged"),
        ("x_host", "admin.example.com"),
        ("x.forwarded.host", "admin.example.com"),
        ("path_info", "/public/forged"),
    ];
    removed.chain(claims).chain(others).collect()
}

impl Kind {
    /// Returns the request that the gateway and the application receive, or `None` if the proxy itself responds with 400.
    pub fn pass(self, request: &Request) -> Option<Request> {
        let mut passed = request.clone();
        let names_a_claim = |(name, value): &(&str, String)| {
            *name == "connection" && value.to_ascii_lowercase().replace('_', "-").contains("x-poolgate")
        };
        let count = |wanted: &str| request.headers.iter().filter(|(name, _)| *name == wanted).count();
        match self {
            Self::Nginx if count("authorization") > 1 => return None,
            Self::Caddy if request.headers.iter().any(names_a_claim) => return None,
            Self::Envoy if request.headers.iter().any(|(name, _)| name.contains('_')) => return None,
            Self::Traefik if request.target.to_ascii_lowercase().contains("%2f") => return None,
            _ => {}
        }
        let drops = |name: &str| match self {
            Self::Nginx | Self::Caddy => name.contains(['_', '.']),
            // The spellings that its example lists.
            Self::Traefik => ["script_name", "path_info", "x_original_uri"].contains(&name),
            Self::Envoy => false,
        };
        passed.headers.retain(|(name, _)| {
            *name != "connection" && !REMOVED.contains(name) && !OTHER_CLAIMS.contains(name) && !drops(name)
        });
        match self {
            Self::Nginx | Self::Envoy => passed.host = request.host.trim_end_matches('.'),
            Self::Caddy | Self::Traefik => {}
        }
        match self {
            // Without the port, for the application. The rules ignore it.
            Self::Nginx | Self::Envoy => passed.host = passed.host.split(':').next().unwrap_or_default(),
            Self::Traefik => passed.target = as_traefik_normalizes(&request.target),
            Self::Caddy => {}
        }
        if self == Self::Envoy && count("authorization") > 1 {
            let own = |(name, _): &&(&str, String)| *name == "authorization";
            let joined =
                request.headers.iter().filter(own).map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(",");
            passed.headers.retain(|(name, _)| *name != "authorization");
            passed.headers.push(("authorization", joined));
        }
        Some(passed)
    }
}

/// Traefik decodes unreserved characters, removes dot segments and merges slashes, for the gateway and for the application.
fn as_traefik_normalizes(target: &str) -> String {
    match target {
        "/%70ublic/a" => "/public/a",
        "/public/../admin" | "/public/%2e%2e/admin" | "//admin" => "/admin",
        "/users//orders" => "/users/orders",
        other => other,
    }
    .to_owned()
}

/// Returns whether the gateway refuses a header that it can't remove, which an application may take for a claim or for the path.
pub fn has_lookalike(passed: &Request) -> bool {
    const LOOKALIKES: [&str; 5] =
        ["x_poolgate_username", "x_poolgate_groups", "x-poolgate_groups", "x.poolgate.groups", "x.original.url"];
    passed.headers.iter().any(|(name, _)| LOOKALIKES.contains(name))
}

/// Returns whether the gateway refuses a header that it can't remove, which an application may take for the host. It does so only if the request
/// would be admitted.
pub fn has_other_host(passed: &Request) -> bool {
    passed.headers.iter().any(|(name, _)| ["x_host", "x.forwarded.host"].contains(name))
}
