//! Arguments of `poolgate jws`.

use super::exit_codes::EXIT_CODES;
use clap::Args;
use std::path::PathBuf;

#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub struct JwsArguments {
    /// Read the JWK Set from this file
    #[arg(long, value_name = "FILE")]
    pub jwks: PathBuf,
    /// Accept this algorithm; may be repeated. The default is every algorithm except `none` and HMAC
    #[arg(long = "alg", value_name = "ALG", value_delimiter = ',')]
    pub algorithms: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub subject: JwsSubject,
}

/// The input.
#[derive(Args)]
#[group(multiple = false)]
pub struct JwsSubject {
    /// The JWS in compact serialization. If it is - or omitted, it is read from standard input
    #[arg(value_name = "COMPACT", allow_hyphen_values = true)]
    pub compact: Option<String>,
    /// Verify one JWS per line of this file (- is standard input), and print one JSON object per line
    #[arg(long, value_name = "FILE")]
    pub batch: Option<PathBuf>,
}
