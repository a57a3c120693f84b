//! The rows of the page, by the code of the edge, outside of a sandbox.

use super::{
    PAGE,
    outcome::Outcome,
    page::{Recipe, recipes},
    request::Request,
    tokens::{token, with_test_keys},
};
use poolgate_edge::{RequestAuthorizer, config};
use poolgate_tests::minting::NOW;
use serde_json::Value;
use std::collections::BTreeSet;

/// Returns the authorizer of a configuration, or what is wrong with it.
fn authorizer(configuration: &Value) -> Result<RequestAuthorizer, String> {
    let config = config::read(configuration.to_string().as_bytes()).map_err(|error| error.to_string())?;
    RequestAuthorizer::new(&config, NOW, 0).map_err(|error| error.to_string())
}

fn requests(recipe: &Recipe) -> Vec<Request> {
    let request = |row| Request::new(row, token(&row.token, &recipe.configuration).as_deref());
    recipe.rows.iter().map(request).collect()
}

/// Returns the recipes with the requests of their rows.
fn all(page: &str) -> Vec<(Recipe, Vec<Request>)> {
    let all = recipes(page).into_iter().map(|recipe| (requests(&recipe), recipe));
    all.map(|(requests, recipe)| (recipe, requests)).collect()
}

fn outcomes(authorizer: &mut RequestAuthorizer, requests: &[Request]) -> Vec<Outcome> {
    requests.iter().map(|request| Outcome::of(authorizer, request)).collect()
}

/// Returns every row that is not true.
fn faults(page: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (recipe, requests) in all(page) {
        match authorizer(&with_test_keys(&recipe.configuration)) {
            Ok(mut authorizer) => {
                let outcomes = outcomes(&mut authorizer, &requests);
                faults.extend(outcomes.iter().zip(&recipe.rows).filter_map(|(outcome, row)| outcome.fault(row)));
            }
            Err(error) => faults.push(format!("{}: {error}", recipe.title)),
        }
    }
    faults
}

#[test]
fn every_row_of_the_cookbook_is_true() {
    let faults = faults(PAGE);
    assert!(faults.is_empty(), "docs/cookbook.md:\n{}", faults.join("\n"));
    assert!(recipes(PAGE).len() >= 20, "{} recipes", recipes(PAGE).len());
}

#[test]
fn a_wrong_row_is_found() {
    for (right, wrong) in [
        ("| 401 `no-token` |", "| passes |"),
        ("| 403 `group-missing` |", "| 403 `scope-missing` |"),
        ("| passes |", "| passes, anonymous |"),
        ("`no authorization`", "`authorization: Bearer x`"),
        ("| `user` `group:", "| `user` `scope:"),
        ("\"any_of\": [\"admins\"]", "\"any_of\": [\"others\"]"),
    ] {
        let changed = PAGE.replacen(right, wrong, 1);
        assert_ne!(changed, PAGE, "{right} is not on the page");
        assert!(!faults(&changed).is_empty(), "{right} was replaced by {wrong}");
    }
}

#[test]
fn every_rule_is_chosen_by_a_row_and_something_passes_and_something_does_not() {
    for (recipe, requests) in all(PAGE) {
        let title = &recipe.title;
        let authorizer = authorizer(&with_test_keys(&recipe.configuration)).expect("a valid configuration");
        let is_warned = recipe.configuration["report_only"] == true;
        assert_eq!(!authorizer.warnings().is_empty(), is_warned, "{title}: {:?}", authorizer.warnings());
        let chosen: BTreeSet<usize> =
            requests.iter().flat_map(|request| authorizer.chosen_rules(request).unwrap_or_default()).collect();
        let rules = recipe.configuration["routes"].as_array().expect("rules").len();
        assert_eq!(chosen.len(), rules, "{title}: only the rules {chosen:?} are chosen");
        let passes = recipe.rows.iter().filter(|row| row.result.starts_with("passes")).count();
        assert!(passes > 0 && passes < recipe.rows.len(), "{title}: {passes} of {} pass", recipe.rows.len());
    }
}

/// Whatever is left out of a policy, the configuration is then invalid, or the result of a row is another. So the policies are minimal, and the
/// rows show what every member is for.
#[test]
fn nothing_can_be_left_out_of_a_policy() {
    let mut faults = Vec::new();
    for (recipe, requests) in all(PAGE) {
        let whole = with_test_keys(&recipe.configuration);
        let expected = outcomes(&mut authorizer(&whole).expect("a valid configuration"), &requests);
        let mut positions = Vec::new();
        collect(&recipe.configuration, "", &mut positions);
        for position in positions {
            let mut less = whole.clone();
            remove(&mut less, &position);
            if authorizer(&less).is_ok_and(|mut authorizer| outcomes(&mut authorizer, &requests) == expected) {
                faults.push(format!("{}: {position}", recipe.title));
            }
        }
    }
    assert!(faults.is_empty(), "docs/cookbook.md: no row shows what this is for:\n{}", faults.join("\n"));
}

/// Collects the JSON Pointers (RFC 6901) of all members and elements, except those of `keys`, which the tests replace.
fn collect(value: &Value, at: &str, positions: &mut Vec<String>) {
    let mut add = |name: &str, value: &Value| {
        if name != "keys" {
            let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
            positions.push(at.clone());
            collect(value, &at, positions);
        }
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| add(name, value)),
        Value::Array(elements) => {
            elements.iter().enumerate().for_each(|(number, value)| add(&number.to_string(), value));
        }
        _ => {}
    }
}

/// Removes the member or the element at this position.
fn remove(value: &mut Value, position: &str) {
    let (parent, name) = position.rsplit_once('/').expect("it is not the whole configuration");
    let name = name.replace("~1", "/").replace("~0", "~");
    match value.pointer_mut(parent).expect("the position exists") {
        Value::Object(members) => drop(members.remove(&name)),
        Value::Array(elements) => drop(elements.remove(name.parse().expect("a number"))),
        _ => unreachable!("only objects and arrays have members"),
    }
}
