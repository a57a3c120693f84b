//! The cost of a decision about a request whose token is cached, beside that of a verification of the same token.
//!
//! Both run in interleaved rounds in one process. The medians and their differences are printed, which are valid on a busy machine, too.

use poolgate::{Decision, FixedClock, Gate, RequestHead, Verifier};
use poolgate_benches::{
    eddsa::{self, tokens},
    interleaved::{Work, interleaved, median},
};
use poolgate_core::Algorithm;
use poolgate_tests::{
    keys::{ED25519, jwks},
    minting::{CLIENT_ID, NOW, POOL_ID},
};
use serde_json::{Value, json};
use std::{hint::black_box, num::NonZeroUsize};
use tokio::runtime::{Builder, Runtime};

/// The number of rounds, and of requests per round.
const ROUNDS: usize = 101;
const SLICE: usize = 2_000;

/// The headers of a browser, about 360 bytes.
const BROWSER: [(&str, &str); 8] = [
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    ),
    ("accept", "application/json, text/plain, */*"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("accept-language", "en-GB,en;q=0.9,de;q=0.8"),
    ("origin", "https://app.example.com"),
    ("referer", "https://app.example.com/orders"),
    ("sec-fetch-site", "same-site"),
    ("x-request-id", "7d5cbf3c-6f0f-4a2d-9a3f-6a1f6f3f9f10"),
];

fn keys() -> Value {
    let set: Value = serde_json::from_str(&jwks(&[ED25519.jwk_for(Algorithm::EdDsa, "ed")])).expect("JSON");
    json!({ "jwks": set })
}

/// One rule, and no claims for the application.
fn small() -> Value {
    let pool = json!({
        "name": "users", "user_pool_id": POOL_ID, "client_ids": [CLIENT_ID], "token_use": "access", "algorithms": ["EdDSA"],
        "keys": keys(),
    });
    json!({ "version": 1, "pools": [pool], "routes": [{"prefix": "/", "authenticated": true}] })
}

/// Twenty rules, of which the last but one matches; policies, and claims for the application.
fn usual() -> Value {
    let mut configuration = small();
    let others = (0..18).map(|number| json!({"prefix": format!("/service-{number}"), "any_of": ["admins"]}));
    let matching = [
        json!({"template": "/users/{id}/orders", "methods": ["GET"], "any_of": ["admins", "users"]}),
        json!({"prefix": "/", "any_of": ["admins"]}),
    ];
    configuration["routes"] = others.chain(matching).collect();
    configuration["policies"] = json!([
        {"name": "admins", "groups": {"any_of": ["admins"]}},
        {"name": "users", "client_ids": [CLIENT_ID]},
    ]);
    configuration["claims_to_headers"] =
        json!([{"claim": "sub", "header": "x-user"}, {"claim": "cognito:groups", "header": "x-groups"}]);
    configuration
}

fn gate(runtime: &Runtime, configuration: &Value) -> Gate {
    let builder = Gate::builder(configuration.to_string()).clock(FixedClock::at(NOW)).instances(NonZeroUsize::MIN);
    runtime.block_on(builder.disable_background_refresh().build()).expect("the gate builds")
}

fn request(target: &str, headers: &[(&str, &str)], token: Option<&str>) -> RequestHead {
    let head = RequestHead::new("GET", target).authority("api.example.com");
    let head = headers.iter().fold(head, |head, (name, value)| head.header(*name, *value));
    match token {
        Some(token) => head.header("authorization", format!("Bearer {token}")),
        None => head,
    }
}

fn decides<'a>(runtime: &'a Runtime, gate: Gate, head: RequestHead) -> Work<'a> {
    Box::new(move |_| {
        runtime.block_on(async {
            for _ in 0..SLICE {
                let decision = black_box(gate.decide(black_box(&head)).await);
                assert!(matches!(decision, Decision::Admit(_)), "{decision:?}");
            }
        });
        SLICE
    })
}

fn verifies<'a>(runtime: &'a Runtime, verifier: Verifier, token: &'a str) -> Work<'a> {
    Box::new(move |_| {
        runtime.block_on(async {
            for _ in 0..SLICE {
                assert!(black_box(verifier.verify(black_box(token)).await).is_ok(), "a valid token was rejected");
            }
        });
        SLICE
    })
}

fn main() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let token = tokens(1).remove(0);
    let plain = "/users/7/orders?limit=20";
    // With a percent-encoded byte, the path is read in every way that a router may read it.
    let encoded = "/users/caf%C3%A9/orders?limit=20";
    let rows: [(&str, Work<'_>); 6] = [
        ("Verifier::verify, cached token", verifies(&runtime, eddsa::verifier(&runtime, 512 * 1024, 1_024), &token)),
        (
            "Gate::decide, 1 rule, 1 header",
            decides(&runtime, gate(&runtime, &small()), request(plain, &[], Some(&token))),
        ),
        (
            "Gate::decide, 1 rule, 9 headers",
            decides(&runtime, gate(&runtime, &small()), request(plain, &BROWSER, Some(&token))),
        ),
        (
            "Gate::decide, 20 rules, 9 headers",
            decides(&runtime, gate(&runtime, &usual()), request(plain, &BROWSER, Some(&token))),
        ),
        (
            "Gate::decide, the same, %C3%A9 in the path",
            decides(&runtime, gate(&runtime, &usual()), request(encoded, &BROWSER, Some(&token))),
        ),
        ("Gate::decide, public rule, 9 headers", {
            let mut public = small();
            public["routes"] = json!([{"prefix": "/", "public": true}]);
            decides(&runtime, gate(&runtime, &public), request(plain, &BROWSER, None))
        }),
    ];
    let (names, mut works): (Vec<&str>, Vec<Work<'_>>) = rows.into_iter().unzip();
    let medians: Vec<f64> = interleaved(&mut works, ROUNDS).iter().map(|figures| median(figures)).collect();
    println!("medians of {ROUNDS} interleaved rounds of {SLICE} requests, on one thread");
    for (name, us) in names.iter().zip(&medians) {
        println!("{name:<45} {us:6.2} µs   {:+6.2} µs beside a cached verification", us - medians[0]);
    }
}
