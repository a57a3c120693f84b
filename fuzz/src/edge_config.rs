//! The configuration of the Envoy filter and the middleware, and the authorizer that is built from it.
//!
//! Oracles: parsing and building never panic. An accepted text is one JSON object without duplicates, and another encoding of it results in
//! the same configuration. An unknown member in any object is rejected. A reference determines all readings of a path: no request is
//! forwarded that the rule for one of the readings would reject, and if all readings choose the same rule, a request is forwarded exactly if
//! the reference accepts it by that rule, the policies and the token. The host of a request has readings, too. An application receives no
//! token if it must not.

mod admission;
mod plan;

use crate::{
    reference::json::Tree,
    text::{Order, plain, respelled},
};
use admission::Request;
use arbitrary::Unstructured;
use plan::Plan;
use poolgate_edge::{RequestAuthorizer, config};

/// The time of all requests.
const NOW: u64 = 1_700_000_000;
/// The maximum nesting of a configuration.
const DEPTH: u32 = 32;

/// The input is a byte for the form, followed by a `Plan`, or by the text of a configuration, a zero byte, and the targets of requests, one
/// for each line. `@` and an authority may precede a target, with a space between.
pub fn run(data: &[u8]) {
    let Some((form, rest)) = data.split_first() else { return };
    let mut input = Unstructured::new(rest);
    if form % 2 == 1 {
        let Ok(plan) = input.arbitrary::<Plan>() else { return };
        let text = plan.config();
        check(text.as_bytes(), &plan.requests(&text), &mut input);
        return;
    }
    let mut parts = rest.splitn(2, |byte| *byte == 0);
    let (config, targets) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let targets = String::from_utf8_lossy(targets);
    // The query is removed, so that no request has a token.
    let request = |line: &str| {
        let line = line.split('?').next().unwrap_or_default();
        let Some((authority, target)) = line.strip_prefix('@').and_then(|line| line.split_once(' ')) else {
            return Request::plain("GET", line);
        };
        let mut request = Request::plain("GET", target);
        request.headers.push((":authority".to_owned(), authority.to_owned()));
        request
    };
    let requests = targets.lines().take(16).map(request);
    check(config, &requests.collect::<Vec<_>>(), &mut input);
}

fn check(text: &[u8], requests: &[Request], input: &mut Unstructured<'_>) {
    let Ok(config) = config::read(text) else { return };
    let tree = Tree::read(text, DEPTH).unwrap_or_else(|error| panic!("{error:?} is accepted: {config:?}"));
    assert!(!tree.has_duplicates(), "duplicates are accepted: {config:?}");
    let spelled = respelled(&tree, Order::Kept, input);
    let again = config::read(spelled.as_bytes()).unwrap_or_else(|error| panic!("{error}: {spelled}"));
    assert_eq!(format!("{again:?}"), format!("{config:?}"), "{spelled}");
    assert!(!is_policy_open(&tree), "a policy that requires nothing is accepted: {config:?}");
    for number in 0.. {
        let Some(with_unknown) = with_unknown(&tree, number) else { break };
        assert!(
            config::read(plain(&with_unknown).as_bytes()).is_err(),
            "an unknown member is accepted: {with_unknown:?}"
        );
    }
    let Ok(mut authorizer) = RequestAuthorizer::new(&config, NOW, 0) else { return };
    assert!(!authorizer.warnings().iter().any(|warning| warning.message.is_empty()));
    for request in requests {
        admission::check(&mut authorizer, &tree, request);
    }
    for fetch in authorizer.maintain(NOW) {
        assert!(authorizer.jwks_upstream(&fetch.url).is_some(), "there is no upstream for {fetch:?}");
    }
}

/// Returns whether a list of a policy is empty, contains an empty name, or is not a list, or whether a policy has no member except its name.
fn is_policy_open(config: &Tree) -> bool {
    let Some(Tree::Array(policies)) = config.get("policies") else { return false };
    let is_list = |value: &Tree| match value {
        Tree::Array(names) => {
            !names.is_empty() && names.iter().all(|name| name.as_str().is_some_and(|it| !it.is_empty()))
        }
        _ => false,
    };
    policies.iter().any(|policy| {
        let members = |tree: Option<&Tree>, names: [&str; 2]| -> Vec<Tree> {
            names.iter().filter_map(|name| tree?.get(name).cloned()).collect()
        };
        let memberships = ["groups", "scopes"].map(|name| policy.get(name).is_some());
        let inner = ["groups", "scopes"].map(|name| members(policy.get(name), ["any_of", "all_of"]));
        let outer = members(Some(policy), ["pools", "client_ids"]);
        let asks_for_a_use = policy.get("token_use").is_some_and(|value| value.as_str() != Some("unchecked"));
        let is_stated_and_empty = memberships.iter().zip(&inner).any(|(is_there, lists)| *is_there && lists.is_empty());
        let asks_for_nothing = !asks_for_a_use && outer.is_empty() && !memberships.contains(&true);
        is_stated_and_empty || asks_for_nothing || !outer.iter().chain(inner.iter().flatten()).all(is_list)
    })
}

/// Returns the configuration with an unknown member in the object with this number. Objects in a JWK Set are skipped, because they may have
/// any member.
fn with_unknown(tree: &Tree, mut number: usize) -> Option<Tree> {
    let mut tree = tree.clone();
    add_unknown(&mut tree, &mut number).then_some(tree)
}

fn add_unknown(tree: &mut Tree, number: &mut usize) -> bool {
    match tree {
        Tree::Array(values) => values.iter_mut().any(|value| add_unknown(value, number)),
        Tree::Object(members) if *number == 0 => {
            members.push(("colour".to_owned(), Tree::Null));
            true
        }
        Tree::Object(members) => {
            *number -= 1;
            members.iter_mut().any(|(name, value)| name != "jwks" && add_unknown(value, number))
        }
        _ => false,
    }
}
