//! Tokens of Application Load Balancers (`x-amzn-oidc-data`): their keys in the core, and the whole way in the edge and the host.

#[path = "alb/edge.rs"]
mod edge;
#[path = "alb/host.rs"]
mod host;
#[path = "alb/id_token.rs"]
mod id_token;
#[path = "alb/keys.rs"]
mod keys;
mod one_header;
