//! The configuration of the Envoy filter and of the `wasi:http` middleware: a JSON object that [`read`] parses and checks.

mod cache;
mod check;
mod check_tokens;
mod claim_rule;
mod claims;
mod core_config;
mod document;
mod error;
mod keys;
mod limits;
mod not_null;
mod policy;
mod pool;
mod reading;
mod rejections;
mod route;
mod tokens;
mod tree;
mod url;

pub use cache::Cache;
pub use check::fits_middleware;
pub use claims::{ClaimToFilterState, ClaimToHeader};
pub use core_config::core_config;
pub(crate) use core_config::core_fault;
pub use document::Config;
pub use error::ConfigError;
pub use keys::{KeyPolicy, Keys};
pub use limits::Limits;
pub use policy::{Membership, Policy};
pub use pool::{Confirmation, Pool, TokenUse};
pub use reading::read;
pub use rejections::{BodyStyle, RejectionStyle};
pub use route::{CorsPreflight, Route};
pub use tokens::{TokenLocation, Tokens};
pub(crate) use url::authority_and_path;
