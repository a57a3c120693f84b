//! Arguments of `poolgate issuer`.

use clap::Args;

const NOTES: &str = "\
A recipe is configuration to read, adapt and copy: nothing is looked up by its name when tokens are verified. No recipe has been tried with
tokens of a production issuer; docs/issuers.md has the sources.

Exit codes:
  0  printed
  2  invalid usage, or no such recipe";

#[derive(Args)]
#[command(after_help = NOTES)]
pub struct RecipeArguments {
    /// The name of a recipe, or `list`
    #[arg(value_name = "NAME|list")]
    pub name: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
