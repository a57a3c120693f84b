//! Arguments of `poolgate demo`.

use clap::Args;

#[derive(Args)]
pub struct DemoArguments {
    /// Print one JSON object per line instead of a table
    #[arg(long)]
    pub json: bool,
}
