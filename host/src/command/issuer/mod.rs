//! `poolgate issuer`: recipes for issuers, and what the discovery document of an issuer says, as configuration that can be read and copied.
//! Nothing is configured by a name at run time.

mod options;
mod recipes;
mod show;

use super::{
    arguments::{IssuerCommand, RecipeArguments},
    output::{self, CommandError, Outcome, Palette},
    shown,
};
use options::verify_options;
use recipes::{Recipe, all, find};
use serde_json::{Value, json};

pub async fn run(arguments: &RecipeArguments) -> Result<Outcome, CommandError> {
    if let Some(IssuerCommand::Show(arguments)) = &arguments.command {
        return show::run(arguments).await;
    }
    // clap requires a name if there is no subcommand.
    let name = arguments.name.as_deref().unwrap_or_default();
    if name == "list" {
        let recipes = all()?;
        let json = || {
            json!(
                recipes
                    .iter()
                    .map(|recipe| json!({"name": recipe.name, "title": recipe.title, "summary": recipe.summary}))
                    .collect::<Vec<_>>()
            )
        };
        return output::conclude(Outcome::Allowed, arguments.json, json, |palette| list(&recipes, palette));
    }
    let recipe = find(name)?;
    let options = verify_options(&recipe.pool);
    let json = || {
        json!({
            "name": recipe.name,
            "title": recipe.title,
            "summary": recipe.summary,
            "notes": recipe.notes,
            "placeholders": recipe.placeholders,
            "pool": recipe.pool,
            "verify_options": options,
        })
    };
    output::conclude(Outcome::Allowed, arguments.json, json, |palette| text(&recipe, &options, palette))
}

fn list(recipes: &[Recipe], palette: Palette) -> String {
    let width = recipes.iter().map(|recipe| recipe.name.len()).max().unwrap_or_default();
    let line = |recipe: &Recipe| {
        let padding = " ".repeat(width - recipe.name.len());
        format!("{}{padding}  {}\n", palette.bold(&recipe.name), recipe.summary)
    };
    recipes.iter().map(line).collect()
}

fn text(recipe: &Recipe, options: &[String], palette: Palette) -> String {
    let mut text = format!("{}\n{}\n\n", palette.bold(&recipe.title), recipe.summary);
    for note in &recipe.notes {
        text += &format!("- {note}\n");
    }
    text += &format!("\n{}\n", palette.bold("replace"));
    for (placeholder, meaning) in &recipe.placeholders {
        text += &format!("  {placeholder}: {}\n", meaning.as_str().unwrap_or_default());
    }
    let pool = shown::json(&Value::Object(recipe.pool.clone()), true);
    text += &format!("\n{}\n{pool}\n", palette.bold("pool of the filter, the middleware and the libraries"));
    text += &format!("\n{}\npoolgate verify {} -\n", palette.bold("command"), options.join(" \\\n    "));
    text
}
