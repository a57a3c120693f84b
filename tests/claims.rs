//! The claim rules in the book and in the recipes are valid, and fit the payloads that the book says.

use poolgate_core::{Algorithm, Verifier};
use poolgate_edge::{Config, ConfigError, config};
use poolgate_tests::{
    keys::{RSA_2048, jwks},
    minting::{ISSUER, KEY_ID, NOW, base64url},
    recipes::{recipes, texts},
};
use serde_json::{Deserializer, Value, json};
use std::{collections::BTreeSet, fs, path::Path};

const PAGE: &str = include_str!("../docs/claims.md");
/// How a rule begins in a text.
const BEGINNINGS: [&str; 2] = ["{\"claim\": ", "{\"name\": "];

#[test]
fn every_rule_on_the_page_is_valid() {
    let rules: Vec<Value> = without_blocks(PAGE, "json,invalid-rule").iter().flat_map(|text| rules_in(text)).collect();
    for rule in rules.iter().filter(|rule| rule.get("claim").is_some()) {
        read(rule).unwrap_or_else(|error| panic!("{rule}: {error}"));
    }
    assert!(rules.len() > 60, "only {} rules were found", rules.len());
}

#[test]
fn every_rule_in_a_block_of_another_page_and_in_a_recipe_is_valid() {
    let mut checked = 0;
    let mut check = |place: &str, rule: &Value| {
        read(rule).unwrap_or_else(|error| panic!("{place}: {rule}: {error}"));
        checked += 1;
    };
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    for path in fs::read_dir(docs).expect("the book").map(|entry| entry.expect("a page").path()) {
        if path.extension().is_some_and(|extension| extension == "md") {
            let text = fs::read_to_string(&path).expect("a page");
            lines_of(&text, "json,rule").iter().for_each(|rule| check(&path.display().to_string(), rule));
        }
    }
    for recipe in recipes() {
        let notes = &recipe.document["notes"];
        texts(notes).into_iter().flat_map(rules_in).for_each(|rule| check(&recipe.name, &rule));
    }
    assert!(checked > 30, "only {checked} rules were found");
}

#[test]
fn every_rule_that_the_page_calls_invalid_is_rejected() {
    let rules = lines_of(PAGE, "json,invalid-rule");
    for rule in &rules {
        let error = read(rule).map(|_| ()).expect_err(&rule.to_string()).to_string();
        assert!(error.starts_with("pools[0].claims[0]"), "{rule}: {error}");
    }
    assert!(rules.len() > 15, "only {} rules were found", rules.len());
}

#[test]
fn the_page_has_an_example_of_every_member_of_a_rule() {
    let schema: Value = serde_json::from_str(include_str!("../docs/envoy.schema.json")).expect("the schema is JSON");
    let members = schema["$defs"]["ClaimRule"]["properties"].as_object().expect("the members of a rule");
    let examples = lines_of(PAGE, "json,rule");
    let used: BTreeSet<&str> =
        examples.iter().flat_map(|rule| rule.as_object().expect("an object").keys()).map(String::as_str).collect();
    assert_eq!(used, members.keys().map(String::as_str).collect());
}

#[test]
fn the_examples_fit_as_the_page_says() {
    let mut judged = 0;
    // A row has a rule, payloads that fit, and payloads that do not.
    for row in PAGE.lines().filter(|line| line.starts_with("| `{\"claim\"")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let [rule, fitting, other] = cells.as_slice() else { panic!("not three cells: {row}") };
        let rule: Value = serde_json::from_str(code_in(rule)[0]).expect("a rule");
        let config = read(&rule).unwrap_or_else(|error| panic!("{rule}: {error}"));
        for (payloads, reason) in [(fitting, None), (other, Some("claim-mismatch"))] {
            for payload in code_in(payloads) {
                assert_eq!(judge(&config, payload), reason, "{rule} and {payload}");
                judged += 1;
            }
        }
    }
    assert!(judged > 60, "only {judged} payloads were judged");
}

/// Reads a configuration with a pool that has this rule.
fn read(rule: &Value) -> Result<Config, ConfigError> {
    let keys: Value = serde_json::from_str(&jwks(&[RSA_2048.jwk(KEY_ID)])).expect("JSON");
    let pool = json!({
        "name": "pool", "issuer": ISSUER, "any_client": true, "token_use": "unchecked", "claims": [rule], "keys": {"jwks": keys},
    });
    let configuration = json!({"pools": [pool], "routes": [{"prefix": "/", "authenticated": true}]});
    config::read(configuration.to_string().as_bytes())
}

/// Returns the reason for which a token with these claims is rejected, or `None` if it is accepted. `claims` is a JSON object.
fn judge(config: &Config, claims: &str) -> Option<&'static str> {
    let mut verifier = Verifier::new(config::core_config(config, 0)).expect("a valid configuration");
    verifier.load_key_set(NOW, ISSUER, jwks(&[RSA_2048.jwk(KEY_ID)]).as_bytes(), NOW).expect("a key set");
    // The text is kept as it is, because serde_json would round large numbers.
    let claims = claims.trim().strip_prefix('{').and_then(|text| text.strip_suffix('}')).expect("an object");
    let subject = if claims.starts_with("\"sub\": ") { "" } else { ",\"sub\":\"ada\"" };
    let comma = if claims.is_empty() { "" } else { "," };
    let payload = format!("{{\"iss\":\"{ISSUER}\",\"exp\":{}{subject}{comma}{claims}}}", NOW + 60);
    let header = json!({"alg": "RS256", "kid": KEY_ID}).to_string();
    let input = format!("{}.{}", base64url(header.as_bytes()), base64url(payload.as_bytes()));
    let signature = base64url(&RSA_2048.sign(Algorithm::Rs256, input.as_bytes()));
    verifier.verify(NOW, &format!("{input}.{signature}")).verdict().err().map(|reason| reason.name())
}

/// Returns the rules in a text, whatever is around them.
fn rules_in(text: &str) -> Vec<Value> {
    let mut starts: Vec<usize> =
        BEGINNINGS.iter().flat_map(|beginning| text.match_indices(beginning)).map(|(start, _)| start).collect();
    starts.sort_unstable();
    let rule = |start: &usize| Deserializer::from_str(&text[*start..]).into_iter::<Value>().next();
    starts.iter().filter_map(rule).map(|rule| rule.unwrap_or_else(|error| panic!("{error} in {text}"))).collect()
}

/// Returns the rules in the blocks of this language: one a line.
fn lines_of(page: &str, language: &str) -> Vec<Value> {
    let opening = format!("```{language}\n");
    let blocks = page.split(&opening).skip(1).map(|rest| rest.split("\n```").next().unwrap_or_default());
    let lines = blocks.flat_map(str::lines);
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

/// Returns the texts of a page between the blocks of this language.
fn without_blocks<'p>(page: &'p str, language: &str) -> Vec<&'p str> {
    let opening = format!("```{language}\n");
    let mut parts = page.split(&opening);
    let first = parts.next();
    first.into_iter().chain(parts.filter_map(|rest| Some(rest.split_once("\n```")?.1))).collect()
}

/// Returns the texts between backticks.
fn code_in(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}
