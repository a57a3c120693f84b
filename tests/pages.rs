//! The Rust code blocks of the pages in `docs/` compile, and run unless they are marked `no_run`.

#[doc = include_str!("../docs/accounts.md")]
pub struct Accounts;

#[doc = include_str!("../docs/alb.md")]
pub struct LoadBalancers;

#[doc = include_str!("../docs/axum-tonic.md")]
pub struct AxumAndTonic;

#[doc = include_str!("../docs/discovery.md")]
pub struct Discovery;

#[doc = include_str!("../docs/gate.md")]
pub struct OnePolicy;

#[doc = include_str!("../docs/revocation.md")]
pub struct Revocation;

#[doc = include_str!("../docs/rust.md")]
pub struct InRust;
