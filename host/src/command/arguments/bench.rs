//! Arguments of `poolgate bench`.

use clap::Args;

const NOTES: &str = "\
Each row of the table compares poolgate with another library in the same run, in interleaved rounds. The command uses no network. The row
of aws-jwt-verify requires Node.js and that package in a place where `node` finds it (npm install aws-jwt-verify, or NODE_PATH).

Exit codes:
  0  measured
  2  invalid usage, or a measurement failed";

#[derive(Args)]
#[command(after_help = NOTES)]
pub struct BenchArguments {
    /// Measure fewer rounds, in less than 20 seconds
    #[arg(long)]
    pub quick: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
