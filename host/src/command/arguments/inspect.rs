//! Arguments of `poolgate inspect`.

use clap::Args;

#[derive(Args)]
pub struct InspectArguments {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// The token; - reads it from standard input
    #[arg(value_name = "TOKEN", allow_hyphen_values = true)]
    pub token: String,
}
