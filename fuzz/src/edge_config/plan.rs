//! A configuration that is usually valid, and requests that are close to its rules.

use super::{
    DEPTH,
    admission::{ISSUER, Request, Token},
};
use crate::drawing as arbitrary;
use crate::{reference::json::Tree, scene};
use derive_arbitrary::Arbitrary;
use serde_json::{Map, Value, json};

#[derive(Arbitrary, Debug)]
pub(super) struct Plan {
    pools: Vec<Pool>,
    policies: Vec<Policy>,
    routes: Vec<Route>,
    requests: Vec<Asked>,
    places: u8,
    forwards: Option<bool>,
    ignores_case: Option<bool>,
    passes_preflight: Option<bool>,
    claims: Vec<u8>,
    extras: Vec<(u8, u32)>,
    // New members are at the end, so that the committed inputs keep their meaning.
    /// The numbers of routes and of their hosts.
    hosts: Vec<(u8, u8)>,
    /// The authority of each request.
    authorities: Vec<u8>,
    more_places: u8,
    reports: Option<bool>,
    version: Option<u8>,
}

#[derive(Arbitrary, Debug)]
struct Pool {
    issuer: u8,
    name: u8,
    token_use: u8,
    clients: Option<Vec<u8>>,
    algorithms: u8,
    keys: u8,
    resources: Option<bool>,
    max_age: Option<u32>,
    leeway: Option<u16>,
}

#[derive(Arbitrary, Debug)]
struct Policy {
    name: u8,
    pools: Option<Vec<u8>>,
    token_use: Option<u8>,
    clients: Option<Vec<u8>>,
    groups: Option<(Vec<u8>, Vec<u8>)>,
    scopes: Option<(Vec<u8>, Vec<u8>)>,
}

#[derive(Arbitrary, Debug)]
struct Route {
    shape: u8,
    path: Vec<u8>,
    methods: Vec<u8>,
    need: u8,
    names: Vec<u8>,
    optional: bool,
    report_only: bool,
}

#[derive(Arbitrary, Debug)]
struct Asked {
    route: u8,
    pieces: Vec<u8>,
    method: u8,
    token: u8,
    is_preflight: bool,
}

const POOLS: [&str; 3] = ["main", "other", "third"];
const POLICIES: [&str; 3] = ["admins", "staff", "p3"];
const METHODS: [&str; 6] = ["GET", "POST", "OPTIONS", "DELETE", "get", "HEAD"];
const GROUPS: [&str; 4] = ["admins", "readers", "nobody", "Admins"];
const SCOPES: [&str; 4] = ["orders/read", "orders/write", "orders/all", ""];
const CLIENTS: [&str; 3] = ["app", "other", ""];
const USES: [&str; 5] = ["access", "access_or_id", "unchecked", "id", "acess"];
const SEGMENTS: [&str; 10] = ["/a", "/b", "/admin", "/{id}", "/A", "/a b", "/a.b", "/", "/..", "/%41"];
const PIECES: [&str; 27] = [
    "/a", "/b", "/admin", "/x", "/A", "/", "//", "/.", "/..", "/%2e%2e", "%2f", ";", "\\", "/%61", "%00", "%", "#",
    "/é", "/%2561", "%5c", "/..;", "%3f", "%23", ".json", "/ADMIN", "%25u0061", "%3b",
];
const HOSTS: [&str; 10] =
    ["a.example", "*.example", "A.Example", "b.example.", "*.a.example", "[::1]", "127.0.0.1", "c", "a..b", "*"];
const AUTHORITIES: [&str; 24] = [
    "a.example",
    "A.EXAMPLE:80",
    "x.a.example",
    "b.example.",
    "b.example",
    "a.example.:8",
    "[::1]:443",
    "[0::1]",
    "127.0.0.1",
    "127.1",
    "user@a.example",
    "",
    "a b",
    "c",
    "c.",
    "a.example..",
    "a.example:",
    "%61.example",
    "a.example,b.example",
    "d",
    "[::1].",
    "xn--a-.example",
    "a\u{e9}.example",
    "1.2.3.0x4",
];
/// What may precede a path.
const BEFORE: [&str; 8] = ["", "", "", "/", "/x/..", "/x/..;", "//x", "/."];

fn pick(table: &[&'static str], number: u8) -> &'static str {
    table[usize::from(number) % table.len()]
}

fn picks(table: &[&'static str], numbers: &[u8]) -> Vec<&'static str> {
    numbers.iter().take(4).map(|number| pick(table, *number)).collect()
}

impl Plan {
    /// Returns the text of the configuration.
    pub(super) fn config(&self) -> String {
        let mut config = json!({
            "pools": self.pools.iter().take(3).map(pool).collect::<Vec<_>>(),
            "policies": self.policies.iter().take(3).map(policy).collect::<Vec<_>>(),
            "routes": self.routes.iter().take(6).map(route).collect::<Vec<_>>(),
        });
        for (number, host) in self.hosts.iter().take(6) {
            let number = usize::from(*number) % self.routes.len().clamp(1, 6);
            if let Some(route) = config["routes"].get_mut(number) {
                let hosts = route["hosts"].as_array().cloned().unwrap_or_default();
                route["hosts"] = hosts.into_iter().chain([pick(&HOSTS, *host).into()]).collect();
            }
        }
        if let Some(reports) = self.reports {
            config["report_only"] = reports.into();
        }
        if let Some(version) = self.version {
            config["version"] = if version < 250 { 1 } else { version }.into();
        }
        let places = [
            None,
            Some(json!([{"header": "x-token"}])),
            Some(json!([{"header": "authorization", "prefix": "Bearer "}, {"cookie": "t"}])),
            Some(json!([{"cookie": "t"}, {"query": "t"}])),
            Some(json!([{"query": "t"}])),
            Some(json!([])),
        ];
        let mut tokens = Map::new();
        let more_places = [
            json!([{"header": "x-token", "element_prefix": "t."}, {"cookie": "t"}]),
            json!([{"header": "authorization", "prefix": "Bearer ", "prefix_optional": true}]),
            json!([{"cookie_pattern": "t.*.u"}]),
            json!([{"header": "x-token", "element_prefix": "t."}, {"header": "x-token"}]),
        ];
        let place = match self.more_places.checked_sub(1) {
            None => &places[usize::from(self.places) % places.len()],
            Some(number) => &Some(more_places[usize::from(number) % more_places.len()].clone()),
        };
        if let Some(from) = place {
            tokens.insert("from".to_owned(), from.clone());
        }
        if let Some(forwards) = self.forwards {
            tokens.insert("forward".to_owned(), forwards.into());
        }
        config["tokens"] = tokens.into();
        if let Some(ignores) = self.ignores_case {
            config["case_insensitive_paths"] = ignores.into();
        }
        if let Some(passes) = self.passes_preflight {
            config["cors_preflight"] = if passes { "pass" } else { "verify" }.into();
        }
        let headers = ["x-sub", "x-groups", "host", "x-token"];
        let claim =
            |number: &u8| json!({"claim": "cognito:groups", "header": headers[usize::from(*number) % headers.len()]});
        config["claims_to_headers"] = self.claims.iter().take(3).map(claim).collect();
        for (number, value) in self.extras.iter().take(6) {
            let (object, name) = [
                ("limits", "wait_ms"),
                ("limits", "jwks_keys"),
                ("key_policy", "soft_ttl"),
                ("key_policy", "hard_ttl"),
                ("key_policy", "retry_max"),
                ("cache", "bytes"),
                ("answers", "include_reason"),
            ][usize::from(*number) % 7];
            config[object][name] = if object == "answers" { (value % 2 == 0).into() } else { (*value).into() };
        }
        config.to_string()
    }

    /// Returns requests whose paths are those of the rules, or similar.
    pub(super) fn requests(&self, config: &str) -> Vec<Request> {
        let Ok(config) = Tree::read(config.as_bytes(), DEPTH) else { return vec![] };
        let from = config.get("tokens").and_then(|tokens| tokens.get("from"));
        let place = match from {
            Some(Tree::Array(places)) => places.first(),
            _ => None,
        };
        let request = |(number, asked): (usize, &Asked)| {
            let text = self.routes.get(usize::from(asked.route)).map(|route| path(&route.path));
            let near = text.unwrap_or_default().replace("{id}", "7").replace(' ', "%20");
            let before = pick(&BEFORE, asked.method / 8);
            let target = before.to_owned() + &near + &picks(&PIECES, &asked.pieces).concat();
            let mut request = Request::plain(pick(&METHODS, asked.method), &target);
            if let Some(authority) = self.authorities.get(number) {
                let name = if authority % 3 == 0 { "host" } else { ":authority" };
                request.headers.push((name.to_owned(), pick(&AUTHORITIES, *authority).to_owned()));
                if *authority > 220 {
                    request.headers.push(("host".to_owned(), pick(&AUTHORITIES, authority - 220).to_owned()));
                }
            }
            if asked.is_preflight {
                request.headers.push(("origin".to_owned(), "https://app.example".to_owned()));
                request
                    .headers
                    .push(("access-control-request-method".to_owned(), pick(&METHODS, asked.token).to_owned()));
            }
            let tokens = [Token::Absent, Token::Garbage, Token::Good, Token::Good, Token::Forged];
            request.with_token(tokens[usize::from(asked.token) % tokens.len()], place)
        };
        self.requests.iter().take(8).enumerate().map(request).collect()
    }
}

fn path(numbers: &[u8]) -> String {
    picks(&SEGMENTS, numbers).concat()
}

fn pool(pool: &Pool) -> Value {
    let mut value = json!({"name": pick(&POOLS, pool.name), "token_use": pick(&USES, pool.token_use)});
    match pool.issuer % 4 {
        0 | 1 => value["issuer"] = ISSUER.into(),
        2 => value["user_pool_id"] = "eu-west-1_EXAMPLE01".into(),
        _ => value["any_issuer"] = true.into(),
    }
    match &pool.clients {
        None => value["any_client"] = true.into(),
        Some(clients) => value["client_ids"] = picks(&CLIENTS, clients).into(),
    }
    value["algorithms"] = [json!(["EdDSA"]), json!(["RS256", "EdDSA"]), json!([]), json!(["none"])]
        [usize::from(pool.algorithms.trailing_zeros().min(3) as u8)]
    .clone();
    let jwks: Value = serde_json::from_str(&format!(r#"{{"keys":[{}]}}"#, scene::jwk(0))).unwrap_or_default();
    value["keys"] = match pool.keys % 6 {
        0 | 1 => json!({"jwks": jwks}),
        2 => json!({"jwks": jwks, "cluster": "c", "url": "https://keys.example/x"}),
        3 => json!({"cluster": "c", "url": "https://keys.example/x", "timeout_ms": 1 + u32::from(pool.keys)}),
        4 => json!({"cluster": "c"}),
        _ => json!({"jwks": {"keys": [{"kty": "oct"}]}}),
    };
    match pool.resources {
        None => (),
        Some(true) => value["any_resource"] = true.into(),
        Some(false) => value["resources"] = json!(["r"]),
    }
    if let Some(seconds) = pool.max_age {
        value["max_age_seconds"] = seconds.into();
    }
    if let Some(seconds) = pool.leeway {
        value["leeway_seconds"] = (seconds % 1_000).into();
    }
    value
}

fn policy(policy: &Policy) -> Value {
    let mut value = json!({"name": pick(&POLICIES, policy.name)});
    let membership = |table: &[&'static str], (any_of, all_of): &(Vec<u8>, Vec<u8>)| {
        let mut value = json!({});
        for (name, numbers) in [("any_of", any_of), ("all_of", all_of)] {
            // An empty list is rejected, and so is a policy with neither list.
            if !numbers.is_empty() || (any_of.is_empty() && all_of.is_empty() && name == "any_of") {
                value[name] = picks(table, numbers).into();
            }
        }
        value
    };
    if let Some(pools) = &policy.pools {
        value["pools"] = picks(&POOLS, pools).into();
    }
    if let Some(number) = policy.token_use {
        value["token_use"] = pick(&USES[..4], number).into();
    }
    if let Some(clients) = &policy.clients {
        value["client_ids"] = picks(&CLIENTS, clients).into();
    }
    if let Some(groups) = &policy.groups {
        value["groups"] = membership(&GROUPS, groups);
    }
    if let Some(scopes) = &policy.scopes {
        value["scopes"] = membership(&SCOPES, scopes);
    }
    value
}

fn route(route: &Route) -> Value {
    let text = path(&route.path);
    let shape =
        if text.contains('{') { "template" } else { ["prefix", "path", "template"][usize::from(route.shape) % 3] };
    let mut value = json!({shape: text});
    // An empty list is rejected.
    if !route.methods.is_empty() {
        value["methods"] = picks(&METHODS[..4], &route.methods).into();
    }
    match route.need % 5 {
        0 => value["public"] = true.into(),
        1 | 2 => value["authenticated"] = true.into(),
        3 => value["any_of"] = picks(&POLICIES, &route.names).into(),
        _ => value["all_of"] = picks(&POLICIES, &route.names).into(),
    }
    // A public rule must not have them.
    if !route.need.is_multiple_of(5) || route.need > 250 {
        value["optional"] = route.optional.into();
        value["report_only"] = route.report_only.into();
    }
    value
}
