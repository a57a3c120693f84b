//! The options that say which tokens are accepted, beside the issuer and the client.

use clap::{Args, ValueEnum};
use poolgate::ClaimRule;

/// The clients. All options apply to all issuers.
#[derive(Args, Debug)]
pub struct ClientArguments {
    /// Accept tokens of this app client ID; may be repeated
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub client_id: Vec<String>,
    /// Accept tokens of every app client of the pool
    #[arg(long, conflicts_with = "client_id")]
    pub any_client: bool,
}

#[derive(Args, Debug)]
pub struct PolicyArguments {
    /// Require this group; may be repeated. One of the groups is sufficient
    #[arg(long = "group", value_name = "G", value_delimiter = ',')]
    pub groups: Vec<String>,
    /// Require every --group
    #[arg(long, requires = "groups")]
    pub all_groups: bool,
    /// Require this scope; may be repeated. One of the scopes is sufficient
    #[arg(long = "scope", value_name = "S", value_delimiter = ',')]
    pub scopes: Vec<String>,
    /// Require every --scope
    #[arg(long, requires = "scopes")]
    pub all_scopes: bool,
    /// Accept this algorithm; may be repeated. The default is RS256 for a user pool, because Cognito uses no other, and RS512 for an identity
    /// pool; for another issuer, every algorithm except `none` and HMAC that the key allows
    #[arg(long = "alg", value_name = "ALG", value_delimiter = ',')]
    pub algorithms: Vec<String>,
    /// Accept this type of token (`typ`); may be repeated. `at+jwt` alone accepts only access tokens of RFC 9068, and an empty text accepts
    /// tokens without `typ`. The default is JWT, at+jwt and no `typ`
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',')]
    pub types: Vec<String>,
    /// Require that an access token (with `--token-use unchecked`, any token) is bound to this resource server (`aud`); may be repeated
    #[arg(long = "resource", value_name = "URI")]
    pub resources: Vec<String>,
    /// Accept access tokens that are bound to any resource server
    #[arg(long, conflicts_with = "resources")]
    pub any_resource: bool,
    /// Accept tokens of this client without `aud`, beside --resource; may be repeated. Cognito does not bind tokens of the client credentials
    /// grant
    #[arg(long = "unbound-client", value_name = "ID", value_delimiter = ',', requires = "resources")]
    pub unbound_clients: Vec<String>,
    /// Compare --client-id with this claim, with `--token-use unchecked`. The default is `aud`. Required if --resource is given too
    #[arg(long, value_name = "CLAIM")]
    pub client_claim: Option<ClientClaimName>,
    /// Read the scopes from this claim, for another issuer than a user pool. The default is `scope`, or `scp` if a token has no `scope`
    #[arg(long, value_name = "CLAIM")]
    pub scope_claim: Option<String>,
    /// Require that a claim fits this rule, such as {"claim":"tenant","any_of":["acme"]}; may be repeated. See docs/claims.md
    #[arg(long = "claim", value_name = "JSON", value_parser = claim_rule)]
    pub claims: Vec<ClaimRule>,
    /// Reject tokens that were issued longer ago than this, in seconds
    #[arg(long, value_name = "SECONDS")]
    pub max_age: Option<u32>,
    /// Accept a token without a subject (`sub`)
    #[arg(long)]
    pub any_subject: bool,
    /// Accept a token that is bound to a key (`cnf`: mutual TLS, DPoP) without a proof of possession
    #[arg(long)]
    pub ignore_confirmation: bool,
    /// Accept tokens for this long after `exp` and --max-age, in seconds, at most 900, for clocks that differ. `nbf` and `iat` may always be
    /// 60 seconds ahead
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub leeway: u32,
}

impl PolicyArguments {
    /// Whether any option differs from its default.
    pub fn is_any_set(&self) -> bool {
        // Without `..`, so that the compiler asks for a new option.
        let Self {
            groups,
            all_groups,
            scopes,
            all_scopes,
            algorithms,
            types,
            resources,
            any_resource,
            unbound_clients,
            client_claim,
            scope_claim,
            claims,
            max_age,
            any_subject,
            ignore_confirmation,
            leeway,
        } = self;
        let lists = [groups, scopes, algorithms, types, resources, unbound_clients];
        lists.iter().any(|list| !list.is_empty())
            || !claims.is_empty()
            || client_claim.is_some()
            || scope_claim.is_some()
            || max_age.is_some()
            || *leeway != 0
            || [all_groups, all_scopes, any_resource, any_subject, ignore_confirmation]
                .into_iter()
                .any(|is_set| *is_set)
    }
}

/// The claim that names the client.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ClientClaimName {
    /// The recipient is the client, as for an ID token
    Aud,
    /// RFC 9068
    #[value(name = "client_id")]
    ClientId,
    /// Auth0, Keycloak, Entra v2, Google
    Azp,
    /// Entra v1
    Appid,
    /// Okta
    Cid,
}

/// Whether tokens of guests of an identity pool are accepted.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Guests {
    /// Only identities that have signed in
    Refuse,
    /// Also identities that have not signed in
    Accept,
}

fn claim_rule(json: &str) -> Result<ClaimRule, String> {
    ClaimRule::from_json(json).map_err(|error| error.to_string())
}
