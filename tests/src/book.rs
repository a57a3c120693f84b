//! The Rust of the pages in `docs/` compiles, and runs where it does not say `no_run`.

#[doc = include_str!("../../docs/accounts.md")]
pub struct Accounts;

#[doc = include_str!("../../docs/axum-tonic.md")]
pub struct AxumAndTonic;

#[doc = include_str!("../../docs/revocation.md")]
pub struct Revocation;

#[doc = include_str!("../../docs/rust.md")]
pub struct InRust;
