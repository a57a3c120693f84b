//! Arguments of `poolgate account`.

use crate::command::connection::Connection;
use clap::{Args, Subcommand, ValueEnum};

const NOTES: &str = "\
The command prompts for passwords, codes and tokens at the terminal. If standard input is not a terminal, it reads them from there, one
per line, in the order of the prompts. They are never arguments.

Exit codes:
  0  done
  1  rejected
  2  invalid usage or configuration
  3  Cognito is unavailable";

#[derive(Args)]
#[command(after_help = NOTES)]
pub struct AccountArguments {
    #[command(flatten)]
    pub connection: Connection,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub flow: Flow,
}

/// The account flow.
#[derive(Subcommand)]
pub enum Flow {
    /// Sign a user up. Prompts for the new password
    SignUp {
        /// The username
        username: String,
        /// Set this attribute of the user, such as email=anna@example.com; may be repeated
        #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = attribute)]
        attributes: Vec<(String, String)>,
    },
    /// Confirm a sign-up. Prompts for the code
    ConfirmSignUp {
        /// The username
        username: String,
    },
    /// Send the confirmation code of a sign-up again
    ResendCode {
        /// The username
        username: String,
    },
    /// Sign a user in and print the tokens. Prompts for the password and for the response to each challenge
    SignIn {
        /// The username
        username: String,
        /// Use SRP (USER_SRP_AUTH), which does not send the password
        #[arg(long)]
        srp: bool,
        /// Set this attribute if the user pool requires it together with a new password; may be repeated
        #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = attribute)]
        attributes: Vec<(String, String)>,
    },
    /// Exchange a refresh token for new tokens and print them. Prompts for the refresh token
    Refresh {
        /// The username or `sub`. Required only with --refresh-token-auth and a client secret
        #[arg(long)]
        username: Option<String>,
    },
    /// Send a recovery code
    ForgotPassword {
        /// The username
        username: String,
    },
    /// Set a new password. Prompts for the recovery code and the new password
    ConfirmForgotPassword {
        /// The username
        username: String,
    },
    /// Change a password. Prompts for the access token, the current password and the new password
    ChangePassword,
    /// Print the attributes and second factors of a user. Prompts for the access token
    GetUser,
    /// Change attributes of a user. Prompts for the access token
    UpdateAttributes {
        /// Set this attribute to this value; may be repeated
        #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = attribute, required = true)]
        attributes: Vec<(String, String)>,
    },
    /// Send a code that verifies an attribute. Prompts for the access token
    SendAttributeCode {
        /// The name of the attribute, such as email
        attribute: String,
    },
    /// Verify an attribute. Prompts for the access token and the code
    VerifyAttribute {
        /// The name of the attribute, such as email
        attribute: String,
    },
    /// Set up an authenticator app. Prompts for the access token and a code of the app
    SetUpTotp {
        /// Set the name of the device
        #[arg(long)]
        device_name: Option<String>,
    },
    /// Set the second factors of a user. Prompts for the access token
    MfaPreference {
        /// Set one-time passwords by email
        #[arg(long, value_name = "CHOICE")]
        email: Option<Factor>,
        /// Set codes by text message
        #[arg(long, value_name = "CHOICE")]
        sms: Option<Factor>,
        /// Set codes of an authenticator app
        #[arg(long, value_name = "CHOICE")]
        software_token: Option<Factor>,
    },
    /// Sign a user out everywhere. Prompts for the access token
    SignOut,
    /// Revoke a refresh token. Prompts for it
    RevokeToken,
    /// Delete a user. Prompts for the access token
    DeleteUser,
}

/// The setting of a second factor.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Factor {
    /// Disable the factor
    Off,
    /// Enable the factor
    On,
    /// Enable the factor and request it first
    Preferred,
}

impl Factor {
    pub fn is_enabled(self) -> bool {
        matches!(self, Factor::On | Factor::Preferred)
    }

    pub fn is_preferred(self) -> bool {
        matches!(self, Factor::Preferred)
    }
}

fn attribute(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.into(), value.into())),
        _ => Err("must have the form NAME=VALUE".into()),
    }
}
