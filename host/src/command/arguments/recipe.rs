//! Arguments of `poolgate issuer`.

use super::verify::seconds;
use clap::{Args, Subcommand};
use std::time::Duration;

const NOTES: &str = "\
A recipe is configuration to read, adapt and copy: nothing is looked up by its name when tokens are verified. No recipe has been tried with
tokens of a production issuer; docs/issuers.md has the sources.

Exit codes:
  0  printed
  2  invalid usage, or no such recipe";

const SHOW_NOTES: &str = "\
The issuer is the exact text of `iss` in its tokens. The document is at <issuer without a / at the end>/.well-known/openid-configuration. It is
refused if it breaks one of these rules: https, no redirects, at most 64 KiB, one JSON object without duplicate members, `issuer` equal to the
given text byte for byte, and `jwks_uri` with https, without user name and fragment, and on the host of the issuer or a named one.

The output is a start: CLIENT_ID and API_IDENTIFIER must be replaced, because no document says who may use a token. The algorithms are those
that the document names for ID tokens and that poolgate supports. The keys are fetched and judged too.

Examples:
  poolgate issuer show https://login.example.com/realms/shop
  poolgate issuer show https://accounts.google.com --jwks-host www.googleapis.com --json

Exit codes:
  0  printed, possibly with warnings
  1  the document breaks a rule
  2  invalid usage
  3  the document or the key set could not be fetched, or the key set has no usable key";

#[derive(Args)]
#[command(after_help = NOTES, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct RecipeArguments {
    #[command(subcommand)]
    pub command: Option<IssuerCommand>,
    /// The name of a recipe, or `list`
    #[arg(value_name = "NAME|list", required = true)]
    pub name: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Subcommand)]
pub enum IssuerCommand {
    /// Fetch the discovery document of an issuer, and print the configuration for its tokens
    Show(ShowArguments),
}

#[derive(Args)]
#[command(after_help = SHOW_NOTES)]
pub struct ShowArguments {
    /// The issuer, exactly as `iss` of its tokens
    #[arg(value_name = "URL")]
    pub issuer: String,
    /// Fetch the document from this URL instead: for Entra v1, and for issuers with an internal address
    #[arg(long, value_name = "URL")]
    pub discovery_url: Option<String>,
    /// Allow this host in `jwks_uri`, beside that of the issuer; may be repeated
    #[arg(long = "jwks-host", value_name = "HOST", value_delimiter = ',')]
    pub jwks_hosts: Vec<String>,
    /// Allow http URLs with loopback addresses
    #[arg(long)]
    pub allow_http_loopback: bool,
    /// Set the maximum time of each of the two requests, in seconds, from 1 to 300
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub timeout: Duration,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
