//! Arguments of `poolgate config`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

const NOTES: &str = "\
The configuration is the one file that says who may do what: its routes, policies and pools. The Envoy filter, the wasi:http middleware, `poolgate
serve --config`, and the Rust library (`Gate`, `tower::GateLayer`) read the same file, and make the same decision about the same request.
docs/gate.md describes it, docs/envoy-reference.md each of its members, and docs/cookbook.md has examples.";

const CHECK_NOTES: &str = "\
Nothing is fetched. Warnings go to standard error: keys that can't be used, rules that never match, always reject, or leave some methods to a
weaker rule.

Example:
  poolgate config check poolgate.json

Exit codes:
  0  valid, possibly with warnings
  1  not valid
  2  invalid usage, or the file can't be read";

const EXPLAIN_NOTES: &str = "\
The rule, its policies and the decision are printed, with the response or with the changes that the application sees. With a token, the checks of
the token follow: its content is shown, so do not paste the output where others read it. Keys are fetched if the configuration says where from.

The target is taken as it is written: nothing in it is decoded or normalized. A URL with a host also sets the host.

Examples:
  poolgate config explain GET /admin/users --config poolgate.json
  poolgate config explain GET https://shop.example.com/orders --token - < token.txt
  poolgate config explain OPTIONS /orders -H 'origin: https://app.example.com' -H 'access-control-request-method: POST'

Exit codes:
  0  admitted
  1  rejected
  2  invalid usage, or an invalid configuration
  3  no decision: the keys are unavailable, or the sandbox failed";

#[derive(Args)]
#[command(after_help = NOTES)]
pub struct ConfigArguments {
    #[command(subcommand)]
    pub command: ConfigCommand,
}

#[derive(Subcommand)]
pub enum ConfigCommand {
    /// Check a configuration, and print its warnings
    Check(CheckArguments),
    /// Print the JSON Schema of the configuration
    Schema,
    /// Explain the decision about a request: which rule, which policies, which response, and why
    Explain(ExplainArguments),
}

#[derive(Args)]
#[command(after_help = CHECK_NOTES)]
pub struct CheckArguments {
    /// The configuration; - is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Allow http URLs with loopback addresses
    #[arg(long)]
    pub allow_http_loopback: bool,
    /// Print one JSON object: `valid`, `warnings`, and `error` with `at` and `message`
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
#[command(after_help = EXPLAIN_NOTES)]
pub struct ExplainArguments {
    /// The method, such as GET
    #[arg(value_name = "METHOD")]
    pub method: String,
    /// The path and the query, or a whole URL
    #[arg(value_name = "URL")]
    pub url: String,
    /// The configuration
    #[arg(long, value_name = "FILE", default_value = "poolgate.json")]
    pub config: PathBuf,
    /// The token, sent where the configuration looks first; - is standard input
    #[arg(long, value_name = "TOKEN", allow_hyphen_values = true)]
    pub token: Option<String>,
    /// A header of the request; may be repeated
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = header)]
    pub headers: Vec<(String, String)>,
    /// Allow http URLs with loopback addresses
    #[arg(long)]
    pub allow_http_loopback: bool,
    /// Print one JSON object: `decision`, `status`, `reason`, `rules`, `policies`, `changes`, `headers`, and `token` with the explanation
    #[arg(long)]
    pub json: bool,
}

/// Parses `Name: value`. The error does not repeat the value, which may be a secret.
fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("a header is written as NAME: VALUE")?;
    match name.trim() {
        "" => Err("the name of the header is empty".to_owned()),
        name => Ok((name.to_ascii_lowercase(), value.trim().to_owned())),
    }
}
