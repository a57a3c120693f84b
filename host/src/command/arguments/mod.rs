//! The arguments of the command line, and their help texts.

mod account;
mod bench;
mod config;
mod demo;
mod discovery;
mod exit_codes;
mod flows;
mod inspect;
mod jws;
mod limits;
mod policy;
mod recipe;
mod serve;
mod verify;

pub use account::{AccountArguments, Factor, Flow};
pub use bench::BenchArguments;
pub use config::{CheckArguments, ConfigArguments, ConfigCommand, ExplainArguments};
pub use demo::DemoArguments;
pub use flows::FlowArguments;
pub use inspect::InspectArguments;
pub use jws::JwsArguments;
pub use policy::{ClientArguments, ClientClaimName, Guests, PolicyArguments};
pub use recipe::{IssuerCommand, RecipeArguments, ShowArguments};
pub use serve::ServeArguments;
pub use verify::{IssuerArguments, TokenUse, VerifyArguments};

use clap::{Parser, Subcommand};
use exit_codes::EXIT_CODES;

/// Verify Amazon Cognito tokens, and run sign-up, sign-in and recovery without revealing whether an account exists.
#[derive(Parser)]
#[command(version, about, after_help = EXIT_CODES, max_term_width = 110)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Start a local issuer, create valid and invalid tokens, and print the result for each. Needs no AWS account and no network
    Demo(DemoArguments),
    /// Verify tokens: signature, issuer, app client, token use, time claims, groups and scopes
    Verify(Box<VerifyArguments>),
    /// Verify the signature of a compact JWS with any payload, without checking claims
    Jws(JwsArguments),
    /// Print the header and the claims of a token WITHOUT verifying it
    Inspect(InspectArguments),
    /// Print the configuration for a kind of issuer, such as keycloak or entra-v2 (`list` prints the names), or for an issuer with a discovery
    /// document (`show URL`)
    Issuer(RecipeArguments),
    /// Run an account flow, such as sign-up, sign-in or recovery
    Account(Box<AccountArguments>),
    /// Serve the account flows and the verification of tokens over HTTP
    Serve(Box<ServeArguments>),
    /// Check the configuration that says who may do what, and explain a decision about a request
    Config(ConfigArguments),
    /// Measure the cost of verification on this machine, next to other libraries
    Bench(BenchArguments),
}
