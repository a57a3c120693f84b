//! The recipes of `docs/issuers/`, which are part of the program.

use crate::command::output::CommandError;
use serde::Deserialize;
use serde_json::{Map, Value};

include!(concat!(env!("OUT_DIR"), "/recipes.rs"));

/// A recipe: the pool for one kind of issuer, with placeholders in capitals.
#[derive(Deserialize)]
pub struct Recipe {
    pub name: String,
    pub title: String,
    pub summary: String,
    pub notes: Vec<String>,
    /// What to put in place of each placeholder.
    pub placeholders: Map<String, Value>,
    /// A pool of the configuration of the filter.
    pub pool: Map<String, Value>,
}

/// Returns all recipes, sorted by name.
pub fn all() -> Result<Vec<Recipe>, CommandError> {
    RECIPES.iter().map(|(name, json)| read(name, json)).collect()
}

/// Returns the recipe with a name.
pub fn find(name: &str) -> Result<Recipe, CommandError> {
    match RECIPES.iter().find(|(own, _)| *own == name) {
        Some((name, json)) => read(name, json),
        None => Err(CommandError::Usage(format!(
            "there is no recipe with this name: `poolgate issuer list` prints the names ({} recipes)",
            RECIPES.len()
        ))),
    }
}

fn read(name: &str, json: &str) -> Result<Recipe, CommandError> {
    serde_json::from_str(json).map_err(|error| CommandError::Usage(format!("the recipe {name} is damaged: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::issuer::options::verify_options;

    #[test]
    fn every_recipe_is_complete_and_has_options_for_all_members_of_its_pool() {
        let recipes = all().expect("every recipe can be read");
        assert!(recipes.len() >= 20, "{} recipes", recipes.len());
        for recipe in recipes {
            let options = verify_options(&recipe.pool).join(" ");
            for member in recipe.pool.keys().filter(|member| !["name", "keys"].contains(&member.as_str())) {
                let is_there = match member.as_str() {
                    "user_pool_id" => options.contains("--pool-id "),
                    "client_ids" => options.contains("--client-id "),
                    "resources" => options.contains("--resource "),
                    "tenants" => options.contains("--tenant "),
                    "issuers" => options.contains("--issuer "),
                    "algorithms" => options.contains("--alg "),
                    "types" => options.contains("--type "),
                    "claims" => options.contains("--claim "),
                    "alb_arns" => options.contains("--alb-arn "),
                    "unbound_clients" => options.contains("--unbound-client "),
                    member => options.contains(&format!("--{}", member.replace('_', "-"))),
                };
                assert!(is_there, "{}: no option for {member}: {options}", recipe.name);
            }
        }
    }
}
