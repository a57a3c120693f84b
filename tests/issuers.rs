//! The recipes of `docs/issuers` have their form, are valid configurations, and accept and reject the tokens that they say.

mod one_header;
mod recipe_cases;

use one_header::OneHeader;
use poolgate_core::{Algorithm, Reason};
use poolgate_edge::{Config, Decision, RequestAuthorizer};
use poolgate_tests::{
    minting::NOW,
    recipes::{Recipe, Sample, recipes, texts, words},
};
use recipe_cases::{case, read};
use serde_json::json;
use std::{collections::BTreeSet, fs, path::Path};

/// The recipes that the book promises.
#[rustfmt::skip]
const NAMES: [&str; 23] = [
    "alb", "apple", "auth0", "auth0-rfc9068", "authentik", "clerk", "cognito-identity-pool", "cognito-user-pool", "eks", "entra-multi-tenant",
    "entra-v2", "firebase", "github-actions", "gitlab", "google", "keycloak", "kubernetes", "okta-custom", "ory", "sts-web-identity",
    "supabase", "workos", "zitadel",
];

/// Members that disable a check. No recipe has one, except `any_client` together with claim rules.
const DISABLED_CHECKS: [&str; 5] = ["any_issuer", "any_tenant", "any_resource", "any_subject", "confirmation"];

#[test]
fn every_recipe_exists_and_has_the_form_of_the_schema() {
    let recipes = recipes();
    let names: Vec<&str> = recipes.iter().map(|recipe| recipe.name.as_str()).collect();
    assert_eq!(names, NAMES);
    let schema = serde_json::from_str(&documentation("issuers/recipe.schema.json")).expect("the schema is JSON");
    let schema = jsonschema::validator_for(&schema).expect("the schema is valid");
    for Recipe { name, document } in &recipes {
        let errors: Vec<String> =
            schema.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
        assert_eq!((document["name"].as_str(), document["pool"]["name"].as_str()), (Some(&**name), Some(&**name)));
    }
}

#[test]
fn every_word_in_capitals_is_a_placeholder_and_every_sample_replaces_all() {
    for Recipe { name, document } in recipes() {
        let declared: BTreeSet<&str> =
            document["placeholders"].as_object().expect("placeholders").keys().map(String::as_str).collect();
        let is_capital = |word: &&str| {
            word.len() > 1
                && word.starts_with(|first: char| first.is_ascii_uppercase())
                && **word == word.to_uppercase()
        };
        let is_value = |word: &&str| Algorithm::from_name(word).is_some() || ["JWT", "JWS"].contains(word);
        let used: BTreeSet<&str> = texts(&document["pool"])
            .into_iter()
            .flat_map(words)
            .filter(|word| is_capital(word) && !is_value(word))
            .collect();
        assert_eq!(used, declared, "{name}: the words in capitals");
        let mut titles = BTreeSet::new();
        for sample in document["samples"].as_array().expect("samples") {
            let replaced: BTreeSet<&str> =
                sample["replace"].as_object().expect("replacements").keys().map(String::as_str).collect();
            assert_eq!(replaced, declared, "{name}: {}", sample["title"]);
            assert!(titles.insert(sample["title"].as_str()), "{name}: two samples {}", sample["title"]);
        }
    }
}

#[test]
fn every_recipe_says_who_may_use_the_token() {
    for recipe in recipes() {
        let pool = &recipe.document["pool"];
        for member in DISABLED_CHECKS {
            assert!(pool.get(member).is_none(), "{}: {member}", recipe.name);
        }
        let has_rules = pool["claims"].as_array().is_some_and(|rules| !rules.is_empty());
        let has_client = ["client_ids", "identity_pool_id"].into_iter().any(|member| pool.get(member).is_some());
        assert!(
            has_client || has_rules && pool["any_client"] == json!(true),
            "{}: any client is accepted",
            recipe.name
        );
    }
}

#[test]
fn every_pool_is_a_valid_configuration_with_a_key_url() {
    for recipe in recipes() {
        let config = read(&recipe.example()).unwrap_or_else(|error| panic!("{}: {error}", recipe.name));
        let authorizer =
            RequestAuthorizer::new(&config, NOW, 0).unwrap_or_else(|error| panic!("{}: {error}", recipe.name));
        let urls = authorizer.key_urls();
        assert!(!urls.is_empty() && urls.iter().all(|url| url.starts_with("https://")), "{}: {urls:?}", recipe.name);
        if let Some(url) = recipe.example()["keys"]["url"].as_str() {
            assert_eq!(urls, [url], "{}", recipe.name);
        }
    }
}

#[test]
fn every_sample_is_judged_as_its_recipe_says() {
    let mut judged = 0;
    for sample in recipes().iter().flat_map(Recipe::samples) {
        let Sample { title, reason, pool, token } = &sample;
        let config = read(pool).unwrap_or_else(|error| panic!("{title}: {error}"));
        assert_eq!(judge_with_core(&sample), *reason, "{title}, in the core");
        assert_eq!(judge_with_edge(&config, token), *reason, "{title}, at the edge");
        judged += 1;
    }
    assert!(judged >= 3 * NAMES.len(), "only {judged} samples were judged");
}

/// Otherwise something else rejects the token, and the sample says nothing about the rules.
#[test]
fn a_sample_that_does_not_fit_a_claim_rule_would_be_accepted_without_the_rules() {
    let mut judged = 0;
    for mut sample in recipes().iter().flat_map(Recipe::samples) {
        if sample.reason.as_deref() != Some(Reason::ClaimMismatch.name()) || sample.pool.get("claims").is_none() {
            continue;
        }
        sample.pool["claims"] = json!([]);
        assert_eq!(judge_with_core(&sample), None, "{}, without rules", sample.title);
        judged += 1;
    }
    assert!(judged >= 10, "only {judged} samples were judged");
}

#[test]
fn the_book_has_a_section_for_every_recipe() {
    let page = documentation("issuers.md");
    for Recipe { name, document } in recipes() {
        assert!(page.contains(&format!("](issuers/{name}.json)")), "docs/issuers.md has no link to {name}.json");
        for placeholder in document["placeholders"].as_object().expect("placeholders").keys() {
            assert!(
                page.contains(&format!("`{placeholder}`")),
                "docs/issuers.md does not name {placeholder} of {name}"
            );
        }
    }
}

/// Returns the reason for which the core rejects the token, or `None` if it accepts the token.
fn judge_with_core(sample: &Sample) -> Option<String> {
    case(sample).verify_with_core().err().map(|reason| reason.name().to_owned())
}

/// Returns the reason for which a request with this token is rejected, or `None` if it is forwarded.
fn judge_with_edge(config: &Config, token: &str) -> Option<String> {
    let mut authorizer = RequestAuthorizer::new(config, NOW, 0).expect("a valid configuration");
    match authorizer.authorize(NOW, &OneHeader("authorization", format!("Bearer {token}"))) {
        Decision::Admit(admitted) => {
            assert!(admitted.is_verified(), "the request was forwarded without a verified token");
            None
        }
        Decision::Reject(rejection) => Some(rejection.name().to_owned()),
        Decision::Pause(_) => panic!("a local key set causes no fetch"),
        Decision::AskRevocation(_) => panic!("no revocations are configured"),
        Decision::Respond(_) => panic!("no resource is configured"),
    }
}

fn documentation(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
